/** How people type a kind of budget, in the budget box and on the command line; each kind says its own in its words. */
import { rounded } from '../../protocol/format.js';
import type { Value } from './values.js';

/** A number as people write it, as a part of an expression. */
export const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
export const AT_MOST = '(?:at most|no more than|not more than|up to|less than|under|below|max(?:imum)?|within|<=?|≤)';
export const numberOf = (text: string): number => Number(text.replace(',', '.'));

/** Percent as a plan writes them, without an exponent; null: too small to be meant, or above 100. */
export function percentText(percent: number): string | null {
  const value = rounded(percent, 6);
  return value > 100 || (value !== 0 && value < 1e-6) ? null : `${value}%`;
}

/** Text is in lower case, with single spaces; see `parseGoal`. */
export interface Typed<V extends Value = Value> {
  /** What one could type, for those who do not know what to. */
  readonly example: string;
  /** What the box offers; "{0}" is the value. In English: the editor translates it. */
  readonly offer: string;
  /** The value in the offer. Default: as a plan has it. */
  shown?(value: V): string;
  /** Behind the value, so that it is read as this kind: "flops". Default: none is needed. */
  readonly unit?: string;
  /** Text that is of this kind alone. @returns null where it is not; 'range' where there is no such value. */
  read?(text: string): V | 'range' | null;
  /** The value is a share: "5%", "1/10", "a tenth". Bare ones are of every kind that takes shares. */
  readonly share?: {
    /** The first letters of the words that say of what it is one. */
    readonly of: RegExp;
    /** Those words, as expressions. */
    readonly things: readonly string[];
    /** "10x {smaller}", as expressions. */
    readonly comparatives: readonly string[];
  };
  /** The value is a number: "100 neurons". Bare ones are of every kind that takes numbers. `of`: as of a share. */
  readonly count?: { readonly of: RegExp };
}
