/**
 * The definition of a layer class for model files and users. Each class is one record; registry.ts lists them. A class that TensorFlow.js
 * (tfjs-layers 4.22) lacks has its own `compute`.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../network/ir.js';
import type { Operations } from '../../network/operations.js';
import type { Json, LayerJson } from '../layers/layerConfig.js';
import type { Refuse } from '../layers/refuse.js';
import type { Shape } from '../layers/shape.js';
import type { Arguments } from '../keras3/arguments.js';

/** Output shapes of a layer for its inputs; null where unknown. */
export type ShapesOf = (layer: LayerJson, inputs: readonly (Shape | null)[]) => (Shape | null)[];

/** Outputs for inputs. Never throws: what cannot be computed is null. @param of returns the shapes of an inner layer. */
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

/**
 * The weights, in the order in which TensorFlow.js creates them. @param of returns those of an inner layer. @param inputs all inputs of its first
 * call, if they are known: the first one is `input`.
 */
export type WeightRule = (
  config: Json,
  input: Shape | null,
  of: PartsOf,
  inputs?: readonly (Shape | null)[],
) => WeightPart[];

/** What a call has beside its inputs. */
export interface ForwardCall {
  /** Of each input, 0 and 1 for every step: a mask has all axes of the input but the last one. null: it has none. */
  readonly masks: readonly (Node | null)[];
  /** The first output's, without the batch. */
  readonly shape: readonly number[];
  /** Outputs of an inner layer, by its class's rule. @param weights by name within the inner layer */
  readonly of: (
    layer: LayerJson,
    inputs: readonly Node[],
    weights: Readonly<Record<string, Node>>,
    masks: readonly (Node | null)[],
  ) => readonly Node[] | null;
}

/**
 * The operations of a call in inference (daemon/network). They say which units can be removed.
 * @param inputs [batch, ...]. @param weights by name, as in `weights`.
 * @returns the output, [batch, ...shape], or a list of them if the layer has several; null if there are no operations for such a config or such inputs: all units that the layer reads or makes stay.
 */
export type ForwardRule = (
  op: Operations,
  config: Json,
  inputs: readonly Node[],
  weights: Readonly<Record<string, Node>>,
  call: ForwardCall,
) => Node | readonly Node[] | null;

/** By axis, without the batch: the indices that are left of a tensor. */
export type KeptIndices = readonly (readonly number[])[];

/** What is left of a layer. */
export interface Left {
  /** Of its first output and its first input. */
  readonly output: KeptIndices;
  readonly input: KeptIndices;
  /** Shapes of its weights by name, as in `weights`. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** Sets the sizes of an inner layer, by its class's rule. */
  readonly of: (layer: LayerJson, left: Omit<Left, 'of'>) => void;
}

/** The mask of its only input; for several inputs, one for all; the input's mask if it returns all steps. */
export type MaskRule = 'pass' | 'merge' | 'steps';

/** The sample's axes with the channels moved to the end, and back; null if the output has channels only. */
export type Permutation = readonly [last: readonly number[], first: readonly number[] | null];

/** Adds a note about the current layer. */
export type Note = (change: string) => void;

export interface LayerClass {
  /** Names of the same class in other versions of Keras. */
  readonly aliases?: readonly string[];
  /** Why models with such a layer are rejected, as the end of a sentence; absent: they are accepted. */
  readonly refused?: string;
  /**
   * Rewrites a layer of a file, in place, into an equivalent one that TensorFlow.js reads; its class may change.
   * @returns a layer to insert after it.
   */
  readonly rewrite?: (layer: LayerJson, note: Note) => LayerJson | null | void;
  /** The same after initializers, types and the like have TensorFlow.js's form. */
  readonly settle?: (config: Json, note: Note) => void;
  /** Settings that change the result but are ignored by every engine: each is rejected. */
  readonly settings?: (config: Json, refuse: Refuse) => void;
  /** Its `axis` may be a list, also of one axis. */
  readonly listsAxes?: true;
  /** It iterates over time, or is a cell: a layer cannot replace an activation inside it. */
  readonly recurrent?: true;
  /** Inputs after the first one are initial states. */
  readonly takesStates?: true;
  /** Accepted if it leaves the image size unchanged, and rejected otherwise. */
  readonly changesSize?: true;

