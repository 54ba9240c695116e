import type { GraphBuilder } from './builder.js';
import type { Node } from './ir.js';

/** An input or an output of a network. */
export interface NetworkPort {
  readonly name: string;
  /** Without the batch axis. */
  readonly shape: readonly number[];
  /**
   * Where the model's file has another order of axes: axis i of the file's tensor, counted without the batch, is axis
   * fileAxes[i] of `shape`. [2, 0, 1]: the file has [channels, height, width], and `shape` is [height, width, channels].
   */
  readonly fileAxes?: readonly number[];
}

/** A weight of a network, in the layout that the network computes with. */
export interface NetworkWeight {
  /** Unique in the network: the name of the model file's tensor, "fc1.weight", "dense_1/kernel". */
  readonly name: string;
  /** The layer, or operation, that it belongs to, for tables and messages. */
  readonly layer: string;
  readonly shape: readonly number[];
  /** false: a moving average or frozen, a state of the session. */
  readonly trainable: boolean;
  /** A kernel: what budgets on weights are about. */
  readonly prunable: boolean;
}

/** What one pass of a network is built from. */
export interface PassSpec {
  /** Samples that are computed at once. */
  readonly batch: number;
  /** Dropout and batch statistics are at work, and states move. */
  readonly training: boolean;
  /** Of [batch, ...inputShapes[i]], one for each input. */
  readonly data: readonly Node[];
  weight(name: string): Node;
}

/** What a pass gives. */
export interface Pass {
  /** One for each of the network's outputs, [batch, ...]. */
  readonly outputs: readonly Node[];
  /** Next values of states that training changes, by name; empty in inference. */
  readonly states: ReadonlyMap<string, Node>;
}

/**
 * A model as a recipe for a graph: a front end makes one from its format, and everything behind it (losses, gradients, structure,
 * executors) sees only this. Shapes are without the batch axis.
 */
export interface Network {
  readonly inputs: readonly NetworkPort[];
  readonly outputs: readonly NetworkPort[];
  /** In the model's order. */
  readonly weights: readonly NetworkWeight[];
  /**
   * Records one pass into the builder. The same spec records the same graph.
   * @throws UserError('model-unsupported') naming the layer, where it cannot be computed for this batch.
   */
  pass(builder: GraphBuilder, spec: PassSpec): Pass;
}
