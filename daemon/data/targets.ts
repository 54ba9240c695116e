import { wholeNumbers } from './arrayFile.js';
import { countText, invalidData, listText, shapeText } from './dataError.js';
import type { DataRequirements } from './dataset.js';
import type { LabelTargets, RawPart, ValueTargets } from './rawDataset.js';
import { sizeOfPart } from './rawDataset.js';
import { forEachChunk, identityIndices, sizeOf } from './sampleStore.js';

/** Targets in the shape of the model's output. */
export interface TargetReader {
  write(indices: Uint32Array, from: number, count: number, target: Float32Array): void | Promise<void>;
}

export interface FittedTargets {
  readonly train: TargetReader;
  readonly test?: TargetReader;
  readonly classes?: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Fits the targets of both parts to the model's output: one-hot for classes (per position, for outputs such as
 * [steps, classes]), 0/1 for a single sigmoid output, numbers otherwise.
 * @param learning whether the training part will be learnt from: then a single class is an error.
 * @throws UserError('data-invalid') that names the file and lists both sides where labels and outputs do not match.
 */
export async function fitTargets(
  train: RawPart,
  test: RawPart | undefined,
  requirements: DataRequirements,
  learning: boolean,
): Promise<FittedTargets> {
  const parts = test ? [train, test] : [train];
  const encoded = requirements.classification ? await Promise.all(parts.map(asClassLabels)) : parts.map(() => null);
  const [trainLabels, testLabels] = encoded;
  if (trainLabels && (!test || testLabels))
    return fitClasses(train, trainLabels, testLabels ?? undefined, requirements.outputShape, learning);
  for (const part of parts) await checkValues(part, requirements);
  return { train: valueReader(train), ...(test && { test: valueReader(test) }), notes: [] };
}

/** Labels of a part; whole-number values (a float column "0.0, 1.0") count. null where the targets are real vectors or one-hot. */
async function asClassLabels(part: RawPart): Promise<LabelTargets | null> {
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
  train: RawPart,
  trainLabels: LabelTargets,
  testLabels: LabelTargets | undefined,
  outputShape: readonly number[],
  learning: boolean,
): FittedTargets {
  const notes: string[] = [];
  const outputs = sizeOf(outputShape);
  const binary = outputs === trainLabels.positions;
  const classCount = binary ? 2 : (outputShape.at(-1) ?? 1);
  if (!binary && trainLabels.positions * classCount !== outputs)
    throw invalidData(
      trainLabels.where,
      `${countText(trainLabels.positions)} labels per sample do not fit the model's output of ${shapeText(outputShape)}`,
      'labels',
    );
  if (testLabels && testLabels.positions !== trainLabels.positions)
    throw invalidData(
      testLabels.where,
      `${testLabels.positions} labels per sample, but the training part has ${trainLabels.positions}`,
    );
  const classes = trainLabels.names ? [...trainLabels.names] : Array.from({ length: classCount }, (_, i) => String(i));
  const testValues = testLabels && mapToTraining(trainLabels, testLabels);
  if (trainLabels.names) checkNames(trainLabels, classCount, binary);
  const offset = trainLabels.names ? 0 : labelOffset(trainLabels, testValues, classCount, notes);
  checkRange(trainLabels.where, trainLabels.labels, trainLabels.positions, offset, classCount, binary);
  if (testLabels && testValues)
    checkRange(testLabels.where, testValues, testLabels.positions, offset, classCount, binary);
  if (learning) refuseSingleClass(train, trainLabels, classes);
  const reader = (labels: Int32Array): TargetReader =>
    labelReader(labels, trainLabels.positions, offset, binary ? 1 : classCount);
  return {
    train: reader(trainLabels.labels),
    ...(testValues && { test: reader(testValues) }),
    classes: classes.slice(0, classCount),
    notes,
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

function checkNames(labels: LabelTargets, classCount: number, binary: boolean): void {
  const names = labels.names!;
  if (names.length === classCount || (binary && names.length < 2)) return;
  throw invalidData(
    labels.where,
    `${names.length} classes in the data (${listText(names)}) do not match the model's ${binary ? 'single yes/no output (2 classes)' : `${classCount} outputs (classes 0 to ${classCount - 1})`}; the two must be equal`,
    'labels',
  );
}

/** 1 where the labels are exactly 1..classCount, as some tools write them; else 0. */
function labelOffset(train: LabelTargets, test: Int32Array | undefined, classCount: number, notes: string[]): number {
  const seen = new Set<number>();
  for (const label of train.labels) {
    seen.add(label);
    if (seen.size > classCount) return 0;
  }
  const oneBased =
    seen.size === classCount && !seen.has(0) && Math.min(...seen) === 1 && Math.max(...seen) === classCount;
  if (!oneBased || test?.includes(0)) return 0;
  notes.push(`Labels run from 1 to ${classCount}: they are read as classes 0 to ${classCount - 1}.`);
  return 1;
}

function checkRange(
  where: string,
  labels: Int32Array,
  positions: number,
  offset: number,
  classCount: number,
  binary: boolean,
): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]! - offset;
    if (label >= 0 && label < classCount) continue;
    throw invalidData(
      where,
      `sample ${Math.floor(i / positions)} has the label ${labels[i]}, but the model has ${binary ? 'a single yes/no output: labels must be 0 or 1' : `${classCount} outputs: labels must be 0 to ${classCount - 1}`}`,
      'labels',
    );
  }
}

function refuseSingleClass(part: RawPart, targets: LabelTargets, classes: readonly string[]): void {
  const first = targets.labels[0];
  if (first === undefined || targets.labels.some((label) => label !== first)) return;
  throw invalidData(
    targets.where,
    `all ${countText(sizeOfPart(part))} samples have the label ${JSON.stringify(classes[first] ?? String(first))}: with one class there is nothing to learn`,
    'labels',
  );
}

function labelReader(labels: Int32Array, positions: number, offset: number, depth: number): TargetReader {
  return {
    write(indices, from, count, target) {
      if (depth > 1) target.fill(0, 0, count * positions * depth);
      for (let k = 0; k < count; k++) {
        const row = indices[from + k]! * positions;
        for (let p = 0; p < positions; p++) {
          const label = labels[row + p]! - offset;
          if (depth > 1) target[(k * positions + p) * depth + label] = 1;
          else target[k * positions + p] = label;
        }
      }
    },
  };
}

async function checkValues(part: RawPart, requirements: DataRequirements): Promise<void> {
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

function valueReader(part: RawPart): TargetReader {
  const { targets } = part;
  if (targets.kind === 'values')
    return { write: (indices, from, count, out) => targets.store.gather(indices, from, count, out) };
  const { labels, positions } = targets;
  return labelReader(labels, positions, 0, 1);
}
