/**
 * Label mappings: which class (output of the model) each label of the data stands for. Data seldom defines it: names have no order of their own,
 * numbers may count from 0 or from 1. `labelEncodings` lists the mappings that fit, the default first; the loss of a reference chooses among them
 * (chooseMapping.ts), or the plan's "data.classes".
 */
import type { ClassOrder } from '../../protocol/plan.js';
import { countText, invalidData, listText } from '../dataError.js';
import type { LabelTargets } from '../rawDataset.js';

export interface LabelEncoding {
  /** As in a plan's "data.classes". */
  readonly order: Exclude<ClassOrder, 'auto'> | readonly string[];
  /** In words: "sorted as text". */
  readonly text: string;
  /** Names of the model's classes. Absent for targets that are numbers. */
  readonly classes?: readonly string[];
  /** The class of a stored label. */
  readonly classOf: ReadonlyMap<number, number>;
  /** One sentence for the user, if the labels are not simply class numbers. */
  readonly note: string | null;
}

/** What labels must fit. */
export interface ClassOutputs {
  /** Classes that the model distinguishes; 2 for a single yes/no output. */
  readonly count: number;
  /** A single yes/no output (per position). */
  readonly binary: boolean;
}

type Order = Exclude<ClassOrder, 'auto'>;

const WORDS: Readonly<Record<Order, string>> = {
  stored: 'the label is the class number',
  'from-one': 'counted from 1',
  value: 'sorted by value',
  text: 'sorted as text',
  appearance: 'in order of first appearance',
  reversed: 'the other way round',
  signs: '0 and 1 as -1 and 1',
  bits: '-1 and 1 as 0 and 1',
};

/** Distinct labels in order of first appearance, and their names. */
interface Vocabulary {
  readonly where: string;
  readonly labels: readonly number[];
  readonly textOf: (label: number) => string;
  /** Every label is a whole number (a folder named "7" counts). */
  readonly numeric: boolean;
  /** The data itself numbers its classes: there is no choice. */
  readonly numbered: boolean;
  readonly named: boolean;
  readonly positions: number;
}

function vocabularyOf(targets: LabelTargets): Vocabulary {
  const { names, labels, positions, where } = targets;
  // A class without samples (an empty folder) is still a class.
  const seen = [...new Set([...new Set(labels), ...(names?.keys() ?? [])])];
  const textOf = (label: number) => names?.[label] ?? String(label);
  return {
    where,
    labels: seen,
    textOf,
    numeric: names === undefined || seen.every((label) => /^-?\d{1,9}$/.test(textOf(label))),
    numbered: targets.numbered === true,
    named: names !== undefined,
    positions,
  };
}

/**
 * The label mappings that fit the model's outputs, the default first; no two give the same targets.
 * @param wanted the plan's choice: then it is the only one.
 * @throws UserError('data-invalid') that lists labels and outputs if none fits.
 */
export function labelEncodings(train: LabelTargets, outputs: ClassOutputs, wanted: ResolvedOrder): LabelEncoding[] {
  const vocabulary = vocabularyOf(train);
  if (Array.isArray(wanted)) return [listed(vocabulary, outputs, wanted)];
  checkCount(vocabulary, outputs);
  const orders: readonly Order[] = vocabulary.numbered
    ? ['stored']
    : vocabulary.numeric
      ? ['stored', 'from-one', 'value', 'text', 'appearance', 'reversed']
      : ['text', 'value', 'appearance', 'reversed'];
  const found: LabelEncoding[] = [];
  for (const order of orders) {
    const ordered = inOrder(vocabulary, outputs, order);
    if (ordered) found.push(encoding(vocabulary, outputs, order, ordered));
  }
  if (found.length === 0) throw outOfRange(train, vocabulary, outputs);
  if (wanted === 'auto') return found.filter((one, i) => found.findIndex((other) => sameClasses(one, other)) === i);
  const chosen = found.find(({ order }) => order === wanted);
  if (chosen) return [chosen];
  throw invalidData(
    vocabulary.where,
    `"classes": "${wanted as string}" does not fit the labels ${labelList(vocabulary)} and the model's ${outputsText(outputs)}; possible here: ${found.map(({ order }) => `"${order as string}"`).join(', ')}, or a list of the labels in the order of the outputs`,
    'classes',
  );
}

export type ResolvedOrder = ClassOrder | readonly string[];

/** The stored labels of the classes 0, 1, ...; undefined if no label has the class. null: the order does not fit. */
function inOrder(vocabulary: Vocabulary, { count }: ClassOutputs, order: Order): (number | undefined)[] | null {
  const { labels, textOf, positions } = vocabulary;
  const value = (label: number) => Number(textOf(label));
  const counted = (first: number): (number | undefined)[] | null => {
    // A number missing in the training part may be in the test part.
    const classes = Array.from({ length: count }, (_, at) => (vocabulary.named ? undefined : at + first));
    for (const label of labels) {
      const at = (vocabulary.numbered ? label : value(label)) - first;
      if (!(at >= 0 && at < count)) return null;
      classes[at] = label;
    }
    return classes;
  };
  if (order === 'stored') return counted(0);
  if (order === 'from-one') return counted(1);
  // An order needs every class, except for a yes/no output: data to evaluate on may contain only one answer.
  if (positions > 1 || (labels.length !== count && vocabulary.numeric)) return null;
  const byText = (a: number, b: number) => (textOf(a) < textOf(b) ? -1 : 1);
  const byValue = (a: number, b: number) => naturalOrder(textOf(a), textOf(b));
  if (order === 'text') return [...labels].sort(byText);
  if (order === 'value') return [...labels].sort(byValue);
  if (order === 'appearance') return [...labels];
  return count === 2 && labels.length === 2 ? [...labels].sort(vocabulary.numeric ? byValue : byText).reverse() : null;
}

