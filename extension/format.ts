/** Numbers in trees, quick picks and notifications. */
let grouped: Intl.NumberFormat | undefined;

/** 266200 -> "266,200". Made on first use: the first formatter of a process takes longer than all of the activation. */
export const count = (value: number): string => (grouped ??= new Intl.NumberFormat('en-US')).format(value);

/** 0.0193 -> "1.93%". */
export function percent(share: number): string {
  const value = share * 100;
  const digits = value !== 0 && Math.abs(value) < 0.1 ? 3 : 2;
  return `${Number(value.toFixed(digits))}%`;
}

/** 15872 -> "15.5 kB" (1 kB = 1024 bytes, as in plans). */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}

/** Seconds -> "45 s", "3 min", "2 h 5 min". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

/** 12.34 -> "12.3 µs", 1234 -> "1.23 ms". */
export const microseconds = (value: number): string =>
  value < 1000 ? `${Number(value.toPrecision(3))} µs` : `${Number((value / 1000).toPrecision(3))} ms`;

/** A share as ten squares: 0.26 -> "■■■□□□□□□□". Anything above zero fills at least one. */
export function bar(share: number): string {
  const full = share <= 0 ? 0 : Math.max(1, Math.round(Math.min(1, share) * 10));
  return '■'.repeat(full) + '□'.repeat(10 - full);
}