  /** Absent: it is not a layer of its own (a cell), or is replaced on reading. */
  readonly shape?: ShapeRule;
  /** Absent: it has none. */
  readonly weights?: WeightRule;
  /** Why no layer of this config accepts such inputs, as the end of a sentence; null: they are accepted. @param input the first of `inputs`. */
  readonly problem?: (config: Json, input: Shape, inputs: readonly (Shape | null)[]) => string | null;
  /** Keras gives its tensors as arguments of these names, in this order, of which the last may be left out; absent: as one list. */
  readonly calledWith?: readonly string[];
  /** Further arguments of its calls that change what it computes: the reader moves them to the config, the writer back. */
  readonly callSettings?: readonly string[];
  /** The inner layers that own its weights, in the weights' order. */
  readonly owners?: (layer: LayerJson) => LayerJson[];
  /**
   * The config of a layer whose weights are set later: without an initializer, TensorFlow.js draws every weight (15 million numbers of a VGG), and
   * computes an orthogonal matrix for a recurrent layer.
   */
  readonly initial?: Json;
  /** Which of its gates, side by side along the last axis, use hard_sigmoid. */
  readonly hardGates?: (hard: HardSigmoid, refuse: Refuse) => boolean[];
  /** Absent: the layer has no operations here, and all units that it reads or makes stay. */
  readonly forward?: ForwardRule;
  /** Sets the sizes in a config, in place, after units of the layer are removed. Absent: it has none. */
  readonly resize?: (config: Json, left: Left) => void;
  /** As a model's first layer it scales or shifts any values to the range that the network expects. */
  readonly onInput?: 'scales' | 'moves';

  /** The output's mask from its inputs' masks in Keras 3.15 (supports_masking and compute_mask); absent: none, or a rule of its own. */
  readonly mask?: MaskRule;
  /** Whether such a layer creates a mask. */
  readonly makesMask?: (config: Json) => boolean;

  /** With channels first TensorFlow.js computes it wrongly, and also trains and saves some like that: converts it to one over channels last. */
  readonly channelsFirst?: { readonly permutation: (config: Json) => Permutation; readonly trainedWrongly?: true };

  /** Arguments of its constructor in Keras 3; absent: Keras 3 lacks it. */
  readonly keras?: Arguments;
  /** Arguments with another name in Keras 3. */
  readonly renamedInKeras3?: Readonly<Record<string, string>>;
  /** Keras 3 has it as a setting of another class. */
  readonly inKeras3?: (layer: LayerJson) => LayerJson;
  /** Groups of its weights in Keras's native files, in the weights' order; default: its own. @param of returns those of an inner layer. */
  readonly groups?: (layer: LayerJson, of: (inner: LayerJson) => string[]) => string[];

  /** Its form in the sparse module: a product, an activation, or no computation. */
  readonly sparse?: 'product' | 'activation' | 'nothing';
  /**
   * TensorFlow.js's own treatment of masks: it passes a mask on as Keras does, it applies the last mask it met, or it applies it and passes it on if
   * it returns all steps; absent: it drops it.
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

  /** Computes it, if TensorFlow.js lacks it. One tensor for each shape that `shape` returns. @param weights by name, as in `weights`. */
  readonly compute?: (tf: typeof Core, config: Json, inputs: readonly Core.Tensor[], weights: Readonly<Record<string, Core.Tensor>>, mode: ComputeMode) => Core.Tensor | Core.Tensor[];
  /** TensorFlow.js has the class, but not for such a config: `compute` is used for those alone. Absent: TensorFlow.js lacks the class. */
  readonly computes?: (config: Json) => boolean;
} // prettier-ignore

/** How a layer is called. */
export interface ComputeMode {
  readonly training: boolean;
  /** The masks of the inputs, 0 and 1 for every step; null: an input has none. Empty if no input has one. */
  readonly masks: readonly (Core.Tensor | null)[];
}

/** Which of a gated layer's activations are hard_sigmoid. */
export interface HardSigmoid {
  readonly activation: boolean;
  readonly gates: boolean;
}
