/** Numbers as people read them. Everything a chart, a table or a label shows goes through here. */

import * as format from '../../daemon/protocol/format.js';

export { bytes, shortCount } from '../../daemon/protocol/format.js';

const NONE = '–';

/** 266200 -> "266,200". */
export const count = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? NONE : format.count(Math.round(value));

/** 0.0193 -> "1.93%"; small shares have three decimals. */
export function percent(share: number | null | undefined, digits?: number): string {
  if (share === null || share === undefined) return NONE;
  return Number.isFinite(share) ? format.percent(share, digits) : 'NaN';
}

/** Tick labels of shares: 0.1 -> "10%". */
export const percentTick = (share: number): string => `${Number((share * 100).toPrecision(3))}%`;

/** Four significant digits, scientific outside [1e-4, 1e6). */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential(2).replace('e+', 'e');
  if (Number.isInteger(value)) return format.count(value);
  return String(Number(value.toPrecision(4)));
}

/** Tick labels: 52000 -> "52k"; short ones as they are, very small ones as powers. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e4) return format.shortCount(value);
  if (size !== 0 && size < 1e-3) return Number(value.toPrecision(2)).toExponential();
  return String(Number(value.toPrecision(4)));
}

/** Seconds -> "45 s", "3 min 20 s", "2 h 5 min". */
export const duration = (seconds: number | null | undefined): string =>
  seconds === null || seconds === undefined || !Number.isFinite(seconds) ? NONE : format.duration(seconds);

/** Seconds as a clock for the wall axis: "1:05", "2:03:20". */
export function clock(seconds: number): string {
  const s = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  return s < 3600
    ? `${Math.floor(s / 60)}:${two(s % 60)}`
    : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
