/**
 * Numbers as people read them: the one way to write counts, sizes, shares and times, for the daemon, the command line, the
 * extension and the page.
 */

let english: Intl.NumberFormat | undefined;

/** 266200 -> "266,200". The formatter is made on first use: a process's first one takes longer than all of an activation. */
export const count = (n: number): string => (english ??= new Intl.NumberFormat('en-US')).format(n);

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

/** The number in the largest unit in which it is one at least, once rounded. */
function scaled(n: number, base: number, units: readonly string[]): [value: number, unit: string] {
  let unit = 0;
  let value = n;
  const rounded = () => (Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
  while (Math.abs(rounded()) >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return [rounded(), units[unit]!];
}

/** Below this share three decimals: two would leave one significant digit, or none. */
const SMALL = 0.001;

const percentDigits = (share: number): number => (share !== 0 && Math.abs(share) < SMALL ? 3 : 2);

/** 0.0193 -> "1.93%", 0.01 -> "1.00%": for figures that stand beside each other. */
export const percent = (share: number, digits = percentDigits(share)): string => `${(100 * share).toFixed(digits)}%`;

/** The same without zeros at the end, 0.01 -> "1%": for figures within a sentence. */
export const shortPercent = (share: number): string => `${Number((100 * share).toFixed(percentDigits(share)))}%`;

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
  value < 1000 ? `${Number(value.toPrecision(3))} µs` : `${Number((value / 1000).toPrecision(3))} ms`;

/** How many times one thing is another: 13.0412 -> "13". */
export const times = (value: number): string => String(Number(value.toPrecision(3)));