/** Compares runs of digits by their value, and letters without case; equal texts by code point. */
function naturalOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.toLowerCase().match(/^-\d+$|\d+|\D+/g) ?? []);
  for (let i = 0; i < Math.min(left!.length, right!.length); i++) {
    const [x, y] = [left![i]!, right![i]!];
    if (x === y) continue;
    const difference = Number(x) - Number(y);
    if (difference) return difference;
    if (Number.isNaN(difference)) return x < y ? -1 : 1;
  }
  return left!.length - right!.length || (a < b ? -1 : 1);
}

function encoding(
  vocabulary: Vocabulary,
  { count }: ClassOutputs,
  order: LabelEncoding['order'],
  labelOfClass: readonly (number | undefined)[],
): LabelEncoding {
  const { textOf, numeric, named } = vocabulary;
  const classOf = new Map(labelOfClass.flatMap((label, at) => (label === undefined ? [] : [[label, at] as const])));
  const classes = Array.from({ length: count }, (_, at) =>
    labelOfClass[at] === undefined ? String(at) : textOf(labelOfClass[at]),
  );
  const words =
    typeof order !== 'string'
      ? 'as listed in the plan'
      : order === 'value' && !numeric
        ? 'sorted, numbers by value and letters of either case alike'
        : WORDS[order];
  const plain = numeric && !named && order === 'stored';
  const note =
    vocabulary.numbered || plain
      ? null
      : order === 'from-one'
        ? `Labels run from 1 to ${count}: they are read as classes 0 to ${count - 1}.`
        : `Classes, in the order of the model's outputs: ${listText(classes)} (${words}).`;
  return { order, text: words, classes, classOf, note };
}

const sameClasses = (a: LabelEncoding, b: LabelEncoding): boolean =>
  a.classOf.size === b.classOf.size && [...a.classOf].every(([label, at]) => b.classOf.get(label) === at);

/** The plan's own list: a name for each class; the data need not have all of them. */
function listed(vocabulary: Vocabulary, outputs: ClassOutputs, names: readonly string[]): LabelEncoding {
  const { labels, textOf, where } = vocabulary;
  if (names.length !== outputs.count)
    throw invalidData(
      where,
      `"classes" lists ${names.length} labels (${listText(names)}), but the model has ${outputsText(outputs)}; list one for each`,
      'classes',
    );
  const unknown = labels.map(textOf).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw invalidData(
      where,
      `the data has labels that "classes" does not list: ${listText(unknown)}; it lists ${listText(names)}`,
      'classes',
    );
  const labelOf = new Map(labels.map((label) => [textOf(label), label]));
  const found = encoding(
    vocabulary,
    outputs,
    names,
    names.map((name) => labelOf.get(name)),
  );
  return { ...found, classes: names };
}

const outputsText = ({ count, binary }: ClassOutputs): string =>
  binary ? 'single yes/no output (2 classes)' : `${count} outputs (classes 0 to ${count - 1})`;

const labelList = ({ labels, textOf }: Vocabulary): string =>
  listText(labels.slice(0, 1000).map(textOf).sort(naturalOrder));

/** There must be as many named classes as outputs. */
function checkCount(vocabulary: Vocabulary, outputs: ClassOutputs): void {
  const { labels, named, where } = vocabulary;
  if (!named || labels.length === outputs.count || (outputs.binary && labels.length < 2)) return;
  throw invalidData(
    where,
    `${labels.length} classes in the data (${labelList(vocabulary)}) do not match the model's ${outputsText(outputs)}; the two must be equal`,
    'labels',
  );
}

function outOfRange(
  { labels, positions }: LabelTargets,
  vocabulary: Vocabulary,
  { count, binary }: ClassOutputs,
): Error {
  const outside = labels.findIndex((label) => label < 0 || label >= count);
  return invalidData(
    vocabulary.where,
    `sample ${Math.floor(outside / positions)} has the label ${vocabulary.textOf(labels[outside]!)}, but the model has ${binary ? 'a single yes/no output: labels must be 0 or 1' : `${countText(count)} outputs: labels must be 0 to ${count - 1}`}; the data has ${countText(vocabulary.labels.length)} labels: ${labelList(vocabulary)}; if the model knows more classes, list all in "classes"`,
    'labels',
  );
}

/**
 * The mappings of a regression's targets that are two numbers: as stored, or as the other usual pair (a tanh output is trained on -1 and 1, whatever
 * the file has).
 * @param values distinct targets; more than two: they are numbers, and there is no choice.
 */
export function valueEncodings(values: ReadonlySet<number>, where: string, wanted: ResolvedOrder): LabelEncoding[] {
  const is = (low: number) => values.size === 2 && values.has(low) && values.has(1);
  const other: Order | null = is(0) ? 'signs' : is(-1) ? 'bits' : null;
  const make = (order: Order): LabelEncoding => ({
    order,
    text: order === 'stored' ? 'as stored' : WORDS[order],
    classOf: new Map(),
    note: order === 'stored' ? null : `Targets are not used as they are stored: ${WORDS[order]}.`,
  });
  const found = [make('stored'), ...(other ? [make(other)] : [])];
  if (wanted === 'auto') return found;
  const chosen = found.find(({ order }) => order === wanted);
  if (chosen) return [chosen];
  throw invalidData(
    where,
    `"classes": ${JSON.stringify(wanted)} does not fit targets that are numbers; possible here: ${found.map(({ order }) => `"${order as string}"`).join(', ')}`,
    'classes',
  );
}
