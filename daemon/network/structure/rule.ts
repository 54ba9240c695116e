/** The structure's rule of an operation: one record each, in `rules/`. */
import type { Attributes } from '../ir.js';
import type { Known } from './known.js';
import type { Step, Value } from './values.js';

/**
 * The reason why an index of an axis stays, whatever the weights are.
 * - input, output: it is one of the model's.
 * - window: a filter or a pooling window moves along it.
 * - statistic: a mean runs over it, which the number of its entries changes.
 * - softmax, compared: each result depends on all of its entries.
 * - looked up: an index in the data chooses from it.
 * - split: an axis is split into several, and units go by another one of them.
 * - constant: a matrix of constants reads or makes it.
 * - whole: a tensor would be empty without it.
 */
export type Why = 'input' | 'output' | 'window' | 'statistic' | 'softmax' | 'compared' | 'looked up' | 'split' | 'constant' | 'whole'; // prettier-ignore

/** One of the parts into which a Reshape falls: equally many elements on both sides, in one order. Axes of length 1 are left out. */
export interface Segment {
  readonly ins: readonly number[];
  readonly outs: readonly number[];
}

/** Which index of one axis is tied to which index of another. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Rules report here which indices can only be removed together. */
export interface Ties {
  /** Ties indices of the two axes in order: all of them, or those of the range. */
  same(step: Step, a: Value, axis: number, b: Value, bAxis: number, range?: Range): void;
  /** Ties index i of the one axis to index `of(i)` of the other. */
  map(step: Step, a: Value, axis: number, b: Value, bAxis: number, of: (i: number) => number): void;
  /** Makes all indices of the axis stay. */
  pin(step: Step | null, value: Value, axis: number, why: Why): void;
  /** Records that a product sums over the axis, or that it is a free axis of the product. */
  role(value: Value, axis: number, side: 'reads' | 'makes'): void;
  /** Records that products of activations are computed for each index: attention heads. */
  batched(value: Value, axis: number): void;
  reshape(step: Step, segment: Segment): void;
}

/** The remaining indices of an axis, in order. */
export type Kept = (value: Value, axis: number) => readonly number[];

/** Rules report here which indices a result depends on. */
export interface Life {
  live(value: Value, axis: number, index: number): boolean;
  mark(value: Value, axis: number, index: number): void;
  /** Records that the result is right only because the index is 0. */
  zero(value: Value, axis: number, index: number): void;
  known(value: Value): Known;
  /** Whether the amount that a constant input adds to the result of a product can be added elsewhere. */
  absorbs(step: Step, constant: number): boolean;
}

export interface Rule {
  tie(step: Step, ties: Ties): void;
  /** The known constants of the result; if absent, none are known. */
  known?(step: Step, given: readonly Known[]): Known;
  /** Marks the indices that the result depends on, beside those tied to it; if absent, there are none. */
  reads?(step: Step, life: Life): void;
  /** The attributes after indices are removed; if absent, they do not change. */
  attributes?(step: Step, kept: Kept): Attributes;
}
