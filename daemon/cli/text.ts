/** Numbers and tables as people read them. */

import * as format from '../protocol/format.js';
import { UNLIKE } from '../protocol/runs/errorWords.js';
import { orDash, significant } from '../protocol/format.js';

export { bytes, count, microseconds, orDash, times } from '../protocol/format.js';

export const percent = (fraction: number | null | undefined, digits?: number): string =>
  orDash(fraction, (share) => format.percent(share, digits));

interface ErrorFigures {
  readonly error: number | null;
  readonly absoluteError?: number | undefined;
  /** Data without labels: the error is that against the reference's answers. */
  readonly target?: 'reference' | undefined;
}

/** "error 1.20%", "1.20% unlike the reference", or a regression's unexplained variance and its mean absolute error. */
export function errorText({ error, absoluteError, target }: ErrorFigures): string {
  if (absoluteError === undefined) return target ? `${percent(error)} ${UNLIKE}` : `error ${percent(error)}`;
  const [of, distance] = target
    ? ["the variance of the reference's answers", 'mean distance from them']
    : ['the variance', 'mean absolute error'];
  return `${percent(error)} of ${of} unexplained, ${distance} ${significant(absoluteError)}`;
}

export const duration = (seconds: number | null): string => orDash(seconds, format.duration);

/** Columns aligned by their widest cell; numbers (any cell that starts with a digit, sign or "-") to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const numeric = header.map((_, i) => rows.every((row) => /^[-+\d(]|^$/.test(row[i] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const BARS = '▁▂▃▄▅▆▇█';

/** A curve in one line of text; gaps where a value is missing. */
export function sparkline(values: readonly (number | null)[], width = 40): string {
  const shown =
    values.length <= width
      ? values
      : Array.from({ length: width }, (_, i) => values[Math.floor((i * values.length) / width)] ?? null);
  const finite = shown.filter((value): value is number => value !== null && Number.isFinite(value));
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  return shown
    .map((value) =>
      value === null || !Number.isFinite(value) ? ' ' : BARS[Math.round(((value - low) / span) * (BARS.length - 1))],
    )
    .join('');
}
