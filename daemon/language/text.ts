/** Formats shapes, and converts positions in a text. */
import type { Position, Range } from 'vscode-languageserver-protocol/node';

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
