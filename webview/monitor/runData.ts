import { ColumnTable } from '../messages/columns.js';
import { decodeFloats } from '../page/base64.js';
import { columnsOf, EXTREMES, type TableName } from '../../daemon/protocol/telemetry/columns.js';
import type { RunView, WirePatch } from '../messages/monitor.js';
import { Smoother } from '../chart/smoothing.js';

export type XAxis = 'step' | 'epoch' | 'time';

const decoded = (columns: Record<string, string>): Record<string, Float64Array> =>
  Object.fromEntries(Object.entries(columns).map(([column, data]) => [column, decodeFloats(data)]));

/** A run as the page has it: its view and its tables, with the smoothed curves derived from them. */
export class RunData {
  readonly #tables = new Map<TableName, ColumnTable>();
  readonly #smoothers = new Map<string, Smoother>();

  constructor(public view: RunView) {}

  get tables(): ReadonlyMap<TableName, ColumnTable> {
    return this.#tables;
  }

  apply(patches: Partial<Record<TableName, WirePatch>>): void {
    for (const [name, patch] of Object.entries(patches) as [TableName, WirePatch][]) {
      let table = this.#tables.get(name);
      if (!table) this.#tables.set(name, (table = new ColumnTable(columnsOf(name))));
      if (patch.reset) table.clear();
      table.append(decoded(patch.columns));
      if (patch.halved) {
        table.halve(EXTREMES);
        table.append(decoded(patch.halved));
      }
      // The smoothed values are of rows that are no longer there.
      if (patch.reset || patch.halved)
        for (const [key, smoother] of this.#smoothers) if (key.startsWith(`${name}:`)) smoother.reset();
    }
  }

  has(table: TableName): boolean {
    return (this.#tables.get(table)?.length ?? 0) > 0;
  }

  x(table: TableName, axis: XAxis): Float64Array {
    return this.#tables.get(table)?.column(axis) ?? new Float64Array(0);
  }

  y(table: TableName, column: string): Float64Array {
    return this.#tables.get(table)?.column(column) ?? new Float64Array(0);
  }

  /** The column after smoothing with `beta`; the same array as `y` for beta = 0. */
  smooth(table: TableName, column: string, beta: number): Float64Array {
    const values = this.y(table, column);
    if (beta === 0) return values;
    const key = `${table}:${column}`;
    let smoother = this.#smoothers.get(key);
    if (smoother?.beta !== beta) this.#smoothers.set(key, (smoother = new Smoother(beta)));
    return smoother.extend(values);
  }
}
