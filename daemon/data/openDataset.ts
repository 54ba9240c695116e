import type { ResolvedData } from '../protocol/resolvedPlan.js';
import type { Augmentation } from './batches/augment.js';
import { countText, invalidData } from './dataError.js';
import { classWeights } from './labels/classWeights.js';
import type { DataRequirements, Dataset, OtherData, OtherOutput, Part, DataMapping } from './dataset.js';
import { fitInputs } from './fitInputs.js';
import { checkIdentifiers } from './mapping/identifiers.js';
import { affineMap, describePreprocess } from './mapping/preprocess.js';
import { preparedInput, type PreparedInput } from './mapping/preparedInput.js';
import type { RawDataset } from './rawDataset.js';
import { isLabelled, sizeOfPart, type RawPart, type RawTargets } from './rawDataset.js';
import type { OpenOptions } from './openOptions.js';
import { readSourceData } from './readSourceData.js';
import type { SampleStore } from './batches/sampleStore.js';
import { defaultScale, valueRange, type ValueRange } from './mapping/scaleCandidates.js';
import { splitRows, type SplitRows } from './batches/splits.js';
import { fitTargets, type FittedTargets, type TargetReader } from './labels/targets.js';
import { UserError } from '../protocol/errors.js';

const MEMORY_LIMIT = 1024 * 1024 * 1024;

/**
 * Opens a data set as the model needs it: the splits, inputs in the model's shapes and scale, targets in its output's shape. "auto" for scale and
 * classes becomes the default for the kind of data; `chooseMapping` lets a caller with a reference model choose by its answers.
 * @throws UserError 'data-missing', 'data-invalid' or 'path-outside-workspace', in one line with the file and the way out.
 */
export async function openDataset(
  config: ResolvedData,
  requirements: DataRequirements,
  options: OpenOptions,
): Promise<Dataset> {
  const raw = await readSourceData(config, requirements, {
    ...options,
    memoryLimit: options.memoryLimit ?? MEMORY_LIMIT,
  });
  const purpose = options.purpose ?? 'train';
  const train = fitInputs(raw.train, requirements);
  const test = raw.test ? fitInputs(raw.test, requirements) : null;
  for (const [part, fitted] of [
    [raw.train, train],
    [raw.test, test],
  ] as const) {
    for (const [i, store] of (fitted?.inputs ?? []).entries()) {
      const stored = requirements.asStored?.[i];
      if (stored) await checkIdentifiers(store, stored, part!.name);
    }
  }
  const targets = await fitTargets(raw.train, raw.test, requirements, {
    classes: config.classes,
    learning: purpose === 'train',
  });
  const isSampled = availableOf(raw).train > sizeOfPart(raw.train);
  const rows = splitRows({
    name: raw.train.name,
    trainSize: sizeOfPart(raw.train),
    testSize: raw.test ? sizeOfPart(raw.test) : null,
    validation: config.validation,
    limit: config.limit,
    seed: options.seed,
    purpose,
  });
  const augmentation = augmentationOf(config, train.inputs, raw);
  const scaled = train.inputs.filter((_, i) => !isAsStored(requirements, config, i));
  const range = config.scale === 'auto' && scaled.length > 0 ? await valueRange(scaled, rows.train) : null;
  const fitted: FittedData = {
    config,
    range,
    raw,
    requirements,
    train: train.inputs,
    test: test?.inputs ?? null,
    targets,
    others: await fitOthers(raw, requirements, purpose === 'train'),
    rows,
    augmentation,
    wholeTest: purpose === 'evaluate' && raw.test === null,
    notes: [...raw.notes, ...train.notes, ...(isSampled ? [] : rows.notes), ...storedNotes(requirements, config)],
  };
  const encoding = targets.encodings[0]!;
  if (config.scale !== 'auto')
    return prepare(fitted, { preprocess: { scale: config.scale, mean: config.mean }, encoding }, []);
  if (!range) return prepare(fitted, { preprocess: { scale: 'none', mean: 'none' }, encoding }, []);
  const preprocess = { scale: defaultScale(range), mean: config.mean };
  const unsure = isLabelled(raw.train)
    ? ''
    : '; without labels nothing shows whether the model was trained so, and "preprocess" in the plan says how it was';
  const notes = [`Inputs are scaled by default: ${describePreprocess(preprocess)}${unsure}.`];
  return prepare(fitted, { preprocess, encoding }, notes);
}

