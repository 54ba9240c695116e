import { sha256 } from '../files/arrayFile.js';
import { invalidData, shapeText } from '../dataError.js';
import { loadDecoder } from '../images/decodeImage.js';
import { imageSize, ImageSink, IMAGES_AT_ONCE, type EncodedImage } from '../images/imageSink.js';
import { noLabelColumn, noNumber, openLabelColumn, type LabelColumn } from '../labels/labelColumns.js';
import { OtherColumns } from './otherColumns.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset, RawPart, SourceFields } from '../rawDataset.js';
import { RowSink } from '../files/rowSink.js';
import { type SampleStore } from '../batches/sampleStore.js';
import type { Table } from './table.js';
import { cellShape, imageIn, shownCell, writeNumbers, type Cell } from './tableCells.js';
import { chooseColumns, describeColumns, type ColumnChoice } from './tableColumns.js';
import { sizeOf } from '../../protocol/shape.js';

/** The columns of the training table, which the test table must have too. */
interface TableSchema {
  readonly names: readonly string[] | null;
  readonly columns: ColumnChoice;
}

/** One or two tables as the parts of a data set. */
export async function readTables(
  train: Table,
  openTest: (() => Promise<Table>) | null,
  context: ReadContext,
): Promise<RawDataset> {
  let test: Table | null = null;
  try {
    const first = await readPart(train, context, null);
    test = openTest && (await openTest());
    const second = test && (await readPart(test, context, first.schema));
    const hash = await train.hash();
    return {
      title: `Table ${train.name}`,
      fields: fieldsOf(first.schema, train.head[0]!.length),
      train: first.part,
      ...(second && { test: second.part }),
      hash: test ? sha256(hash, await test.hash()) : hash,
      notes: [...train.notes(), ...first.schema.columns.notes, ...first.notes],
    };
  } finally {
    await train.close();
    await test?.close();
  }
}

/** Columns by their names, or by their positions as in a plan. */
function fieldsOf({ names, columns }: TableSchema, width: number): SourceFields {
  const nameOf = (column: number): string => names?.[column] ?? String(column);
  return {
    kind: 'columns',
    names: Array.from({ length: width }, (_, column) => nameOf(column)),
    inputs: columns.inputs.map((group) => group.map(nameOf)),
    labels: columns.labels.map(nameOf),
  };
}

/**
 * One part of a data set from a table: input columns as float32 (or images, decoded), label columns as classes (numbers, or names in sorted order) or
 * as values.
 * @throws UserError('data-invalid') with row and column of a cell that is not a number.
 */
async function readPart(
  table: Table,
  context: ReadContext,
  schema: TableSchema | null,
): Promise<{ part: RawPart; schema: TableSchema; notes: readonly string[] }> {
  const { config, requirements, options } = context;
  const { name, names, head } = table;
  if (head.length === 0) throw invalidData(name, 'there are no rows of data in it');
  const columns = schema
    ? sameColumns(name, schema, names, head[0]!.length)
    : chooseColumns(table, config, requirements);
  if (columns.inputs.some((group) => group.length === 0))
    throw invalidData(name, 'no column is left for the inputs; name them in "data.inputs"', 'inputs');
  let count = 0;
  const at = (column: number): string => `${table.rowName(count)}, ${describeColumns(names, [column])}`;
  const openLabels = (chosen: readonly number[], classification: boolean) =>
    openLabelColumn(
      {
        file: name,
        where: `${name}, ${describeColumns(names, chosen)}`,
        columns: chosen,
        names: chosen.map((column) => names?.[column] ?? String(column)),
        classes: chosen.length === 1 ? table.classNames(chosen[0]!) : null,
        memoryLimit: options.memoryLimit,
        at,
      },
      head[0]!,
      classification,
    );
  const labels =
    config.labels === false ? noLabelColumn(name) : openLabels(columns.labels, requirements.classification);
  const others = new OtherColumns(requirements.others ?? [], columns.others, openLabels);
  const inputs: InputColumns[] = [];
  try {
    for (const [i, group] of columns.inputs.entries()) {
      const images = group.length === 1 && head.some((row) => imageIn(row[group[0]!]));
      inputs.push(
        images
          ? await ImageColumn.open(table, group[0]!, requirements.inputShapes[i]!, options, at)
          : new NumberColumns(name, group, head[0]!, options.memoryLimit, at),
      );
    }
    const read = [...columns.inputs.flat(), ...columns.labels, ...[...columns.others.values()].flat()];
    for await (const cells of table.rows([...new Set(read)])) {
      for (const input of inputs) {
        const pending = input.append(cells);
        if (pending) await pending;
      }
      labels.append(cells);
      others.append(cells);
      count++;
    }
    const stores: SampleStore[] = [];
    for (const input of inputs) stores.push(await input.finish());
    const part = { name, inputs: stores, targets: labels.finish(), others: others.finish() };
    return { part, schema: { names, columns }, notes: inputs.flatMap((input) => input.notes) };
  } catch (error) {
    for (const input of inputs) input.discard();
    labels.discard();
    others.discard();
    throw error;
  }
}

