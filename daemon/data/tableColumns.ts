import { invalidData, listText } from './dataError.js';
import type { DataRequirements } from './dataset.js';
import { sizeOf } from './sampleStore.js';
import { imageIn, isNumeric, textOf, type Cell } from './tableCells.js';

/** Which columns are read, by position. */
export interface ColumnChoice {
  readonly inputs: readonly number[];
  readonly labels: readonly number[];
  readonly notes: readonly string[];
}

const LABEL_NAMES = ['label', 'labels', 'class', 'target', 'y', 'species', 'category', 'outcome'];
const INDEX_NAMES = new Set(['', 'id', 'index', 'unnamed: 0']);

/**
 * The columns of the plan, by name or position (from 0); else one label column found by its name or content, and all others
 * as inputs.
 * @param names column names, or null where the table has none.
 * @param sample the first rows.
 */
export function chooseColumns(
  file: string,
  names: readonly string[] | null,
  sample: readonly (readonly Cell[])[],
  stated: { inputs: readonly string[] | null; labels: readonly string[] | null },
  requirements: DataRequirements,
): ColumnChoice {
  const width = sample[0]?.length ?? 0;
  const find = (field: 'inputs' | 'labels') => (column: string) => findColumn(file, names, width, column, field);
  const notes: string[] = [];
  const labels = stated.labels?.map(find('labels')) ?? defaultLabels(names, width, sample, requirements);
  if (!stated.labels) notes.push(`Labels are read from ${describeColumns(names, labels)}.`);
  if (stated.inputs) return { inputs: stated.inputs.map(find('inputs')), labels, notes };
  const all = Array.from({ length: width }, (_, i) => i).filter((i) => !labels.includes(i));
  const images = all.filter((i) => sample.some((row) => imageIn(row[i])));
  if (images.length > 1)
    throw invalidData(
      file,
      `there are images in the ${describeColumns(names, images)}; name one in "data.inputs"`,
      'inputs',
    );
  if (images.length === 1) {
    notes.push(`Images are read from ${describeColumns(names, images)}.`);
    return { inputs: images, labels, notes };
  }
  let inputs = all;
  const wanted = requirements.inputShapes[0] ?? [];
  const known = wanted.every((n) => n !== null) ? sizeOf(wanted as number[]) : null;
  const index = inputs[0];
  if (index !== undefined && inputs.length - 1 === known && names && INDEX_NAMES.has(names[index]!.toLowerCase())) {
    notes.push(`The row numbers in ${describeColumns(names, [index])} are not an input.`);
    inputs = inputs.slice(1);
  }
  return { inputs, labels, notes };
}

/** 'column "species"', 'column 4', "columns 4 to 6". Positions count from 0. */
export function describeColumns(names: readonly string[] | null, columns: readonly number[]): string {
  const text = columns.map((i) => (names ? JSON.stringify(names[i]) : String(i)));
  return `column${columns.length > 1 ? 's' : ''} ${text.length > 4 ? `${text[0]} to ${text.at(-1)}` : text.join(', ')}`;
}

function findColumn(
  file: string,
  names: readonly string[] | null,
  width: number,
  column: string,
  field: 'inputs' | 'labels',
): number {
  const named = names?.indexOf(column) ?? -1;
  if (named >= 0) return named;
  if (/^-?\d+$/.test(column)) {
    const position = Number(column) < 0 ? width + Number(column) : Number(column);
    if (position >= 0 && position < width) return position;
  }
  throw invalidData(
    file,
    `"data.${field}" names the column ${JSON.stringify(column)}, but the table has ${names ? listText(names) : `no header and ${width} columns (0 to ${width - 1})`}`,
    field,
  );
}

/** As many columns as a regression output has values, else one: by name, else the first or last, whichever looks like a class. */
function defaultLabels(
  names: readonly string[] | null,
  width: number,
  sample: readonly (readonly Cell[])[],
  { classification, outputShape }: DataRequirements,
): number[] {
  const lower = names?.map((name) => name.toLowerCase()) ?? [];
  const named = LABEL_NAMES.map((name) => lower.indexOf(name)).find((i) => i >= 0);
  if (named !== undefined) return [named];
  const outputs = sizeOf(outputShape);
  if (!classification)
    return Array.from({ length: Math.min(outputs, width) }, (_, i) => Math.max(0, width - outputs) + i);
  const last = width - 1;
  const classes = Math.max(2, outputs);
  return looksLikeClasses(sample, 0, classes) && !looksLikeClasses(sample, last, classes) ? [0] : [last];
}

function looksLikeClasses(sample: readonly (readonly Cell[])[], column: number, classes: number): boolean {
  const values = new Set(sample.map((row) => textOf(row[column])));
  if (values.size < 2 || values.size > classes) return false;
  return [...values].every(
    (value) => !isNumeric(value) || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= classes),
  );
}