/** An output beside the trained one, with its targets; or why it has none. */
type FittedOther = { readonly output: OtherOutput } & (
  { readonly targets: FittedTargets } | { readonly reason: string }
);

/** The targets of other outputs, as far as each part of the data has them. */
async function fitOthers(
  { train, test }: RawDataset,
  { others = [] }: DataRequirements,
  learning: boolean,
): Promise<FittedOther[]> {
  const fitted: FittedOther[] = [];
  for (const output of others) {
    const parts = (test ? [train, test] : [train]).map((part) => ({ part, targets: part.others?.get(output.output) }));
    const reason = parts.map(({ targets }) => targets).find((targets) => typeof targets === 'string');
    if (reason !== undefined) fitted.push({ output, reason });
    else if (parts[0]!.targets === undefined) fitted.push({ output, reason: 'the data has no targets named after it' });
    else if (parts.some(({ targets }) => targets === undefined))
      fitted.push({ output, reason: 'the test part of the data has no targets named after it' });
    else fitted.push(await fitOther(output, parts as { part: RawPart; targets: RawTargets }[], learning));
  }
  return fitted;
}

async function fitOther(
  output: OtherOutput,
  parts: readonly { readonly part: RawPart; readonly targets: RawTargets }[],
  learning: boolean,
): Promise<FittedOther> {
  const [train, test] = parts.map(({ part, targets }) => ({ ...part, targets }));
  const { outputShape, classification } = output;
  try {
    const requirements = { inputShapes: [], outputShape, classification };
    return { output, targets: await fitTargets(train!, test, requirements, { classes: 'auto', learning }) };
  } catch (error) {
    if (error instanceof UserError) return { output, reason: error.message };
    throw error;
  }
}

/** Whether an input's values are taken as stored. The plan decides, except for identifiers. */
function isAsStored({ asStored }: DataRequirements, { scale, mean }: ResolvedData, input: number): boolean {
  const stored = asStored?.[input];
  return stored ? stored.identifiers || (scale === 'auto' && mean === 'none') : false;
}

function storedNotes(requirements: DataRequirements, config: ResolvedData): string[] {
  const { asStored = [] } = requirements;
  if (config.scale === 'none' && config.mean === 'none') return [];
  return asStored.flatMap((stored, i) =>
    stored && isAsStored(requirements, config, i)
      ? [`Input${asStored.length > 1 ? ` ${i + 1}` : ''} is taken as stored, because of ${stored.because}.`]
      : [],
  );
}

const availableOf = (raw: RawDataset): Dataset['available'] =>
  raw.available ?? { train: sizeOfPart(raw.train), test: raw.test ? sizeOfPart(raw.test) : null };

/** Everything that does not depend on the mapping. */
interface FittedData {
  readonly config: ResolvedData;
  readonly range: ValueRange | null;
  readonly raw: RawDataset;
  readonly requirements: DataRequirements;
  readonly train: readonly SampleStore[];
  readonly test: readonly SampleStore[] | null;
  readonly targets: FittedTargets;
  readonly others: readonly FittedOther[];
  readonly rows: SplitRows;
  readonly augmentation: Augmentation | null;
  readonly wholeTest: boolean;
  readonly notes: readonly string[];
}

