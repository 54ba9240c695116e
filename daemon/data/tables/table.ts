import type { Cell } from './tableCells.js';

/** A table, opened: its columns' names, and its rows in order. */
export interface Table {
  /** How messages call it. */
  readonly name: string;
  /** null where the file has no header. */
  readonly names: readonly string[] | null;
  /** The first rows, up to SAMPLE_ROWS: columns are chosen by them. */
  readonly head: readonly (readonly Cell[])[];
  /** All rows from the first on, once; cells of other columns than these may be missing. */
  rows(columns: readonly number[]): AsyncIterable<readonly Cell[]>;
  /** How messages call row i (from 0): "line 7", "row 5". */
  rowName(i: number): string;
  /** What the numbers of a label column stand for, where the file says so. */
  classNames(column: number): readonly string[] | null;
  /** Whether the file says that the column only numbers or names its rows. */
  isIndex(column: number): boolean;
  /** What was found of the file, one sentence each; once all rows have been read. */
  notes(): readonly string[];
  /** sha256, hex, of the file's bytes; once all rows have been read. */
  hash(): Promise<string> | string;
  /** Closes its files, whether or not its rows have been read. */
  close(): Promise<void>;
}

export const SAMPLE_ROWS = 1000;
