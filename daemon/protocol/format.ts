/**
 * Formats numbers for users: the only module that writes counts, sizes, shares, losses and times, for the daemon, the command line, the extension and
 * the pages (test/guards/numbers.test.ts).
 */

/** Rounded to so many significant digits: 0.012345 -> 0.0123. */
export const rounded = (value: number, digits: number): number => Number(value.toPrecision(digits));

/** So many significant digits at most, without zeros at the end: 13.0412 -> "13.04", 0.5 -> "0.5". */
export const significant = (value: number, digits = 4): string => String(rounded(value, digits));

/** Exactly so many significant digits, 0.5 -> "0.500": for losses and rates beside each other. null: not finite. */
export const figure = (value: number | null, digits = 3): string =>
  value === null || !Number.isFinite(value) ? 'no finite number' : value.toPrecision(digits);

/** Four significant digits, scientific outside [1e-4, 1e6): 12345.678 -> "12350", 0.00001234 -> "1.23e-5", 266200 -> "266,200". */
export function number(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return scientific(value);
  return Number.isInteger(value) ? count(value) : significant(value);
}

/** 0.00012345 -> "1.23e-4"; `digits` behind the point. */
export const scientific = (value: number, digits = 2): string => value.toExponential(digits).replace('e+', 'e');

/** Labels of an axis: 52000 -> "52k", 0.0005 -> "5e-4". */
export function tick(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e4) return shortCount(value);
  return size !== 0 && size < 1e-3 ? rounded(value, 2).toExponential() : significant(value);
}

let english: Intl.NumberFormat | undefined;

/** 266200 -> "266,200". The formatter is made on first use: a process's first one takes longer than the whole activation. */
export const count = (n: number): string => (english ??= new Intl.NumberFormat('en-US')).format(n);

/** A number of things, in English: countOf(1, 'weight') -> "1 weight", of 2 "2 weights". */
export const countOf = (n: number, thing: string): string => `${count(n)} ${thing}${n === 1 ? '' : 's'}`;

const THOUSANDS = ['', 'k', 'M', 'G', 'T', 'P'];

/** Three significant digits with a unit: 533220 -> "533k", 1.2e9 -> "1.2G". Below ten thousand all digits: "9,999". */
export function shortCount(n: number): string {
  const size = Math.abs(n);
  if (!(size >= 1e4)) return count(n);
  const [value, unit] = scaled(n, 1000, THOUSANDS);
  return `${value}${unit}`;
}

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Three significant digits: 15872 -> "15.5 kB". 1 kB = 1024 bytes, as in plans. */
export function bytes(n: number): string {
  const [value, unit] = scaled(n, 1024, BYTES);
  return `${value} ${unit}`;
}

/** The number in the largest unit in which it is at least one, once rounded. */
function scaled(n: number, base: number, units: readonly string[]): [value: number, unit: string] {
  let unit = 0;
  let value = n;
  const shown = () => (Math.abs(value) >= 1000 ? Math.round(value) : rounded(value, 3));
  while (Math.abs(shown()) >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return [shown(), units[unit]!];
}

/** Below this share three decimals: two would leave one significant digit, or none. */
const SMALL = 0.001;

const percentDigits = (share: number): number => (share !== 0 && Math.abs(share) < SMALL ? 3 : 2);

/** 0.0193 -> "1.93%", 0.01 -> "1.00%": for figures beside each other. */
export const percent = (share: number, digits = percentDigits(share)): string => `${(100 * share).toFixed(digits)}%`;

/** The same without zeros at the end, 0.01 -> "1%": for figures within a sentence. */
export const shortPercent = (share: number): string => `${Number((100 * share).toFixed(percentDigits(share)))}%`;

/** A share as plans write it, digits that say something only: 0.012345 -> "1.2345%". */
export const planPercent = (share: number, digits = 6): string => `${rounded(100 * share, digits)}%`;

/** Labels of an axis of shares: 0.1 -> "10%". */
export const percentTick = (share: number): string => planPercent(share, 3);

/** A difference of shares in percentage points, without its sign: two decimals, or as many as leave one digit. 0.012 -> "1.2". */
export function points(difference: number): string {
  const size = Math.abs(100 * difference);
  return String(Number(size >= 0.005 ? size.toFixed(2) : size.toPrecision(1)));
}

/** The figure in a table: "-" if there is none, or it is not finite. */
export const orDash = (value: number | null | undefined, write: (value: number) => string): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '-' : write(value);

/** Seconds -> "45 s", "3 min 20 s", "25 min", "2 h 5 min". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** 12.34 -> "12.3 µs", 1234 -> "1.23 ms". */
export const microseconds = (value: number): string =>
  value < 1000 ? `${significant(value, 3)} µs` : `${significant(value / 1000, 3)} ms`;

/** A ratio: 13.0412 -> "13". */
export const times = (value: number): string => significant(value, 3);

/** Seconds as a clock: "1:05", "2:03:20". */
export function clock(seconds: number): string {
  const s = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  return s < 3600
    ? `${Math.floor(s / 60)}:${two(s % 60)}`
    : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
