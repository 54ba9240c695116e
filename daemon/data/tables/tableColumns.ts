import { countText, invalidData, listText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { inputColumns, listedColumns, namedColumns } from '../inputs/inputColumns.js';
import { statedByInput, type StatedInputs } from '../inputs/inputNames.js';
import { labelNamesFor } from '../labels/labelNames.js';
import { imageIn, isNumeric, numberOf, textOf, type Cell } from './tableCells.js';
import { SAMPLE_ROWS, type Table } from './table.js';
import { sizeOf } from '../../protocol/shape.js';

/** Which columns are read, by position. */
export interface ColumnChoice {
  /** Of each input of the model. */
  readonly inputs: readonly (readonly number[])[];
  readonly labels: readonly number[];
  /** Of the other outputs whose targets are wanted and exist, by their paths. */
  readonly others: ReadonlyMap<string, readonly number[]>;
  readonly notes: readonly string[];
}

const LABEL_NAMES = ['label', 'labels', 'class', 'target', 'y', 'species', 'category', 'outcome'];
const INDEX_NAMES = new Set(['', 'id', 'index', 'unnamed: 0', '__index_level_0__', 'rownames']);

/**
 * The columns that the plan names, by name or position (from 0). Without names: label columns found by their name or content, and as inputs all
 * others except empty ones and those that number the rows.
 */
export function chooseColumns(
  table: Pick<Table, 'name' | 'names' | 'head' | 'isIndex'>,
  stated: { inputs: StatedInputs; labels: readonly string[] | false | null },
  requirements: DataRequirements,
): ColumnChoice {
  const chosen = ownColumns(table, stated, requirements);
  const { names, head } = table;
  const taken = [...chosen.inputs.flat(), ...chosen.labels];
  const free = (head[0] ?? []).map((_, i) => i).filter((i) => !taken.includes(i));
  if (stated.labels === false) return { ...chosen, others: new Map() };
  const others = (requirements.others ?? []).map(({ output }) => [output, outputColumns(names, free, output)] as const);
  return { ...chosen, others: new Map(others.filter(([, columns]) => columns.length > 0)) };
}

function ownColumns(
  { name: file, names, head: sample, isIndex }: Pick<Table, 'name' | 'names' | 'head' | 'isIndex'>,
  stated: { inputs: StatedInputs; labels: readonly string[] | false | null },
  requirements: DataRequirements,
): Omit<ColumnChoice, 'others'> {
  const width = sample[0]?.length ?? 0;
  const find = (field: 'inputs' | 'labels') => (column: string) => findColumn(file, names, width, column, field);
  const notes: string[] = [];
  const empty: number[] = [];
  const filled: number[] = [];
  for (let i = 0; i < width; i++) (sample.every((row) => textOf(row[i]) === '') ? empty : filled).push(i);
  const listed = stated.labels === false ? [] : stated.labels?.map(find('labels'));
  const labels = listed ?? ownLabels(names, filled, sample, requirements);
  if (!listed) notes.push(`Labels are read from ${describeColumns(names, labels)}.`);
  const assigned = statedByInput(file, stated.inputs, requirements)?.map((group) => group.map(find('inputs')));
  if (assigned) return { inputs: assigned, labels, notes };
  if (stated.inputs)
    return {
      inputs: listedColumns(file, (stated.inputs as readonly string[]).map(find('inputs')), requirements),
      labels,
      notes,
    };
  const others = otherLabels(names, filled, labels, requirements);
  if (others.length > 0) notes.push(`Targets of other outputs are not an input: ${describeColumns(names, others)}.`);
  const all = filled.filter((i) => !labels.includes(i) && !others.includes(i));
  if (empty.length > 0)
    notes.push(
      `Left out, as ${sample.length < SAMPLE_ROWS ? 'there is' : `its first ${countText(SAMPLE_ROWS)} rows have`} nothing in it: ${describeColumns(names, empty)}.`,
    );
  if (requirements.inputShapes.length > 1) {
    const rows = all.filter((i) => !isIndex(i));
    const { inputs, note } = inputColumns(file, names, rows, requirements);
    return { inputs, labels, notes: note === null ? notes : [...notes, note] };
  }
  const named = namedColumns(names, all, requirements);
  if (named && named.length < all.length) {
    notes.push(`Inputs are read from ${describeColumns(names, named)}, named after the model's input.`);
    return { inputs: [named], labels, notes };
  }
  const images = all.filter((i) => sample.some((row) => imageIn(row[i])));
  if (images.length > 1)
    throw invalidData(
      file,
      `there are images in the ${describeColumns(names, images)}; name one in "data.inputs"`,
      'inputs',
    );
  if (images.length === 1) {
    notes.push(`Images are read from ${describeColumns(names, images)}.`);
    return { inputs: [images], labels, notes };
  }
  const known = inputWidth(requirements);
  const counting = all.filter((i) => isIndex(i));
  const byName = all.filter((i) => !isIndex(i) && names && INDEX_NAMES.has(names[i]!.toLowerCase()));
  // Columns that the file itself marks as an index are dropped first; one with an index's usual name is dropped only to reach the input's width.
  const choices = [counting, [...counting, ...byName.slice(0, 1)], byName.slice(0, 1)].filter(
    (dropped) => dropped.length > 0 && (known === null ? dropped === counting : all.length - dropped.length === known),
  );
  const dropped = all.length === known ? [] : (choices[0] ?? []);
  if (dropped.length > 0) {
    const counts = sample.every((row) => dropped.every((i) => Number.isFinite(numberOf(row[i]))));
    notes.push(`The row ${counts ? 'numbers' : 'names'} in ${describeColumns(names, dropped)} are not an input.`);
  }
  const rest = all.filter((i) => !dropped.includes(i));
  const texts = known === null || rest.length === known ? [] : textColumns(rest, sample, [counting, byName.slice(0, 1), []], known); // prettier-ignore
  if (texts.length > 0) notes.push(`Texts are not an input, and the other columns fit: left out are ${describeColumns(names, texts)}.`); // prettier-ignore
  return { inputs: [rest.filter((i) => !texts.includes(i))], labels, notes };
}

/** A date, a percentage, an ambiguous number: only the plan can exclude such a column. */
const BEGINS_AS_NUMBER = /^\s*[-+$€£]?\.?\d/;

/**
 * Columns of texts only (names, comments), with row numbers, if the remaining columns have exactly the input's width; none if they do not.
 * @param numbering columns of row numbers that may be dropped with them, likeliest first.
 */
function textColumns(
  columns: readonly number[],
  sample: readonly (readonly Cell[])[],
  numbering: readonly (readonly number[])[],
  width: number,
): readonly number[] {
  const isWord = (cell: Cell) => textOf(cell) === '' || (isText(cell) && !BEGINS_AS_NUMBER.test(textOf(cell)));
  const texts = columns.filter((i) => sample.every((row) => isWord(row[i])));
  if (texts.length === 0) return [];
  const choices = numbering.map((rows) => columns.filter((i) => texts.includes(i) || rows.includes(i)));
  return choices.find((choice) => columns.length - choice.length === width) ?? [];
}

/** Number of values of a sample, if the model has one input of a known size. */
function inputWidth({ inputShapes }: DataRequirements): number | null {
  const wanted = inputShapes[0] ?? [];
  return wanted.every((n) => n !== null) ? sizeOf(wanted as number[]) : null;
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

/** Columns named after an output: "reg", or "reg_0", "reg_1". */
function outputColumns(names: readonly string[] | null, columns: readonly number[], output: string): number[] {
  const stems = labelNamesFor(output).map((name) => name.toLowerCase());
  const lower = (i: number): string => names![i]!.toLowerCase();
  if (!names) return [];
  const whole = columns.find((i) => stems.includes(lower(i)));
  if (whole !== undefined) return [whole];
  for (const stem of stems) {
    const members = columns.filter(
      (i) => lower(i).startsWith(stem) && /^[_.[-]?\d+\]?$/.test(lower(i).slice(stem.length)),
    );
    if (members.length > 0) return members;
  }
  return [];
}

/** Columns of the targets of untrained outputs. */
function otherLabels(
  names: readonly string[] | null,
  columns: readonly number[],
  labels: readonly number[],
  { output, outputNames = [] }: DataRequirements,
): number[] {
  return outputNames
    .filter((name) => name !== output)
    .flatMap((name) => outputColumns(names, columns, name))
    .filter((column) => !labels.includes(column));
}

/** The columns named after the output; else, among those that are not named after another output, the usual ones. */
function ownLabels(
  names: readonly string[] | null,
  columns: readonly number[],
  sample: readonly (readonly Cell[])[],
  requirements: DataRequirements,
): number[] {
  const { outputShape, output } = requirements;
  const own = output === undefined ? [] : outputColumns(names, columns, output);
  if (own.length === 1 || own.length === sizeOf(outputShape)) return own;
  const theirs = otherLabels(names, columns, [], requirements);
  return defaultLabels(names, columns.filter((i) => !theirs.includes(i)), sample, requirements); // prettier-ignore
}

/**
 * As many columns as a regression output has values. For a classifier one column: by name, else one-hot columns, else the only text column, else the
 * first or last if it looks like a class.
 */
function defaultLabels(
  names: readonly string[] | null,
  columns: readonly number[],
  sample: readonly (readonly Cell[])[],
  requirements: DataRequirements,
): number[] {
  const { classification, outputShape } = requirements;
  const named = LABEL_NAMES.map((name) => columns.find((i) => names?.[i]?.toLowerCase() === name)).find(
    (i) => i !== undefined,
  );
  if (named !== undefined) return [named];
  const outputs = sizeOf(outputShape);
  if (!classification) return columns.slice(-outputs);
  const classes = Math.max(2, outputs);
  if (columns.length - classes === inputWidth(requirements))
    for (const window of [columns.slice(-classes), columns.slice(0, classes)])
      if (areOneHot(sample, window)) return window;
  const texts = columns.filter((i) => sample.every((row) => isText(row[i])));
  const [only] = texts;
  if (only !== undefined && texts.length === 1 && looksLikeClasses(sample, only, classes)) return [only];
  const [first, last] = [columns[0]!, columns.at(-1)!];
  return looksLikeClasses(sample, first, classes) && !looksLikeClasses(sample, last, classes) ? [first] : [last];
}

const isText = (cell: Cell): boolean => typeof cell === 'string' && cell.trim() !== '' && Number.isNaN(numberOf(cell));

/** Whether every row has one 1 among zeros in these columns, and each of them has a 1. */
function areOneHot(sample: readonly (readonly Cell[])[], columns: readonly number[]): boolean {
  const seen = new Set<number>();
  return (
    sample.every((row) => {
      const values = columns.map((i) => numberOf(row[i]));
      seen.add(values.indexOf(1));
      return values.every((value) => value === 0 || value === 1) && values.filter((value) => value === 1).length === 1;
    }) && seen.size === columns.length
  );
}

function looksLikeClasses(sample: readonly (readonly Cell[])[], column: number, classes: number): boolean {
  const values = new Set(sample.map((row) => textOf(row[column])));
  if (values.size < 2 || values.size > classes) return false;
  return [...values].every(
    (value) => !isNumeric(value) || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= classes),
  );
}
