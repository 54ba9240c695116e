/** The values of a budget's keys, as in a plan. `protocol/budget.ts` has the validator of each type of value. */
import { shortPercent } from '../../protocol/format.js';
import { BudgetError } from '../budgetError.js';
import { parseAmount, parseBytes, parseShare, type Amount } from '../share.js';

/** Types of the values. */
export interface Values {
  /** 0.01 or "1%". */
  readonly share: number | string;
  /** A whole number, 0 included. */
  readonly count: number;
  /** 8192 or "8 kB". */
  readonly size: number | string;
  /** A whole number from 1 on is a count; below 1, or as a percentage, a share. */
  readonly amount: number | string;
  /** "2:4". */
  readonly pattern: string;
  /** Above 0. */
  readonly positive: number;
  readonly codebook: { readonly codebook: number | 'int8' | 'ternary' };
}
export type Value = Values[keyof Values];
export type Codebook = Values['codebook']['codebook'];

/** Floor and cap of one layer under a global budget, as shares of that layer. */
export interface LayerLimitsSpec {
  readonly floor?: number | string | undefined;
  readonly cap?: number | string | undefined;
}

/** The keys that determine an amount's meaning without being one. */
export interface MannerSpec {
  readonly norm?: 'l0' | 'l1' | 'l2' | undefined;
  readonly form?: 'constraint' | 'penalty' | undefined;
  readonly scope?: 'global' | 'layer' | undefined;
  readonly layers?: Readonly<Record<string, LayerLimitsSpec>> | undefined;
  /** What is removed: single weights (default), or whole neurons and filters with their bias and BatchNorm parameters. */
  readonly prune?: 'weights' | 'neurons' | undefined;
  /** Whole units: the numbers of channels that stay are multiples of this. Default 1. */
  readonly roundTo?: number | undefined;
  /** Penalty form, l0: what alpha counts: weights or neurons (default), or their FLOPs. */
  readonly cost?: 'count' | 'flops' | undefined;
}

/** A share in few words: 0.05 -> "5%", "5 %" -> "5%". */
export const shareText = (share: Values['share']): string =>
  typeof share === 'number' ? shortPercent(share) : share.replace(/\s+/g, '');

/** parseShare for the value of a key. @throws BudgetError */
export function shareOfKey(key: string, value: Values['share']): number {
  try {
    return parseShare(value);
  } catch {
    throw new BudgetError(key, `${value} is not a share between 0% and 100%`, key.includes('.') ? undefined : '100%');
  }
}

/** parseAmount for the value of a key. @throws BudgetError */
export function amountOfKey(key: string, value: Values['amount']): Amount {
  try {
    return parseAmount(value);
  } catch {
    throw new BudgetError(key, `${value} is neither a number of them nor a share between 0% and 100%`, '100%');
  }
}

/** parseBytes for the value of a key. @throws BudgetError */
export function bytesOfKey(key: string, value: Values['size']): number {
  try {
    return parseBytes(value);
  } catch {
    throw new BudgetError(key, `${value} is not a size such as 8192 or "8 kB"`);
  }
}

/** @returns the value. @throws BudgetError unless it is a positive number. */
export function positiveOfKey(key: string, value: Values['positive']): number {
  if (!(value > 0 && value < Infinity)) throw new BudgetError(key, `${value} is not a positive number`);
  return value;
}
