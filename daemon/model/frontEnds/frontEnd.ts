/** What is asked of a model, whatever it is made of. Each kind of model has one implementation, which `frontEndOf` gives. */
import type { LayerLinks } from '../../protocol/layers/networkGraph.js';
import type { Json } from '../layers/layerConfig.js';
import type { LayerSummary, Model } from '../model.js';
import type { AsStored } from '../setup/inputsAsStored.js';
import type { InputScale } from '../setup/inputScale.js';

/** Sizes of one sample; null where one is open. */
export type OpenShape = readonly (number | null)[];

export interface ModelInput {
  readonly name: string;
  readonly shape: OpenShape;
}

export interface ModelOutput {
  /** As `LayerSummary.outputs` names it: of layers, the path of the one that makes it. */
  readonly name: string;
  readonly shape: OpenShape | null;
  /** Of its values, in Keras's words; 'linear' where there is none, or none that matters to a loss. */
  readonly activation: string;
  /** Its values are logarithms of probabilities (a LogSoftmax), so a cross-entropy takes them as logits. */
  readonly logProbabilities?: true;
}

/** How the file says that the model was trained. */
export interface Compiled {
  readonly config: Json;
  readonly keras3: boolean;
}

export interface FrontEnd<M extends Model = Model> {
  /** What the model calls itself; null where it has no name. */
  readonly name: string | null;
  inputs(): readonly ModelInput[];
  outputs(): readonly ModelOutput[];
  /** Place of the output that is trained where a plan names none. */
  mainOutput(): number;
  /** Per input: why its values are taken as they are stored; null: any scale may be what it was trained on. */
  asStored(): readonly (AsStored | null)[];
  /** Whether files of this kind can say the loss they were trained with. */
  readonly saysLoss: boolean;
  /** null where the file does not say. */
  compiled(): Compiled | null;
  /** What of the file takes part in training, or does not, one sentence each. */
  trainingNotes(): readonly string[];
  /** The layer table: a row for each layer or operation, in the model's order. */
  summarize(): LayerSummary[];
  /** By row of that table: what it reads, and which of its units can go. */
  links(): ReadonlyMap<string, LayerLinks>;
  /** The model with every open size of its inputs set; itself where nothing is open. @param shapes of one sample, per input. */
  withInputSizes(shapes: readonly (readonly number[])[]): M;
  /** The model as an engine trains it; itself where all is trained. @param layers of `trainedLayers`. */
  withTrainedLayers(layers: readonly LayerSummary[]): M;
  /** The model on values as they are stored: its inputs' scales are inside. @throws UserError('model-unsupported') where they cannot be. */
  withInputScales(scales: readonly InputScale[]): M;
  /** What computes the same network whatever its weights: what a fingerprint of the model is taken of, beside them. JSON. */
  identity(): unknown;
}