function sameColumns(file: string, schema: TableSchema, names: readonly string[] | null, width: number): ColumnChoice {
  const { columns } = schema;
  const locate = (column: number): number => {
    const name = schema.names?.[column];
    const found = name !== undefined && names ? names.indexOf(name) : column;
    if (found >= 0 && found < width) return found;
    throw invalidData(file, `the test set lacks ${describeColumns(schema.names, [column])} of the training set`);
  };
  const named = (column: number) => names?.includes(schema.names?.[column] ?? '') ?? column < width;
  const others = [...columns.others].filter(([, own]) => own.every(named));
  return {
    inputs: columns.inputs.map((group) => group.map(locate)),
    labels: columns.labels.map(locate),
    others: new Map(others.map(([output, own]) => [output, own.map(locate)])),
    notes: [],
  };
}

interface InputColumns extends Pick<LabelColumn, 'discard'> {
  readonly notes: readonly string[];
  append(cells: readonly Cell[]): void | Promise<void>;
  finish(): SampleStore | Promise<SampleStore>;
}

/** Numbers, one or a list of them per cell, side by side. A single column of lists keeps its shape. */
class NumberColumns implements InputColumns {
  readonly notes = [];
  private readonly shapes: readonly (readonly number[])[];
  private readonly sink: RowSink;
  private readonly row: Float32Array;

  constructor(
    private readonly file: string,
    private readonly columns: readonly number[],
    first: readonly Cell[],
    memoryLimit: number,
    private readonly at: (column: number) => string,
  ) {
    this.shapes = columns.map((column) => cellShape(first[column]));
    const width = this.shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    if (width === 0) throw invalidData(file, `${at(columns[0]!)} has an empty list where numbers are needed`, 'inputs');
    const [only] = this.shapes;
    this.sink = new RowSink(file, columns.length === 1 && only!.length > 0 ? only! : [width], 'f4', memoryLimit);
    this.row = new Float32Array(width);
  }

  append(cells: readonly Cell[]): void {
    let start = 0;
    for (let i = 0; i < this.columns.length; i++) {
      const [column, shape] = [this.columns[i]!, this.shapes[i]!];
      if (writeNumbers(cells[column], shape, this.row, start) !== -1)
        throw noNumber(this.file, this.at(column), cells[column], shape);
      start += sizeOf(shape);
    }
    this.sink.append(this.row);
  }

  finish(): SampleStore {
    return this.sink.finish();
  }

  discard(): void {
    this.sink.discard();
  }
}

/** A column of PNG or JPEG files, decoded as in an image folder. */
class ImageColumn implements InputColumns {
  private waiting: EncodedImage[] = [];

  private constructor(
    private readonly file: string,
    private readonly column: number,
    private readonly images: ImageSink,
    private readonly opening: readonly string[],
    private readonly at: (column: number) => string,
  ) {}

  static async open(
    { name, head }: Table,
    column: number,
    shape: readonly (number | null)[],
    options: ReadContext['options'],
    at: (column: number) => string,
  ): Promise<ImageColumn> {
    const decode = loadDecoder(options.workspace);
    const size = await imageSize(name, { inputShapes: [shape] }, decode, async () => ({
      name: `${name}, ${at(column)}`,
      bytes: head.map((row) => imageIn(row[column])).find((bytes) => bytes !== null)!,
    }));
    const notes = [`Images are read as ${shapeText(size)}.`];
    return new ImageColumn(name, column, new ImageSink(name, size, decode, options.memoryLimit), notes, at);
  }

  append(cells: readonly Cell[]): void | Promise<void> {
    const cell = cells[this.column];
    const bytes = imageIn(cell);
    if (!bytes)
      throw invalidData(
        this.file,
        `${this.at(this.column)} has ${shownCell(cell)} where a PNG or JPEG file is needed; remove the row, or store the images in the table`,
      );
    this.waiting.push({ name: `${this.file}, ${this.at(this.column)}`, bytes });
    if (this.waiting.length < IMAGES_AT_ONCE) return;
    return this.decodeWaiting();
  }

  private decodeWaiting(): Promise<void> {
    const group = this.waiting;
    this.waiting = [];
    return this.images.append(group);
  }

  get notes(): readonly string[] {
    return [...this.opening, ...this.images.notes()];
  }

  async finish(): Promise<SampleStore> {
    await this.decodeWaiting();
    return this.images.finish();
  }

  discard(): void {
    this.images.discard();
  }
}
