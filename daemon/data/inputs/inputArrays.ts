/** Finds the arrays of an .npz file that are the model's inputs. */
import { invalidData } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { inputStems, inputText, missingInput, statedByInput, type StatedInputs } from './inputNames.js';

/** Names of training arrays whose stem is an input's name, likeliest first. */
const trainingNames = (stem: string): string[] => [
  `${stem}_train`,
  `x_${stem}_train`,
  `X_${stem}_train`,
  `x_train_${stem}`,
  `X_train_${stem}`,
  `train_${stem}`,
  stem,
  `x_${stem}`,
  `X_${stem}`,
];

/** Names of the array that is the given one's in the test part: "x_train" -> "x_test"; "age" -> "age_test", "x_test_age". */
export function testNames(key: string): string[] {
  if (key.includes('train')) return ['test', 'val'].map((part) => key.replace('train', part));
  return ['test', 'val'].flatMap((part) => [
    `${key}_${part}`,
    `${part}_${key}`,
    `x_${key}_${part}`,
    `x_${part}_${key}`,
  ]);
}

/** By the names of the inputs, or their numbers; null if no array is named so. A kind of naming applies to all inputs or to none. */
function byName(keys: readonly string[], requirements: DataRequirements): (string | null)[] | null {
  const kinds = inputStems(requirements).map((stems) =>
    stems.map((stem) => trainingNames(stem).find((key) => keys.includes(key)) ?? null),
  );
  const whole = kinds.find((found) => found.every((key) => key !== null) && new Set(found).size === found.length);
  return whole ?? kinds[0] ?? null;
}

/**
 * One array for each input of a model with several: the arrays that the plan names, else those named after the inputs, else those of the right size,
 * if all inputs have different sizes and one array fits each.
 * @param fits whether an array's size is that of the input.
 * @throws UserError('data-invalid') that lists the arrays found for each input, and how to name the others.
 */
export function inputArrays(
  file: string,
  keys: readonly string[],
  stated: StatedInputs,
  requirements: DataRequirements,
  fits: (key: string, input: number) => boolean,
): readonly string[] {
  const count = requirements.inputShapes.length;
  const assigned = statedByInput(file, stated, requirements);
  if (assigned)
    return assigned.map(([key, ...more], i) => {
      if (key !== undefined && more.length === 0) return key;
      throw invalidData(
        file,
        `"data.inputs" is to name one array for the input ${inputText(requirements, i)}`,
        'inputs',
      );
    });
  const listed = stated as readonly string[] | null;
  if (listed) {
    if (listed.length === count) return listed;
    throw invalidData(
      file,
      `"data.inputs" names ${listed.length} ${listed.length === 1 ? 'array' : 'arrays'}, but the model has ${count} inputs; list one array for each, in their order`,
      'inputs',
    );
  }
  const named = byName(keys, requirements);
  if (named?.every((key) => key !== null)) return named as string[];
  const bySize = requirements.inputShapes.map((_, i) => keys.filter((key) => fits(key, i)));
  const only = bySize.map((candidates) => candidates[0]);
  const nobodyNamed = !named || named.every((key) => key === null);
  if (nobodyNamed && bySize.every((candidates) => candidates.length === 1) && new Set(only).size === count)
    return only as string[];
  throw missingInput(file, 'array', keys, named ?? [], requirements);
}

/** The array of a model's only input, by its name; null if there is none. */
export const namedArray = (keys: readonly string[], requirements: DataRequirements): string | null =>
  byName(keys, requirements)?.[0] ?? null;
