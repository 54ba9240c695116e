import { downsample } from '../../daemon/protocol/telemetry/downsample.js';

/** A growing table of Float64 columns: what the host keeps of a run and what the page draws. */
export class ColumnTable {
  #columns: Float64Array[];
  #length = 0;

  constructor(
    readonly names: readonly string[],
    capacity = 256,
  ) {
    this.#columns = names.map(() => new Float64Array(capacity));
  }

  get length(): number {
    return this.#length;
  }

  /** The rows of a column, without a copy; valid until the next change. */
  column(name: string): Float64Array {
    const index = this.names.indexOf(name);
    if (index < 0) throw new Error(`No column "${name}".`);
    return this.#columns[index]!.subarray(0, this.#length);
  }

  /** One row; null becomes NaN. */
  push(row: readonly (number | null)[]): void {
    this.#reserve(this.#length + 1);
    row.forEach((value, i) => {
      this.#columns[i]![this.#length] = value ?? NaN;
    });
    this.#length++;
  }

  /** Rows of all columns at once. */
  append(columns: Readonly<Record<string, ArrayLike<number>>>): void {
    const rows = columns[this.names[0]!]?.length ?? 0;
    this.#reserve(this.#length + rows);
    this.names.forEach((name, i) => this.#columns[i]!.set(columns[name]!, this.#length));
    this.#length += rows;
  }

  /** A copy of rows [from, length), ready to post. */
  slice(from = 0): Record<string, Float64Array> {
    return Object.fromEntries(this.names.map((name, i) => [name, this.#columns[i]!.slice(from, this.#length)]));
  }

  clear(): void {
    this.#length = 0;
  }

  /** Drops the rows from `length` on. */
  truncate(length: number): void {
    this.#length = Math.max(0, Math.min(this.#length, length));
  }

  /** Keeps at most half of the rows: peaks of the column `extremes`, values that are not finite, and both ends stay. */
  halve(extremes: string): void {
    const rows = downsample(this.column(extremes), this.#length >> 1);
    for (const column of this.#columns) rows.forEach((row, to) => (column[to] = column[row]!));
    this.#length = rows.length;
  }

  #reserve(rows: number): void {
    const capacity = this.#columns[0]!.length;
    if (rows <= capacity) return;
    const grown = Math.max(rows, capacity * 2);
    this.#columns = this.#columns.map((column) => {
      const larger = new Float64Array(grown);
      larger.set(column.subarray(0, this.#length));
      return larger;
    });
  }
}
