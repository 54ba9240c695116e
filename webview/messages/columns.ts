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

  /**
   * Halves the rows in place. Of every four rows the two with the extremes of `extremes` stay, so peaks, and values that are
   * not finite, survive any number of halvings.
   */
  thin(extremes: string): void {
    const y = this.column(extremes);
    let to = 0;
    for (let from = 0; from < this.#length; from += 4) {
      const end = Math.min(from + 4, this.#length);
      let low = -1;
      let high = -1;
      let broken = -1;
      for (let i = from; i < end; i++) {
        const value = y[i]!;
        if (!Number.isFinite(value)) broken = i;
        else {
          if (low < 0 || value < y[low]!) low = i;
          if (high < 0 || value > y[high]!) high = i;
        }
      }
      if (broken >= 0) low = broken;
      if (high < 0) high = low;
      const kept = low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
      for (const i of kept) {
        for (const column of this.#columns) column[to] = column[i]!;
        to++;
      }
    }
    this.#length = to;
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
