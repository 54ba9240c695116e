/** Columns of a table with the targets of outputs other than the trained one. An error in them does not fail the others. */
import { UserError } from '../../protocol/errors.js';
import type { OtherOutput } from '../dataset.js';
import type { LabelColumn } from '../labels/labelColumns.js';
import type { RawTargets } from '../rawDataset.js';
import type { Cell } from './tableCells.js';

export class OtherColumns {
  /** By the outputs' paths; a text says why the column cannot be read. */
  private readonly columns = new Map<string, LabelColumn | string>();

  /** @param places columns of each output, by its path. */
  constructor(
    outputs: readonly OtherOutput[],
    places: ReadonlyMap<string, readonly number[]>,
    open: (columns: readonly number[], classification: boolean) => LabelColumn,
  ) {
    for (const { output, classification } of outputs) {
      const columns = places.get(output);
      if (columns) this.unlessRefused(output, () => this.columns.set(output, open(columns, classification)));
    }
  }

  append(cells: readonly Cell[]): void {
    for (const [output, column] of this.columns) {
      if (typeof column === 'string') continue;
      this.unlessRefused(output, () => column.append(cells));
    }
  }

  finish(): ReadonlyMap<string, RawTargets | string> {
    const targets = new Map<string, RawTargets | string>();
    for (const [output, column] of this.columns) {
      if (typeof column === 'string') continue;
      this.unlessRefused(output, () => targets.set(output, column.finish()));
    }
    for (const [output, column] of this.columns) if (typeof column === 'string') targets.set(output, column);
    return targets;
  }

  discard(): void {
    for (const column of this.columns.values()) if (typeof column !== 'string') column.discard();
  }

  private unlessRefused(output: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const column = this.columns.get(output);
      if (column !== undefined && typeof column !== 'string') column.discard();
      this.columns.set(output, error.message);
    }
  }
}
