/** Finds the arrays of an .npz file that hold the inputs, the labels and the test part: by usual names, by the model's names, or by size. */
import { UserError } from '../../protocol/errors.js';
import type { ArrayFile } from './arrayFile.js';
import { invalidData, listText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { inputArrays, namedArray } from '../inputs/inputArrays.js';
import { labelNamesFor } from '../labels/labelNames.js';
import { NpzFile } from './npz.js';
import type { TextLabels } from './npyText.js';
import type { ReadContext } from '../openOptions.js';
import { sizeOf } from '../../protocol/shape.js';

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
export const TEST_INPUTS = ['x_test', 'X_test', 'test_x', 'test_images', 'test_data', 'x_val', 'X_val'];
export const TEST_LABELS = ['y_test', 'Y_test', 'test_y', 'test_labels', 'test_targets', 'y_val', 'Y_val'];

/** The arrays that the plan names, else those named after the inputs; for a single input also one of a usual name, or the only one that fits. */
export function inputsOf(
  file: NpzFile,
  { inputs: stated, labels }: ReadContext['config'],
  requirements: DataRequirements,
): readonly string[] {
  const fits = (key: string, input: number) => fitsInput(file, key, requirements.inputShapes[input] ?? []);
  if (requirements.inputShapes.length > 1 || (stated && !Array.isArray(stated))) {
    const targets = [...TRAIN_LABELS, ...TEST_LABELS, ...(Array.isArray(labels) ? labels : []), ...(requirements.outputNames ?? []).flatMap(labelNamesFor)]; // prettier-ignore
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
 * The array of the labels: of a usual name, or named after the trained output, or the only one that fits. If none fits and the model's output is as
 * large as its only input, the inputs are the targets: an autoencoder.
 */
export function pickLabels(file: NpzFile, inputs: readonly string[], requirements: DataRequirements): string {
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

/** The arrays named after untrained outputs, by the outputs' paths. @param taken arrays with another role. */
export function otherLabels(file: NpzFile, taken: readonly string[], { others = [] }: DataRequirements): OtherLabels {
  return new Map(
    others.flatMap(({ output }) => {
      const key = labelNamesFor(output).find((name) => file.keys.includes(name) && !taken.includes(name));
      return key === undefined ? [] : [[output, key] as const];
    }),
  );
}

/** The array's role, or null if it has none. */
function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** The array, or null if it does not hold numbers. */
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

/** Path of an output -> name of its array. */
export type OtherLabels = ReadonlyMap<string, string>;
