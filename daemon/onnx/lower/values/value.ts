import type { DType, Node } from '../../../network/ir.js';
import type { NumberTensor } from './numberTensor.js';

/**
 * What a name of an ONNX graph stands for while the graph is lowered. Axes are ONNX's; how a tensor lies in the graph of
 * operations is a permutation beside it, so that an ONNX Transpose, and a Transpose back, cost nothing.
 */
export type Value = NumberTensor | NodeValue | WeightValue;

/** A tensor that a pass computes. */
export interface NodeValue {
  readonly kind: 'node';
  readonly node: Node;
  /** Axis i of the ONNX value is axis axes[i] of the node. */
  readonly axes: readonly number[];
  /** What it is made of; see `Origin`. */
  readonly origin: Origin;
}

/** A weight of the network, not yet read: whoever reads it says in which layout. */
export interface WeightValue {
  readonly kind: 'weight';
  /** The initializer, of those that share one the first. */
  readonly name: string;
  /** Of this view of it. */
  readonly dims: readonly number[];
  /** Axis i of this view is axis axes[i] of the file's tensor. */
  readonly axes: readonly number[];
}

/**
 * Where a value comes from: `weighted`, weights have a part in it; a number, only the data input of that number has, changed
 * element by element or moved; `data`, several inputs.
 */
export type Origin = 'weighted' | 'data' | number;

export const naturalAxes = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i);

export const isNatural = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

/** The permutation that undoes one. */
export const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/** ONNX's axes in the order channels last: [batch, ...places, channels]. */
export const channelsLast = (rank: number): number[] =>
  rank < 3 ? naturalAxes(rank) : [0, ...naturalAxes(rank).slice(2), 1];

/** The shape of a value, in ONNX's order of axes. */
export function dimsOf(value: Value): readonly number[] {
  return value.kind === 'node' ? value.axes.map((axis) => value.node.shape[axis]!) : value.dims;
}

export const typeOf = (value: Value): DType =>
  value.kind === 'node' ? value.node.dtype : value.kind === 'weight' ? 'float32' : value.dtype;
