/** What the structure knows of an operation: one record each, in `rules/`. */
import type { Attributes } from '../ir.js';
import type { Known } from './known.js';
import type { Step, Value } from './values.js';

/**
 * Why an index of an axis stays, whatever the weights are.
 * - input, output: it is one of the model's.
 * - window: a filter or a pooling window moves along it.
 * - statistic: a mean runs over it, which the number of its entries changes.
 * - softmax, compared: each result depends on all of its entries.
 * - looked up: an index in the data chooses from it.
 * - split: it is one of the sizes that an axis is split into, and not the one along which units go.
 * - constant: a matrix of constants reads or makes it.
 * - whole: without it nothing would be left of a tensor.
 */
export type Why = 'input' | 'output' | 'window' | 'statistic' | 'softmax' | 'compared' | 'looked up' | 'split' | 'constant' | 'whole'; // prettier-ignore

/** One of the parts into which a Reshape falls: as many elements on both sides, in the same order. Axes of length 1 are left out. */
export interface Segment {
  readonly ins: readonly number[];
  readonly outs: readonly number[];
}

/** Which index of one axis is one with which of another. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Where rules write which indices can only be removed together. */
export interface Ties {
  /** Indices of the two axes are one, in order: all of them, or those of the range. */
  same(step: Step, a: Value, axis: number, b: Value, bAxis: number, range?: Range): void;
  /** Index i of the one axis is one with index `of(i)` of the other. */
  map(step: Step, a: Value, axis: number, b: Value, bAxis: number, of: (i: number) => number): void;
  /** All indices of the axis stay. */
  pin(step: Step | null, value: Value, axis: number, why: Why): void;
  /** The axis is summed over by a product, or is a free axis of one. */
  role(value: Value, axis: number, side: 'reads' | 'makes'): void;
  /** Products of activations are taken for each index: attention heads. */
  batched(value: Value, axis: number): void;
  reshape(step: Step, segment: Segment): void;
}

/** What is left of an axis: its indices in order. */
export type Kept = (value: Value, axis: number) => readonly number[];

/** Where rules write which indices a result depends on. */
export interface Life {
  live(value: Value, axis: number, index: number): boolean;
  mark(value: Value, axis: number, index: number): void;
  /** The result depends on the index being 0, which it is. */
  zero(value: Value, axis: number, index: number): void;
  known(value: Value): Known;
  /** Whether what an input that is this constant adds to the result of a product can be added elsewhere. */
  absorbs(step: Step, constant: number): boolean;
}

export interface Rule {
  tie(step: Step, ties: Ties): void;
  /** What is constant of the result; absent: nothing. */
  known?(step: Step, given: readonly Known[]): Known;
  /** Marks what the result depends on beside what is one with it; absent: nothing. */
  reads?(step: Step, life: Life): void;
  /** Attributes once indices are gone; absent: as they were. */
  attributes?(step: Step, kept: Kept): Attributes;
}
