/** The questions that the product asks of any model. Each kind of model has one implementation, which `frontEndOf` returns. */
import type { LayerLinks } from '../../protocol/layers/networkGraph.js';
import type { Json } from '../layers/layerConfig.js';
import type { LayerSummary, Model } from '../model.js';
import type { AsStored } from '../setup/inputsAsStored.js';
import type { InputScale } from '../setup/inputScale.js';

/** Sizes of one sample; null if a size is open. */
export type OpenShape = readonly (number | null)[];

export interface ModelInput {
  readonly name: string;
  readonly shape: OpenShape;
}

export interface ModelOutput {
  /** Its name in `LayerSummary.outputs`; for layers, the path of the layer that makes it. */
  readonly name: string;
  readonly shape: OpenShape | null;
  /** Its activation, in Keras's words; 'linear' if there is none, or none that matters to a loss. */
  readonly activation: string;
  /** True if its values are logarithms of probabilities (a LogSoftmax): a cross-entropy takes them as logits. */
  readonly logProbabilities?: true;
}

/** The training settings in the file. */
export interface Compiled {
  readonly config: Json;
  readonly keras3: boolean;
}

export interface FrontEnd<M extends Model = Model> {
  /** The model's name in the file; null if it has none. */
  readonly name: string | null;
  inputs(): readonly ModelInput[];
  outputs(): readonly ModelOutput[];
  /** Index of the output that is trained if the plan names none. */
  mainOutput(): number;
  /** Per input: the reason to take its values as they are stored; null if the model may have been trained on any scale. */
  asStored(): readonly (AsStored | null)[];
  /** Whether files of this kind can hold the loss of their training. */
  readonly saysLoss: boolean;
  /** null if the file does not hold them. */
  compiled(): Compiled | null;
  /** Sentences about parts of the file that take part in training, or do not. */
  trainingNotes(): readonly string[];
  /** The layer table: a row for each layer or operation, in the model's order. */
  summarize(): LayerSummary[];
  /** What each row of that table reads, and which of its units can be removed. */
  links(): ReadonlyMap<string, LayerLinks>;
  /** The model with every open size of its inputs set; the model itself if none is open. @param shapes of one sample, per input. */
  withInputSizes(shapes: readonly (readonly number[])[]): M;
  /** The model as an engine trains it; the model itself if all its layers are trained. @param layers of `trainedLayers`. */
  withTrainedLayers(layers: readonly LayerSummary[]): M;
  /** The model on values as they are stored: it applies its inputs' scales itself. @throws UserError('model-unsupported') if it cannot. */
  withInputScales(scales: readonly InputScale[]): M;
  /** JSON that determines what the network computes, whatever its weights. A fingerprint of the model covers it and the weights. */
  identity(): unknown;
}
