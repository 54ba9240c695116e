import { invalidData } from './dataError.js';
import type { ReadContext } from './openOptions.js';
import type { RawPart, RawTargets } from './rawDataset.js';
import { RowSink } from './rowSink.js';
import type { SourceFile } from './sourceFile.js';
import { chooseColumns, describeColumns, parseNumber, type Cell, type ColumnChoice } from './tableColumns.js';

/** A CSV or parquet file, opened: its columns' names, and its rows in order. */
export interface Table {
  /** null where the file has no header. */
  readonly names: readonly string[] | null;
  readonly rows: AsyncIterable<readonly Cell[]>;
  /** How messages call row i (from 0): "line 7", "row 5". */
  rowName(i: number): string;
}

/** The columns of the training table, for the test table to follow. */
export interface TableSchema {
  readonly names: readonly string[] | null;
  readonly columns: ColumnChoice;
}

const SAMPLE_ROWS = 1000;

/**
 * One part of a data set out of a table: input columns as float32, label columns as classes (numbers, or names in sorted
 * order) or as values.
 * @throws UserError('data-invalid') with row and column of a cell that is no number.
 */
export async function readTablePart(
  file: SourceFile,
  table: Table,
  context: ReadContext,
  schema: TableSchema | null,
): Promise<{ part: RawPart; schema: TableSchema }> {
  const { config, requirements, options } = context;
  if (requirements.inputShapes.length > 1)
    throw invalidData(
      file.name,
      `the model has ${requirements.inputShapes.length} inputs, and a table holds one: use an .npz file`,
      'inputs',
    );
  const iterator = table.rows[Symbol.asyncIterator]();
  const sample: (readonly Cell[])[] = [];
  let sinks: { inputs: RowSink; labels: LabelColumn } | undefined;
  try {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      sample.push(next.value);
      if (sample.length === SAMPLE_ROWS) break;
    }
    if (sample.length === 0) throw invalidData(file.name, 'there are no rows of data in it');
    const columns = schema
      ? sameColumns(file, schema, table.names, sample[0]!.length)
      : chooseColumns(file.name, table.names, sample, config, requirements);
    if (columns.inputs.length === 0)
      throw invalidData(file.name, 'no column is left for the inputs; name them in "data.inputs"', 'inputs');
    const where = `${file.name}, ${describeColumns(table.names, columns.labels)}`;
    const inputs = new RowSink(file.name, [columns.inputs.length], 'f4', options.memoryLimit);
    const oneHot = columns.labels.length > 1;
    const labels: LabelColumn =
      requirements.classification && !oneHot
        ? new ClassColumn(where)
        : new ValueColumns(
            where,
            columns.labels.map((column) => table.names?.[column] ?? String(column)),
            options.memoryLimit,
          );
    sinks = { inputs, labels };
    const row = new Float32Array(columns.inputs.length);
    let count = 0;
    const take = (cells: readonly Cell[]): void => {
      const at = (column: number): string => `${table.rowName(count)}, ${describeColumns(table.names, [column])}`;
      columns.inputs.forEach((column, i) => (row[i] = numberIn(file.name, cells[column], () => at(column))));
      inputs.append(row);
      labels.append(cells, columns.labels, at, file.name);
      count++;
    };
    sample.forEach(take);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) take(next.value);
    const part = { name: file.name, inputs: [inputs.finish()], targets: labels.finish() };
    return { part, schema: { names: table.names, columns } };
  } catch (error) {
    sinks?.inputs.discard();
    sinks?.labels.discard();
    await iterator.return?.();
    throw error;
  }
}

function sameColumns(
  file: SourceFile,
  schema: TableSchema,
  names: readonly string[] | null,
  width: number,
): ColumnChoice {
  const { columns } = schema;
  const locate = (column: number): number => {
    const name = schema.names?.[column];
    const found = name !== undefined && names ? names.indexOf(name) : column;
    if (found >= 0 && found < width) return found;
    throw invalidData(file.name, `the test set lacks ${describeColumns(schema.names, [column])} of the training set`);
  };
  return { inputs: columns.inputs.map(locate), labels: columns.labels.map(locate), notes: [] };
}

/** @throws UserError unless the cell is a finite number within float32. */
function numberIn(file: string, cell: Cell, at: () => string): number {
  const value = typeof cell === 'string' ? parseNumber(cell) : cell === null || cell === undefined ? NaN : Number(cell);
  if (Number.isFinite(Math.fround(value))) return value;
  const shown =
    cell === null || cell === undefined || cell === '' ? 'an empty cell' : JSON.stringify(String(cell).slice(0, 40));
  throw invalidData(
    file,
    `${at()} has ${shown} where a finite number is needed: fill it in, remove the row, or leave the column out with "data.inputs"`,
  );
}

interface LabelColumn {
  append(cells: readonly Cell[], columns: readonly number[], at: (column: number) => string, file: string): void;
  finish(): RawTargets;
  /** Frees what a column that will not be finished holds on disk. */
  discard(): void;
}

/** Class labels: whole numbers when all of them are, else names, numbered in sorted order. */
class ClassColumn implements LabelColumn {
  private readonly numberOf = new Map<string, number>();
  private readonly seen: number[] = [];
  constructor(private readonly where: string) {}

  append(cells: readonly Cell[], columns: readonly number[], at: (column: number) => string, file: string): void {
    const cell = cells[columns[0]!];
    const text = cell === null || cell === undefined ? '' : String(cell).trim();
    if (text === '') throw invalidData(file, `${at(columns[0]!)} has an empty cell where a label is needed`, 'labels');
    let id = this.numberOf.get(text);
    if (id === undefined) this.numberOf.set(text, (id = this.numberOf.size));
    this.seen.push(id);
  }

  finish(): RawTargets {
    const found = [...this.numberOf.keys()];
    const numbers = found.map(Number);
    if (numbers.every((n) => Number.isInteger(n) && Math.abs(n) <= 0x7fffffff))
      return {
        kind: 'labels',
        labels: Int32Array.from(this.seen, (id) => numbers[id]!),
        positions: 1,
        where: this.where,
      };
    const fraction = numbers.every(Number.isFinite) ? found[numbers.findIndex((n) => !Number.isInteger(n))] : undefined;
    if (fraction !== undefined)
      throw invalidData(
        this.where,
        `the label ${fraction} is no class: labels must be whole numbers or names`,
        'labels',
      );
    const names = [...found].sort();
    const order = new Map(names.map((name, i) => [name, i]));
    const rank = found.map((name) => order.get(name)!);
    return {
      kind: 'labels',
      labels: Int32Array.from(this.seen, (id) => rank[id]!),
      positions: 1,
      names,
      where: this.where,
    };
  }

  discard(): void {}
}

/** Regression values, or one-hot columns. */
class ValueColumns implements LabelColumn {
  private readonly sink: RowSink;
  private readonly row: Float32Array;
  constructor(
    private readonly where: string,
    private readonly names: readonly string[],
    memoryLimit: number,
  ) {
    this.sink = new RowSink(where, [names.length], 'f4', memoryLimit);
    this.row = new Float32Array(names.length);
  }

  append(cells: readonly Cell[], columns: readonly number[], at: (column: number) => string, file: string): void {
    columns.forEach((column, i) => (this.row[i] = numberIn(file, cells[column], () => at(column))));
    this.sink.append(this.row);
  }

  finish(): RawTargets {
    return { kind: 'values', store: this.sink.finish(), names: this.names, where: this.where };
  }

  discard(): void {
    this.sink.discard();
  }
}
