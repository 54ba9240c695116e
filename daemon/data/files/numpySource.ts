import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { asTargets, sha256, type ArrayFile } from './arrayFile.js';
import { countText, invalidData, listText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { inputArrays, namedArray, testNames } from '../inputs/inputArrays.js';
import { statedByInput } from '../inputs/inputNames.js';
import { labelNamesFor } from '../labels/labelNames.js';
import { NpzFile } from './npz.js';
import { readNpy } from './npy.js';
import { parseNpyText, type TextLabels } from './npyText.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset, RawPart, RawTargets } from '../rawDataset.js';
import { readSource, statSource, type SourceFile } from './sourceFile.js';

/** Usual names of arrays, most specific first. */
const TRAIN_INPUTS = [
  'x_train',
  'X_train',
  'train_x',
  'train_images',
  'train_data',
  'x',
  'X',
  'images',
  'data',
  'inputs',
  'features',
  'arr_0',
];
const TRAIN_LABELS = [
  'y_train',
  'Y_train',
  'train_y',
  'train_labels',
  'train_targets',
  'y',
  'Y',
  'labels',
  'label',
  'targets',
  'target',
  'arr_1',
];
const TEST_INPUTS = ['x_test', 'X_test', 'test_x', 'test_images', 'test_data', 'x_val', 'X_val'];
const TEST_LABELS = ['y_test', 'Y_test', 'test_y', 'test_labels', 'test_targets', 'y_val', 'Y_val'];

/** .npz data of a plan: the arrays named in it, else those of the usual names; x_test and y_test are the test part. */
export async function readNpzSource(context: ReadContext): Promise<RawDataset> {
  const { source, test, config, options } = context;
  const file = await NpzFile.read(source, options.memoryLimit);
  const { requirements } = context;
  const inputs = inputsOf(file, config, requirements);
  const labels = config.labels?.[0] ?? pickLabels(file, inputs, requirements);
  const others = otherLabels(file, [...inputs, labels], requirements);
  const train = await part(file, inputs, labels, others);
  const tested = test
    ? await part(await NpzFile.read(test, options.memoryLimit), inputs, labels, others)
    : await testArrays(file, inputs, labels, others);
  return {
    title: `NumPy arrays of ${source.name}`,
    fields: { kind: 'arrays', names: file.keys, inputs: inputs.map((key) => [key]), labels: [labels] },
    train: train.part,
    ...(tested && { test: tested.part }),
    hash: sha256(train.hash, tested?.hash ?? ''),
    notes:
      labels === inputs[0] && !config.labels
        ? [
            `The file has no labels: the model, whose output is as large as its input, is to give the array "${labels}" back.`,
          ]
        : config.inputs && config.labels
          ? []
          : [`Inputs are the array ${listText(inputs)}, labels ${listText([labels])}.`],
  };
}

/** The arrays of the plan, else those named after the inputs; of a single input also one of a usual name, or the only one that fits. */
function inputsOf(
  file: NpzFile,
  { inputs: stated, labels }: ReadContext['config'],
  requirements: DataRequirements,
): readonly string[] {
  const fits = (key: string, input: number) => fitsInput(file, key, requirements.inputShapes[input] ?? []);
  if (requirements.inputShapes.length > 1 || (stated && !Array.isArray(stated))) {
    const targets = [...TRAIN_LABELS, ...TEST_LABELS, ...(labels ?? []), ...(requirements.outputNames ?? []).flatMap(labelNamesFor)]; // prettier-ignore
    const mayBe = (key: string, input: number) => !targets.includes(key) && fits(key, input);
    return inputArrays(file.name, file.keys, stated, requirements, mayBe);
  }
  if (stated) return stated as readonly string[];
  const named = namedArray(file.keys, requirements);
  if (named !== null && fits(named, 0)) return [named];
  return [pick(file, TRAIN_INPUTS, 'inputs', (key) => fits(key, 0))];
}

/** The array of a usual name, else the only one that fits. */
function pick(
  file: NpzFile,
  usual: readonly string[],
  field: 'inputs' | 'labels',
  fits: (key: string) => boolean,
): string {
  const found = usual.find((key) => file.keys.includes(key));
  if (found !== undefined) return found;
  const fitting = file.keys.filter(fits);
  if (fitting.length === 1) return fitting[0]!;
  const [only, ...others] = file.keys;
  if (field === 'labels' && others.length === 0)
    throw invalidData(
      file.name,
      `its only array, ${JSON.stringify(only)}, holds the inputs, and there are no labels; save both, numpy.savez(file, x=x, y=y), or name an array in "data.labels"`,
      field,
    );
  throw invalidData(
    file.name,
    `which array holds the ${field} is not clear; name one of ${listText(file.keys)} in "data.${field}"`,
    field,
  );
}

/**
 * The array of the labels: of a usual name, or named after the trained output, or the only one that fits. Where none fits, the
 * inputs of a model whose output is as large as its only input: an autoencoder.
 */
function pickLabels(file: NpzFile, inputs: readonly string[], requirements: DataRequirements): string {
  const named = requirements.output === undefined ? [] : labelNamesFor(requirements.output);
  const usual = [...named, ...TRAIN_LABELS].filter((key) => !inputs.includes(key));
  const fits = (key: string) => !inputs.includes(key) && fitsLabels(file, key, inputs[0]!, requirements);
  const some = file.keys.some((key) => usual.includes(key) || (fits(key) && !TEST_INPUTS.includes(key)));
  const only = inputs.length === 1 && !some ? numbersOf(file, inputs[0]!) : null;
  const width = sizeOf(requirements.outputShape);
  if (only?.store.width !== width || width === 1) return pick(file, usual, 'labels', fits);
  if (only.integers)
    throw invalidData(
      file.name,
      `it has no labels, so the model is to give its inputs back, but "${inputs[0]!}" holds whole numbers: save them as the floats that the model was trained on, or name the labels in "data.labels"`,
      'labels',
    );
  return inputs[0]!;
}

/** The arrays named after outputs that are not the trained one, by the outputs' paths. @param taken arrays that are something else. */
function otherLabels(file: NpzFile, taken: readonly string[], { others = [] }: DataRequirements): OtherLabels {
  return new Map(
    others.flatMap(({ output }) => {
      const key = labelNamesFor(output).find((name) => file.keys.includes(name) && !taken.includes(name));
      return key === undefined ? [] : [[output, key] as const];
    }),
  );
}

/** What is read, or null where the array is not of that kind. */
function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** The array, or null where it is not one of numbers. */
const numbersOf = (file: NpzFile, key: string): ArrayFile | null => unlessRefused(() => file.array(key));

/** Labels that are texts, or null. */
const textsOf = (file: NpzFile, key: string): TextLabels | null => unlessRefused(() => file.texts(key));

function fitsInput(file: NpzFile, key: string, shape: readonly (number | null)[]): boolean {
  if (shape.length === 0 || shape.some((n) => n === null)) return false;
  return numbersOf(file, key)?.store.width === sizeOf(shape as number[]);
}

function fitsLabels(file: NpzFile, key: string, input: string, requirements: DataRequirements): boolean {
  const { outputShape, classification } = requirements;
  const samples = file.array(input).store.size;
  const texts = textsOf(file, key);
  if (texts) return classification && texts.size === samples;
  const store = numbersOf(file, key)?.store;
  return store?.size === samples && (store.width === 1 || store.width === sizeOf(outputShape));
}

async function testArrays(
  file: NpzFile,
  inputs: readonly string[],
  labels: string,
  others: OtherLabels,
): Promise<{ part: RawPart; hash: string } | null> {
  const testName = (key: string) => testNames(key).find((name) => file.keys.includes(name));
  const tested = [...inputs, labels].map(testName);
  const otherTests = new Map(
    [...others].flatMap(([output, key]) => {
      const name = testName(key);
      return name === undefined ? [] : [[output, name] as const];
    }),
  );
  if (tested.every((key) => key !== undefined)) return part(file, tested.slice(0, -1), tested.at(-1)!, otherTests);
  const usualInput = TEST_INPUTS.find((key) => file.keys.includes(key));
  const usualLabel = TEST_LABELS.find((key) => file.keys.includes(key));
  if (inputs.length !== 1 || usualInput === undefined || usualLabel === undefined) return null;
  return part(file, [usualInput], usualLabel, otherTests);
}

async function part(
  file: NpzFile,
  inputs: readonly string[],
  labels: string,
  others: OtherLabels,
): Promise<{ part: RawPart; hash: string }> {
  const arrays = inputs.map((key) => file.array(key));
  const own = await arraysToPart(file.name, arrays, labelArray(file, labels));
  const found = new Map<string, RawTargets | string>();
  const hashes: string[] = [];
  for (const [output, key] of others) {
    try {
      const array = labelArray(file, key);
      requireEqualCounts(arrays, array);
      found.set(output, await array.targets());
      hashes.push(array.hash);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.set(output, error.message);
    }
  }
  if (found.size === 0) return own;
  return { part: { ...own.part, others: found }, hash: sha256(own.hash, ...hashes) };
}

/** Path of an output -> name of its array. */
type OtherLabels = ReadonlyMap<string, string>;

/** Labels as an array of numbers or of texts holds them. */
interface LabelArray {
  readonly name: string;
  readonly size: number;
  readonly hash: string;
  targets(): RawTargets | Promise<RawTargets>;
}

function labelArray(file: NpzFile, key: string): LabelArray {
  const texts = file.texts(key);
  return texts ? { ...texts, name: file.nameOf(key), targets: () => texts.targets } : numberLabels(file.array(key));
}

const numberLabels = (array: ArrayFile): LabelArray => ({
  name: array.name,
  size: array.store.size,
  hash: array.hash,
  targets: () => asTargets(array),
});

async function labelFile(file: SourceFile, memoryLimit: number): Promise<LabelArray> {
  const texts = (await statSource(file)).bytes <= memoryLimit ? parseNpyText(file.name, await readSource(file)) : null;
  if (texts) return { ...texts, name: file.name, targets: () => texts.targets };
  return numberLabels(await readNpy(file, memoryLimit));
}

function requireEqualCounts(inputs: readonly ArrayFile[], labels: LabelArray): void {
  for (const input of inputs) {
    if (input.store.size === labels.size) continue;
    throw invalidData(
      labels.name,
      `${countText(labels.size)} labels, but ${input.name} has ${countText(input.store.size)} samples; the counts must be equal`,
      'labels',
    );
  }
}

async function arraysToPart(
  name: string,
  inputs: readonly ArrayFile[],
  labels: LabelArray,
): Promise<{ part: RawPart; hash: string }> {
  requireEqualCounts(inputs, labels);
  return {
    part: { name, inputs: inputs.map((input) => input.store), targets: await labels.targets() },
    hash: sha256(...inputs.map((input) => input.hash), labels.hash),
  };
}

/**
 * .npy data of a plan: the source holds the inputs, `labels` a second file with the labels (default: the file beside it
 * whose name says "y" or "labels" instead). `inputs` may list one file per input of the model.
 */
export async function readNpySource(context: ReadContext): Promise<RawDataset> {
  const { source, test, config, options } = context;
  const paths = statedByInput(source.name, config.inputs, context.requirements)?.flat() ?? config.inputs;
  const files = paths ? await Promise.all((paths as readonly string[]).map((path) => context.resolve(path))) : [source];
  const stated = config.labels?.[0];
  const labels = stated === undefined ? await labelsBeside(source, context.resolve) : await context.resolve(stated);
  const read = async (inputs: readonly SourceFile[], targets: SourceFile) => {
    const arrays: ArrayFile[] = [];
    for (const file of inputs) arrays.push(await readNpy(file, options.memoryLimit));
    return arraysToPart(inputs[0]!.name, arrays, await labelFile(targets, options.memoryLimit));
  };
  const train = await read(files, labels);
  const tested = test && (await read([test], await labelsBeside(test, context.resolve)));
  return {
    title: `NumPy arrays of ${source.name}`,
    train: train.part,
    ...(tested && { test: tested.part }),
    hash: sha256(train.hash, tested?.hash ?? ''),
    notes: stated === undefined ? [`Labels are read from ${labels.name}.`] : [],
  };
}

async function labelsBeside(inputs: SourceFile, resolve: ReadContext['resolve']): Promise<SourceFile> {
  const folder = dirname(inputs.path);
  const own = basename(inputs.path);
  const candidates = [
    own.replace(/^x/i, (x) => (x === 'x' ? 'y' : 'Y')),
    own.replace(/([_-])x(?=[_.-])/i, '$1y'),
    own.replace(/images|inputs|features|data/i, 'labels'),
    own.replace(/images|inputs|features|data/i, 'targets'),
  ];
  for (const candidate of candidates) {
    if (candidate === own) continue;
    const path = join(folder, candidate);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    ) {
      return resolve(path, inputs.name.slice(0, inputs.name.length - own.length) + candidate);
    }
  }
  throw invalidData(
    inputs.name,
    'a .npy file holds one array: name the file with the labels in "data.labels"',
    'labels',
  );
}
