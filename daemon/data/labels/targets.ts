import { wholeNumbers } from '../files/arrayFile.js';
import { countText, invalidData, listText, shapeText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { labelEncodings, valueEncodings, type LabelEncoding, type ResolvedOrder } from './labelEncodings.js';
import { oneHotLabels } from './oneHot.js';
import type { LabelledPart, LabelTargets, RawPart, ValueTargets } from '../rawDataset.js';
import { isLabelled, sizeOfPart } from '../rawDataset.js';
import { noTargets } from './noTargets.js';
import { forEachChunk, identityIndices } from '../batches/sampleStore.js';
import { sizeOf } from '../../protocol/shape.js';

/** Targets in the shape of the model's output. */
export interface TargetReader {
  write(indices: Uint32Array, from: number, count: number, target: Float32Array): void | Promise<void>;
}

export interface FittedTargets {
  /** The label mappings that fit the model's outputs, the default first; a single one if there is no choice. */
  readonly encodings: readonly LabelEncoding[];
  read(encoding: LabelEncoding): { readonly train: TargetReader; readonly test: TargetReader | null };
  /** Number of these samples of the training file in each class; null if targets are not one class per row. */
  countClasses(encoding: LabelEncoding, rows: Uint32Array): number[] | null;
  /** The name of the labels in messages. */
  readonly where: string;
}

export interface TargetOptions {
  /** Of the plan. */
  readonly classes: ResolvedOrder;
  /** Whether the training part will be trained on: then a single class is an error. */
  readonly learning: boolean;
}

/**
 * Fits the targets of both parts to the model's output: one-hot for classes (per position, for outputs such as [steps, classes]), 0/1 for a single
 * sigmoid output, numbers otherwise.
 * @returns targets that are never read if a part has none.
 * @throws UserError('data-invalid') that names the file and lists labels and outputs if they do not match.
 */
export async function fitTargets(
  train: RawPart,
  test: RawPart | undefined,
  requirements: DataRequirements,
  options: TargetOptions,
): Promise<FittedTargets> {
  if (!isLabelled(train) || (test && !isLabelled(test))) return noTargets(train.targets.where);
  const parts = test ? [train, test] : [train];
  if (requirements.classification) {
    const [trainLabels, testLabels] = await classLabels(parts, requirements.outputShape);
    if (trainLabels) return fitClasses(train, trainLabels, testLabels ?? null, requirements.outputShape, options);
  }
  for (const part of parts) await checkValues(part, requirements);
  return fitValues(train, test, requirements, options);
}

/** Labels of every part, or none if the targets of one are real vectors. One-hot targets are labels. */
async function classLabels(parts: readonly LabelledPart[], outputShape: readonly number[]): Promise<LabelTargets[]> {
  const oneHot: LabelTargets[] = [];
  for (const { targets } of parts) {
    const labels = await oneHotLabels(targets, outputShape);
    if (labels) oneHot.push(labels);
  }
  if (oneHot.length === parts.length) return oneHot;
  const labels: LabelTargets[] = [];
  for (const part of parts) {
    const own = await asClassLabels(part);
    if (own) labels.push(own);
  }
  return labels.length === parts.length ? labels : [];
}

/** Labels of a part; whole-number values (a float column "0.0, 1.0") count. null if the targets are real vectors. */
async function asClassLabels(part: LabelledPart): Promise<LabelTargets | null> {
  const { targets } = part;
  if (targets.kind === 'labels') return targets;
  if (targets.store.width !== 1 || !targets.store.resident) return null;
  const values = new Float32Array(targets.store.size);
  await targets.store.gather(identityIndices(values.length), 0, values.length, values);
  const fraction = values.findIndex((v) => !Number.isInteger(v));
  if (fraction >= 0)
    throw invalidData(
      targets.where,
      `sample ${fraction} has the label ${values[fraction]}, but the model classifies: labels must be whole class numbers or names`,
      'labels',
    );
  return { kind: 'labels', labels: wholeNumbers(values), positions: 1, where: targets.where };
}

function fitClasses(
  train: LabelledPart,
  trainLabels: LabelTargets,
  testLabels: LabelTargets | null,
  outputShape: readonly number[],
  { classes, learning }: TargetOptions,
): FittedTargets {
  const outputs = sizeOf(outputShape);
  const { positions, where } = trainLabels;
  const binary = outputs === positions;
  const count = binary ? 2 : (outputShape.at(-1) ?? 1);
  if (!binary && positions * count !== outputs)
    throw invalidData(
      where,
      `${countText(positions)} labels per sample do not fit the model's output of ${shapeText(outputShape)}`,
      'labels',
    );
  if (testLabels && testLabels.positions !== positions)
    throw invalidData(
      testLabels.where,
      `${testLabels.positions} labels per sample, but the training part has ${positions}`,
    );
  const testValues = testLabels && mapToTraining(trainLabels, testLabels);
  const encodings = labelEncodings(trainLabels, { count, binary }, classes).filter(
    (encoding, i) => !testLabels || coversTest(encoding, trainLabels, testLabels, testValues!, i === 0),
  );
  if (learning) refuseSingleClass(train, trainLabels);
  const depth = binary ? 1 : count;
  return {
    encodings,
    where,
    read: ({ classOf }) => ({
      train: labelReader(classNumbers(trainLabels.labels, classOf), positions, depth),
      test: testValues && labelReader(classNumbers(testValues, classOf), positions, depth),
    }),
    countClasses({ classOf }, rows) {
      // Several yes/no answers of one sample are not one class.
      if (binary && outputShape.at(-1) !== 1 && outputs > 1) return null;
      const counts = new Array<number>(count).fill(0);
      for (const row of rows)
        for (let p = 0; p < positions; p++) counts[classOf.get(trainLabels.labels[row * positions + p]!)!]! += 1;
      return counts;
    },
  };
}

/** The test part's labels in the training part's numbering. */
function mapToTraining(train: LabelTargets, test: LabelTargets): Int32Array {
  if (!train.names && !test.names) return test.labels;
  if (!train.names || !test.names)
    throw invalidData(test.where, `labels here and in ${train.where} must both be names or both be numbers`, 'labels');
  const number = new Map(train.names.map((name, i) => [name, i]));
  const unknown = test.names.filter((name) => !number.has(name));
  if (unknown.length > 0)
    throw invalidData(
      test.where,
      `the test part has labels the training part lacks: ${listText(unknown)}; the training part has ${listText(train.names)}`,
      'labels',
    );
  const map = test.names.map((name) => number.get(name)!);
  return test.labels.map((label) => map[label]!);
}

/** Whether an encoding has a class for every label of the test part. @param required throws if it has not. */
function coversTest(
  { classOf }: LabelEncoding,
  train: LabelTargets,
  test: LabelTargets,
  values: Int32Array,
  required: boolean,
): boolean {
  const missing = [...new Set(values)].filter((label) => !classOf.has(label));
  if (missing.length === 0) return true;
  if (!required) return false;
  const text = (label: number) => train.names?.[label] ?? String(label);
  throw invalidData(
    test.where,
    `the test part has labels that are no class of the model: ${listText(missing.map(text))}; its classes are the labels ${listText([...classOf.keys()].map(text))}`,
    'labels',
  );
}

function refuseSingleClass(part: LabelledPart, { labels, names, where }: LabelTargets): void {
  const first = labels[0];
  if (first === undefined || labels.some((label) => label !== first)) return;
  throw invalidData(
    where,
    `all ${countText(sizeOfPart(part))} samples have the label ${JSON.stringify(names?.[first] ?? String(first))}: with one class there is nothing to learn`,
    'labels',
  );
}

const classNumbers = (labels: Int32Array, classOf: LabelEncoding['classOf']): Int32Array =>
  labels.map((label) => classOf.get(label)!);

function labelReader(classes: Int32Array, positions: number, depth: number): TargetReader {
  return {
    write(indices, from, count, target) {
      if (depth > 1) target.fill(0, 0, count * positions * depth);
      for (let k = 0; k < count; k++) {
        const row = indices[from + k]! * positions;
        for (let p = 0; p < positions; p++) {
          const at = classes[row + p]!;
          if (depth > 1) target[(k * positions + p) * depth + at] = 1;
          else target[k * positions + p] = at;
        }
      }
    },
  };
}

/** Searches the targets for exactly two numbers; a third distinct one ends the search. */
async function distinctValues({ targets }: LabelledPart): Promise<Set<number>> {
  const found = new Set<number>();
  if (targets.kind === 'labels') {
    for (const label of targets.labels) if (found.add(label).size > 2) break;
  } else if (targets.store.width === 1 && targets.store.resident) {
    await forEachChunk(targets.store, identityIndices(targets.store.size), (rows, _start, count) => {
      for (let i = 0; i < count && found.size <= 2; i++) found.add(rows[i]!);
      return found.size <= 2;
    });
  }
  return found;
}

async function fitValues(
  train: LabelledPart,
  test: LabelledPart | undefined,
  { outputShape }: DataRequirements,
  { classes }: TargetOptions,
): Promise<FittedTargets> {
  const { where } = train.targets;
  const distinct = sizeOf(outputShape) === 1 ? await distinctValues(train) : new Set<number>();
  return {
    encodings: valueEncodings(distinct, where, classes),
    where,
    read: ({ order }) => ({ train: valueReader(train, order), test: test ? valueReader(test, order) : null }),
    countClasses: () => null,
  };
}

async function checkValues(part: LabelledPart, requirements: DataRequirements): Promise<void> {
  const { outputShape, classification } = requirements;
  const width = part.targets.kind === 'values' ? part.targets.store.width : part.targets.positions;
  if (part.targets.kind === 'labels' && part.targets.names && !classification)
    throw invalidData(
      part.targets.where,
      `the labels are names (${listText(part.targets.names, 4)}), but the model's output is a number: choose a numeric column with "data.labels"`,
      'labels',
    );
  if (width !== sizeOf(outputShape))
    throw invalidData(
      part.targets.where,
      `${countText(width)} target values per sample do not fit the model's output of ${shapeText(outputShape)} (${countText(sizeOf(outputShape))} values)`,
      'labels',
    );
  if (classification && part.targets.kind === 'values') await checkDistributions(part.targets);
}

/** One-hot or soft targets of a classifier must not be negative. */
async function checkDistributions({ store, where }: ValueTargets): Promise<void> {
  await forEachChunk(store, identityIndices(store.size), (rows, start, count) => {
    const bad = rows.subarray(0, count * store.width).findIndex((v) => v < 0 || v > 1);
    if (bad >= 0)
      throw invalidData(
        where,
        `sample ${start + Math.floor(bad / store.width)} has the target ${rows[bad]}, but the model classifies: class numbers, or one-hot values in 0 to 1, are needed`,
        'labels',
      );
  });
}

function valueReader({ targets }: LabelledPart, order: LabelEncoding['order']): TargetReader {
  const plain: TargetReader =
    targets.kind === 'values'
      ? { write: (indices, from, count, out) => targets.store.gather(indices, from, count, out) }
      : labelReader(targets.labels, targets.positions, 1);
  if (order !== 'signs' && order !== 'bits') return plain;
  const map = order === 'signs' ? (y: number) => 2 * y - 1 : (y: number) => (y + 1) / 2;
  const apply = (count: number, out: Float32Array): void => {
    for (let i = 0; i < count; i++) out[i] = map(out[i]!);
  };
  return {
    write(indices, from, count, out) {
      const pending = plain.write(indices, from, count, out);
      if (pending) return pending.then(() => apply(count, out));
      apply(count, out);
    },
  };
}
