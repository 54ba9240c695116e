import type { GraphBuilder } from './builder.js';
import type { Node } from './ir.js';

/** An input or an output of a network. */
export interface NetworkPort {
  readonly name: string;
  /** Shape without the batch axis. */
  readonly shape: readonly number[];
  /**
   * Set if the model's file has another order of axes. Axis i of the file's tensor, counted without the batch, is axis
   * fileAxes[i] of `shape`. [2, 0, 1]: the file has [channels, height, width], and `shape` is [height, width, channels].
   */
  readonly fileAxes?: readonly number[];
}

/** A weight of a network, in the layout that the network computes with. */
export interface NetworkWeight {
  /** The name of the model file's tensor, unique in the network: "fc1.weight", "dense_1/kernel". */
  readonly name: string;
  /** The layer, or operation, that it belongs to, for tables and messages. */
  readonly layer: string;
  readonly shape: readonly number[];
  /** false: a moving average or a frozen weight, which is a state of the session. */
  readonly trainable: boolean;
  /** Whether it is a kernel: budgets on weights count kernels. */
  readonly prunable: boolean;
}

/** The inputs from which one pass of a network is built. */
export interface PassSpec {
  /** Number of samples that are computed at once. */
  readonly batch: number;
  /** Whether the pass trains: dropout and batch statistics apply, and states move. */
  readonly training: boolean;
  /** One node per input, of shape [batch, ...inputShapes[i]]. */
  readonly data: readonly Node[];
  weight(name: string): Node;
}

/** The results of a pass. */
export interface Pass {
  /** One node per output of the network, [batch, ...]. */
  readonly outputs: readonly Node[];
  /** Next values of the states that training changes, by name; empty in inference. */
  readonly states: ReadonlyMap<string, Node>;
}

/**
 * A model as a recipe for a graph. A front end makes one from its format; losses, gradients, structure and executors see only
 * this. Shapes are without the batch axis.
 */
export interface Network {
  readonly inputs: readonly NetworkPort[];
  readonly outputs: readonly NetworkPort[];
  /** Weights in the model's order. */
  readonly weights: readonly NetworkWeight[];
  /**
   * Records one pass into the builder. Equal specs record equal graphs.
   * @throws UserError('model-unsupported') naming the layer that cannot be computed for this batch.
   */
  pass(builder: GraphBuilder, spec: PassSpec): Pass;
}
