/** Numbers for people, and where things are in a text. */
import type { Position, Range } from 'vscode-languageserver-protocol/node';

let english: Intl.NumberFormat | undefined;
/** Made on first use: it takes longer than the rest of this module. */
export const grouped = (n: number): string => (english ??= new Intl.NumberFormat('en-US')).format(n);

/** 1 kB = 1024 bytes, as in plan files. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const [value, unit] =
    bytes < 1024 ** 2
      ? [bytes / 1024, 'kB']
      : bytes < 1024 ** 3
        ? [bytes / 1024 ** 2, 'MB']
        : [bytes / 1024 ** 3, 'GB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** 532400 -> "532 k", 1.2e9 -> "1.2 G". */
export function shortCount(n: number): string {
  for (const [limit, unit] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (n >= limit) return `${Number((n / limit).toPrecision(3))} ${unit}`;
  }
  return String(n);
}

export const percent = (share: number, digits = 3): string => `${Number((100 * share).toPrecision(digits))}%`;

export const shapeText = (shape: readonly (number | null)[] | null): string =>
  shape ? `[${shape.map((extent) => extent ?? '?').join(', ')}]` : '[?]';

/** Offsets of line starts, for positions without a document object. */
export class LineIndex {
  readonly #starts: number[] = [0];
  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }
  positionAt(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: offset - this.#starts[low]! };
  }
  range(offset: number, length: number): Range {
    return { start: this.positionAt(offset), end: this.positionAt(offset + length) };
  }
}