async function prepare(data: FittedData, mapping: DataMapping, notes: readonly string[]): Promise<Dataset> {
  const { raw, rows, targets, augmentation } = data;
  const { preprocess, encoding } = mapping;
  const { classes } = encoding;
  const read = targets.read(encoding);
  const weights = classWeights(data.config.classWeights, classes, {
    counts: targets.countClasses(encoding, rows.train),
    where: targets.where,
  });
  const asIs = { scale: 'none', mean: 'none' } as const;
  const maps = await Promise.all(
    data.train.map((store, i) =>
      affineMap(store, rows.train, isAsStored(data.requirements, data.config, i) ? asIs : preprocess),
    ),
  );
  const trainInputs = data.train.map((store, i) => preparedInput(store, maps[i]!));
  const testInputs = data.test?.map((store, i) => preparedInput(store, maps[i]!)) ?? trainInputs;
  const train = split(trainInputs, read.train, rows.train);
  const trainSize = rows.train.length + rows.validation.length;
  return {
    description: `${raw.title}, ${countText(trainSize)} + ${countText(rows.test.length)}`,
    ...(raw.fields && { fields: raw.fields }),
    available: availableOf(raw),
    inputShapes: data.train.map((store) => store.shape),
    targetShape: data.requirements.outputShape,
    unlabelled: !isLabelled(raw.train),
    ...(classes && { classes }),
    train: augmentation ? { ...train, augmentation } : train,
    validation: split(trainInputs, read.train, rows.validation),
    test: split(testInputs, read.test ?? read.train, rows.test),
    testIsCut: !raw.test,
    wholeTest: data.wholeTest,
    hash: raw.hash,
    notes: [...data.notes, ...(encoding.note ? [encoding.note] : []), ...(weights ? [weights.note] : []), ...notes],
    mapping,
    maps,
    range: data.range,
    encodings: targets.encodings,
    classWeights: weights?.weights ?? null,
    withMapping: (other) => prepare(data, { ...mapping, ...other }, []),
    others: new Map(data.others.map((other) => [other.output.output, otherData(data, other, preprocess)])),
    close: () => closeStores(data),
  };
}

/** The data with another output in the place of the trained one. */
function otherData(data: FittedData, other: FittedOther, preprocess: DataMapping['preprocess']): OtherData {
  if ('reason' in other) return other;
  const { targets } = other;
  const { output, outputShape, classification } = other.output;
  const config = { ...data.config, classes: 'auto' as const, classWeights: null };
  const requirements = { ...data.requirements, output, outputShape, classification, others: [] };
  const own = { ...data, config, requirements, targets, others: [], notes: [] };
  return { open: () => prepare(own, { preprocess, encoding: targets.encodings[0]! }, []) };
}

function closeStores({ raw, train, test }: FittedData): void {
  for (const store of [...train, ...(test ?? [])]) store.close();
  for (const part of [raw.train, raw.test])
    for (const targets of part ? [part.targets, ...(part.others?.values() ?? [])] : [])
      if (typeof targets !== 'string' && targets.kind === 'values') targets.store.close();
}

function split(inputs: readonly PreparedInput[], targets: TargetReader, rows: Uint32Array): Part {
  let picked = new Uint32Array(0);
  const pick = (indices: Uint32Array, from: number, count: number): Uint32Array => {
    if (picked.length < count) picked = new Uint32Array(count);
    for (let k = 0; k < count; k++) picked[k] = rows[indices[from + k]!]!;
    return picked;
  };
  return {
    size: rows.length,
    gatherTargets(indices, from, count, target) {
      const filling = targets.write(pick(indices, from, count), 0, count, target);
      if (filling) picked = new Uint32Array(0);
      return filling;
    },
    gather(indices, from, count, buffers, target, copyRows) {
      const own = pick(indices, from, count);
      let pending: Promise<void>[] | undefined;
      for (let i = 0; i < inputs.length; i++) {
        const filling = inputs[i]!.gather(own, 0, count, buffers[i]!, copyRows);
        if (filling) (pending ??= []).push(filling);
      }
      const filling = targets.write(own, 0, count, target);
      if (filling) (pending ??= []).push(filling);
      if (!pending) return;
      // A second gather may begin before this one has read its rows.
      picked = new Uint32Array(0);
      return Promise.all(pending).then(() => undefined);
    },
  };
}

function augmentationOf(config: ResolvedData, inputs: readonly SampleStore[], raw: RawDataset): Augmentation | null {
  const { flip, shift } = config.augment;
  if (!flip && shift === 0) return null;
  const stored = raw.train.inputs[0]!.shape;
  const shape = [inputs[0]!.shape, stored, [...stored, 1]].find((candidate) => candidate.length === 3);
  if (inputs.length !== 1 || !shape)
    throw invalidData(
      raw.train.name,
      '"augment" flips and shifts images, but these samples are not images; remove it',
      'augment',
    );
  // Its first axis is none of places.
  if (shape[0]! <= 4 && shape[1]! > 4 && shape[2]! > 4)
    throw invalidData(
      raw.train.name,
      `"augment" flips and shifts images of height x width x channels, and the model takes these as ${shape.join(' x ')}, channel by channel; remove it`,
      'augment',
    );
  return { shape: [shape[0]!, shape[1]!, shape[2]!], flip, shift };
}
