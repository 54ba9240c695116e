import type { Cell } from './tableCells.js';

/** An open table: its columns' names, and its rows in order. */
export interface Table {
  /** Its name in messages. */
  readonly name: string;
  /** null if the file has no header. */
  readonly names: readonly string[] | null;
  /** The first rows, up to SAMPLE_ROWS: they decide the roles of columns. */
  readonly head: readonly (readonly Cell[])[];
  /** All rows from the first on, once; cells of unrequested columns may be missing. */
  rows(columns: readonly number[]): AsyncIterable<readonly Cell[]>;
  /** The name of row i (from 0) in messages: "line 7", "row 5". */
  rowName(i: number): string;
  /** Meaning of a label column's numbers, if the file states it. */
  classNames(column: number): readonly string[] | null;
  /** Whether the file states that the column only numbers or names its rows. */
  isIndex(column: number): boolean;
  /** Findings about the file, one sentence each; complete once all rows have been read. */
  notes(): readonly string[];
  /** sha256, hex, of the file's bytes; once all rows have been read. */
  hash(): Promise<string> | string;
  /** Closes its files, whether or not its rows have been read. */
  close(): Promise<void>;
}

export const SAMPLE_ROWS = 1000;
