/** Numbers in a page: formatted by protocol/format.ts, with a dash for a missing one. */
import * as format from '../../daemon/protocol/format.js';

export { bytes, clock, percentTick, shortCount, tick } from '../../daemon/protocol/format.js';

const NONE = '–';
type Maybe = number | null | undefined;
const isThere = (value: Maybe): value is number => value !== null && value !== undefined;

/** 266200 -> "266,200". */
export const count = (value: Maybe): string =>
  isThere(value) && Number.isFinite(value) ? format.count(Math.round(value)) : NONE;

/** 0.0193 -> "1.93%"; small shares have three decimals. */
export function percent(share: Maybe, digits?: number): string {
  if (!isThere(share)) return NONE;
  return Number.isFinite(share) ? format.percent(share, digits) : 'NaN';
}

/** Four significant digits, scientific outside [1e-4, 1e6). */
export const number = (value: Maybe): string => (isThere(value) ? format.number(value) : NONE);

/** Seconds -> "45 s", "3 min 20 s", "2 h 5 min". */
export const duration = (seconds: Maybe): string =>
  isThere(seconds) && Number.isFinite(seconds) ? format.duration(seconds) : NONE;
