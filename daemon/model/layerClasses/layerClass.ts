/**
 * What there is to know of a layer class as model files and people have it. Each class is one record; registry.ts has them all.
 * A class that TensorFlow.js (tfjs-layers 4.22) lacks has its own `compute`.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Json, LayerJson } from '../layers/layerConfig.js';
import type { LinearMap } from '../layers/linearMap.js';
import type { Refuse } from '../layers/refuse.js';
import type { Shape } from '../layers/shape.js';
import type { WeightTensor } from '../model.js';
import type { Arguments } from '../keras3/arguments.js';

/** Shapes of the outputs of a layer, for its inputs: null for what is not known. */
export type ShapesOf = (layer: LayerJson, inputs: readonly (Shape | null)[]) => (Shape | null)[];

/** Outputs for inputs. Never throws: what cannot be computed is null. @param of asks about a layer inside. */
export type ShapeRule = (config: Json, inputs: readonly (Shape | null)[], of: ShapesOf) => (Shape | null)[];

/** A weight of one layer: see WeightSpec for its fields. */
export interface WeightPart {
  /** Within the layer: "kernel". */
  readonly name: string;
  readonly shape: Shape;
  readonly prunable: boolean;
  readonly statistic?: true;
  readonly uses: number;
  readonly unitAxes?: readonly [from: number, to: number];
}

export type PartsOf = (layer: LayerJson, input: Shape | null) => WeightPart[];

/** The weights, in the order in which TensorFlow.js creates them. @param of asks about a layer inside. */
export type WeightRule = (config: Json, input: Shape | null, of: PartsOf) => WeightPart[];

/** A channel of one of a call's inputs. */
export interface Place {
  readonly input: number;
  readonly channel: number;
}

/** Channels that must stay: [0..n) of the output and of each input. */
export interface KeptChannels {
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}

export interface Cut {
  readonly weight: WeightTensor;
  readonly axis: number;
  readonly side: 'input' | 'output';
  /** Entries per channel along the axis, side by side. Default 1. */
  readonly entries?: number;
}

/** What a layer does to the channels (last axis) of its tensors: what thinning and neuron budgets know of it. */
export interface ChannelRole {
  /** Reads its input through a kernel. */
  readonly linear?: LinearMap;
  /** Its output channels all stay. */
  readonly fixed?: boolean;
  /** Input channels that an output channel is one with: removed together, or not at all. */
  tied(channel: number): readonly Place[];
  /** One value per output channel: what it is for every sample and position, NaN where that varies. */
  constants(inputs: readonly Float64Array[]): Float64Array;
  /** Weights to cut, along which axis, by what is kept of which side. */
  readonly cuts: readonly Cut[];
  /** Adjusts the layer's config to the channels kept. */
  resize?(config: Json, kept: KeptChannels): void;
}

/** One call of a layer, as far as its channels go. The shapes are known, and there is one output. */
export interface LayerCall {
  readonly node: { readonly layer: LayerJson; readonly weights: readonly { readonly name: string }[] };
  readonly inputs: readonly { readonly shape: Shape | null }[];
  readonly outputs: readonly { readonly shape: Shape | null }[];
}

export type Weights = (name: string) => WeightTensor | undefined;

/** null: all channels stay. */
export type ChannelRule = (call: LayerCall, weights: Weights) => ChannelRole | null;

/** The mask of its only input; of several inputs one for all; that of its input where it gives all steps back. */
export type MaskRule = 'pass' | 'merge' | 'steps';

/** The sample's axes with the channels moved to the end, and back; null where the output is the channels alone. */
export type Permutation = readonly [last: readonly number[], first: readonly number[] | null];

/** Adds a note on the layer at hand. */
export type Note = (change: string) => void;

export interface LayerClass {
  /** Names that some version of Keras gives the same class. */
  readonly aliases?: readonly string[];
  /** Why no model with such a layer is read, as the end of a sentence; absent: it is. */
  readonly refused?: string;
  /**
   * Rewrites a layer of a file, in place, into one that TensorFlow.js reads alike; it may become one of another class.
   * @returns a layer to stand behind it.
   */
  readonly rewrite?: (layer: LayerJson, note: Note) => LayerJson | null | void;
  /** The same once initializers, types and the like are in TensorFlow.js's form. */
  readonly settle?: (config: Json, note: Note) => void;
  /** Settings that change the result and that no engine heeds: each is refused. */
  readonly settings?: (config: Json, refuse: Refuse) => void;
  /** Its `axis` may be a list, of one axis too. */
  readonly listsAxes?: true;
  /** It goes through time, or is a cell: a layer cannot stand in for an activation inside it. */
  readonly recurrent?: true;
  /** Inputs after the first one are initial states. */
  readonly takesStates?: true;
  /** Read where it leaves the image as large as it is, and refused elsewhere. */
  readonly changesSize?: true;

