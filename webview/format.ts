/** Numbers as people read them. Everything a chart, a table or a label shows goes through here. */

const NONE = '–';

const grouped = new Intl.NumberFormat('en-US');

/** 266200 -> "266,200". */
export const count = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? NONE : grouped.format(Math.round(value));

/** 0.0193 -> "1.93%"; small shares keep two significant digits. */
export function percent(share: number | null | undefined, digits = 2): string {
  if (share === null || share === undefined) return NONE;
  if (!Number.isFinite(share)) return 'NaN';
  const value = share * 100;
  const small = value !== 0 && Math.abs(value) < 0.1 ? 3 : digits;
  return `${value.toFixed(small)}%`;
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
  if (Number.isInteger(value)) return grouped.format(value);
  return String(Number(value.toPrecision(4)));
}

/** Tick labels: 52000 -> "52k". */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}G`;
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  if (size !== 0 && size < 1e-3) return Number(value.toPrecision(2)).toExponential();
  return String(Number(value.toPrecision(4)));
}

/** Seconds -> "45 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 && s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.round(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

/** Seconds as a clock for the wall axis: "1:05", "2:03:20". */
export function clock(seconds: number): string {
  const s = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  return s < 3600
    ? `${Math.floor(s / 60)}:${two(s % 60)}`
    : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
