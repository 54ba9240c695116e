/** The label columns of a table: classes, or numbers. */
import { wholeNumbers } from '../files/arrayFile.js';
import { invalidData } from '../dataError.js';
import type { RawTargets } from '../rawDataset.js';
import { RowSink } from '../files/rowSink.js';
import { identityIndices } from '../batches/sampleStore.js';
import {
  cellShape,
  imageIn,
  isMissing,
  isNumeric,
  shownCell,
  textOf,
  writeNumbers,
  type Cell,
} from '../tables/tableCells.js';
import { sizeOf } from '../../protocol/shape.js';

export interface LabelColumn {
  append(cells: readonly Cell[]): void;
  finish(): RawTargets;
  /** Frees the temporary file of a column that will not be finished. */
  discard(): void;
}

export interface LabelSource {
  readonly file: string;
  readonly where: string;
  readonly columns: readonly number[];
  /** Names of the columns. */
  readonly names: readonly string[];
  /** Meaning of the column's numbers, if the file states it. */
  readonly classes: readonly string[] | null;
  readonly memoryLimit: number;
  /** "line 7, column \"label\"", of the current row. */
  at(column: number): string;
}

/** In the place of a column, in data whose labels are not read. */
export const noLabelColumn = (where: string): LabelColumn => ({
  append: () => undefined,
  finish: () => ({ kind: 'none', where }),
  discard: () => undefined,
});

/** @param first the first row: it shows which columns are lists. */
export function openLabelColumn(source: LabelSource, first: readonly Cell[], classification: boolean): LabelColumn {
  const single = source.columns.length === 1 && cellShape(first[source.columns[0]!]).length === 0;
  return classification && single ? new ClassColumn(source) : new ValueColumns(source, first);
}

const isLabel = (cell: Cell): boolean =>
  typeof cell !== 'object' || cell instanceof Date || (cell instanceof Uint8Array && imageIn(cell) === null);

/** Class labels: whole numbers when all of them are, else names, numbered in sorted order. */
class ClassColumn implements LabelColumn {
  private readonly numberOf = new Map<string, number>();
  private readonly seen: number[] = [];
  constructor(private readonly source: LabelSource) {}

  append(cells: readonly Cell[]): void {
    const { file, columns } = this.source;
    const [column] = columns;
    const cell = cells[column!];
    const text = isLabel(cell) ? textOf(cell) : '';
    if (text === '')
      throw invalidData(file, `${this.source.at(column!)} has ${shownCell(cell)} where a label is needed`, 'labels');
    let id = this.numberOf.get(text);
    if (id === undefined) this.numberOf.set(text, (id = this.numberOf.size));
    this.seen.push(id);
  }

  finish(): RawTargets {
    const { where, classes } = this.source;
    const found = [...this.numberOf.keys()];
    const numbers = found.map(Number);
    const base = { kind: 'labels', positions: 1, where } as const;
    if (numbers.every((n) => Number.isInteger(n) && Math.abs(n) <= 0x7fffffff)) {
      const labels = Int32Array.from(this.seen, (id) => numbers[id]!);
      return classes ? { ...base, labels, names: classes, numbered: true } : { ...base, labels };
    }
    const fraction = numbers.every(Number.isFinite) ? found[numbers.findIndex((n) => !Number.isInteger(n))] : undefined;
    if (fraction !== undefined)
      throw invalidData(where, `the label ${fraction} is no class: labels must be whole numbers or names`, 'labels');
    const missing = found.filter(isMissing);
    if (missing.length > 0 && found.every((text) => isMissing(text) || isNumeric(text)))
      throw invalidData(
        where,
        `a label is missing (${JSON.stringify(missing[0])}) among numbers: fill it in, or remove the row`,
        'labels',
      );
    const names = [...found].sort();
    const order = new Map(names.map((name, i) => [name, i]));
    const rank = found.map((name) => order.get(name)!);
    return { ...base, labels: Int32Array.from(this.seen, (id) => rank[id]!), names };
  }

  discard(): void {}
}

/** Regression values, one-hot columns, a list of numbers, or a class for each position of a sequence. */
class ValueColumns implements LabelColumn {
  private readonly sink: RowSink;
  private readonly row: Float32Array;
  private readonly shapes: readonly (readonly number[])[];
  private readonly lists: boolean;
  private whole = true;

  constructor(
    private readonly source: LabelSource,
    first: readonly Cell[],
  ) {
    this.shapes = source.columns.map((column) => cellShape(first[column]));
    this.lists = this.shapes.some((shape) => shape.length > 0);
    const width = this.shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    this.sink = new RowSink(source.where, [width], 'f4', source.memoryLimit);
    this.row = new Float32Array(width);
  }

  append(cells: readonly Cell[]): void {
    const { file, columns } = this.source;
    let at = 0;
    columns.forEach((column, i) => {
      const bad = writeNumbers(cells[column], this.shapes[i]!, this.row, at);
      if (bad !== -1) throw noNumber(file, this.source.at(column), cells[column], this.shapes[i]!);
      at += sizeOf(this.shapes[i]!);
    });
    this.whole &&= this.row.every(Number.isInteger);
    this.sink.append(this.row);
  }

  finish(): RawTargets {
    const { where, names } = this.source;
    const store = this.sink.finish();
    // A list of whole numbers may be a class for each position.
    if (this.lists && this.whole && store.resident && store.width > 1) {
      const values = new Float32Array(store.size * store.width);
      void store.gather(identityIndices(store.size), 0, store.size, values);
      return { kind: 'labels', labels: wholeNumbers(values), positions: store.width, where };
    }
    return { kind: 'values', store, ...(names.length === store.width && { names }), where };
  }

  discard(): void {
    this.sink.discard();
  }
}

/** A cell that is not a finite number within float32, or a list of another length than the first row's. */
export function noNumber(file: string, at: string, cell: Cell, shape: readonly number[]): Error {
  const wanted = shape.length === 0 ? 'a finite number is' : `${shape.join(' x ')} finite numbers are`;
  const otherwise = shape.length === 0 ? '' : ', as in the first row';
  return invalidData(
    file,
    `${at} has ${shownCell(cell)} where ${wanted} needed${otherwise}: fill it in, remove the row, write categories as numbers, or leave the column out with "data.inputs"`,
  );
}