  /** Absent: it stands in no topology by itself (a cell), or is no more once it is read. */
  readonly shape?: ShapeRule;
  /** Absent: it has none. */
  readonly weights?: WeightRule;
  /** Why no layer of this config can take such an input, as the end of a sentence; null: it can. */
  readonly problem?: (config: Json, input: Shape) => string | null;
  /** The layers inside that own its weights, in the weights' order. */
  readonly owners?: (layer: LayerJson) => LayerJson[];
  /**
   * The config of a layer whose weights are set anyway: where it names no initializer, TensorFlow.js draws every weight (15 million
   * numbers of a VGG), and computes an orthogonal matrix for a recurrent layer.
   */
  readonly initial?: Json;
  /** Which of its gates, side by side along the last axis, go through hard_sigmoid. */
  readonly hardGates?: (hard: HardSigmoid, refuse: Refuse) => boolean[];
  /** Absent: all channels stay. */
  readonly channels?: ChannelRule;
  /** Output elements are the input's, one for one and in order. */
  readonly inOrder?: true;
  /** Of a model's first layer: it brings any values to the scale that the network wants, or only moves them. */
  readonly onInput?: 'scales' | 'moves';

  /** What becomes of its inputs' masks in Keras 3.15 (supports_masking and compute_mask); absent: it ends them, or has a rule of its own. */
  readonly mask?: MaskRule;
  /** Whether a layer of it makes a mask. */
  readonly makesMask?: (config: Json) => boolean;
  /** In inference it makes of each channel what its inputs' masks say; a constant channel may become 0 by it. Recurrent layers mix channels. */
  readonly readsMask?: 'keeps constants' | 'keeps zeros';

  /** With channels first TensorFlow.js computes it wrongly, and some it trains and saves as such: how it becomes one over channels last. */
  readonly channelsFirst?: { readonly permutation: (config: Json) => Permutation; readonly trainedWrongly?: true };

  /** Arguments of its constructor in Keras 3; absent: Keras 3 lacks it. */
  readonly keras?: Arguments;
  /** Arguments that Keras 3 calls otherwise. */
  readonly renamedInKeras3?: Readonly<Record<string, string>>;
  /** Keras 3 has it as a setting of another class. */
  readonly inKeras3?: (layer: LayerJson) => LayerJson;
  /** Groups of its weights in Keras's native files, in the weights' order; default: its own. @param of asks about a layer inside. */
  readonly groups?: (layer: LayerJson, of: (inner: LayerJson) => string[]) => string[];

  /** What the sparse module makes of it: a product, an activation, or nothing to compute. */
  readonly sparse?: 'product' | 'activation' | 'nothing';
  /**
   * What TensorFlow.js by itself does: it passes a mask on as Keras does, it reads whatever mask it met last, or it reads it and
   * passes it on where it gives all steps back; absent: it ends it.
   */
  readonly maskInTfjs?: 'passes' | 'reads' | 'steps';

  /** Keras takes a layer of it as the activation of another layer. */
  readonly asActivation?: true;
  /**
   * Over volumes: with "same" padding and a stride beyond its window the cpu backend of TensorFlow.js counts the padding as negative, and
   * starts behind the first frame. `backwards`: its input has the stride.
   */
  readonly skipsFramesInTfjs?: 'forwards' | 'backwards';
  /** TensorFlow.js by itself computes it along the last axis alone. */
  readonly lastAxisInTfjs?: true;
  /** Axes of its input, the batch left out, that TensorFlow.js by itself goes up to. */
  readonly mostAxesInTfjs?: number;

  /**
   * Computes it where TensorFlow.js lacks it. An argument `training` is not given: it computes the same in training.
   * @param inputs with the batch in front. @param weights by name, as `weights` has them.
   */
  readonly compute?: (tf: typeof Core, config: Json, inputs: readonly Core.Tensor[], weights: Readonly<Record<string, Core.Tensor>>) => Core.Tensor;
} // prettier-ignore

/** Which of a gated layer's activations are hard_sigmoid. */
export interface HardSigmoid {
  readonly activation: boolean;
  readonly gates: boolean;
}
