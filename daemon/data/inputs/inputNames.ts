/** The names under which a file may hold the model's inputs: the plan's, the inputs' own, or numbered ones. */
import { invalidData, listText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';

/** A plan's names for the inputs: in the inputs' order, or by the name of each input. null: none. */
export type StatedInputs = readonly string[] | Readonly<Record<string, readonly string[]>> | null;

/** "encoder/tokens" -> "tokens". */
const shortName = (input: string): string => input.split('/').at(-1)!;

/** The name of input i in messages. */
export const inputText = ({ inputNames }: DataRequirements, i: number): string =>
  inputNames?.[i] === undefined ? `input ${i + 1}` : JSON.stringify(shortName(inputNames[i]));

/** @returns the list of the model's inputs in messages. */
export const inputsText = (requirements: DataRequirements): string =>
  requirements.inputShapes.map((_, i) => inputText(requirements, i)).join(', ');

/**
 * The names that stand for each input, likeliest first: the input's own, then numbered ones, counted from 0 or from 1. A numbered name is used only
 * if every input has one of the same kind.
 * @returns kinds of naming; for each, the stem of every input.
 */
export function inputStems({ inputNames, inputShapes }: DataRequirements): string[][] {
  const count = inputShapes.length;
  const kinds = inputNames?.length === count ? [inputNames.map(shortName)] : [];
  if (count < 2) return kinds;
  for (const first of [0, 1])
    for (const stem of ['input', 'x', 'X', 'inputs'])
      for (const between of ['_', ''])
        kinds.push(Array.from({ length: count }, (_, i) => `${stem}${between}${i + first}`));
  for (const first of [0, 1])
    for (const stem of ['input', 'inputs', 'x', 'X'])
      kinds.push(Array.from({ length: count }, (_, i) => `${stem}[${i + first}]`));
  return kinds;
}

/**
 * The plan's names for each input, in the inputs' order; null if the plan has none, or has one list to be divided among several inputs.
 * @throws UserError('data-invalid') for the name of an input that the model does not have, or a missing one.
 */
export function statedByInput(
  file: string,
  stated: StatedInputs,
  requirements: DataRequirements,
): (readonly string[])[] | null {
  if (stated === null || Array.isArray(stated)) return null;
  const named = stated as Readonly<Record<string, readonly string[]>>;
  const names = requirements.inputNames ?? [];
  const known = (key: string, i: number): boolean => key === names[i] || key === shortName(names[i] ?? '');
  const unknown = Object.keys(named).find((key) => !names.some((_, i) => known(key, i)));
  if (unknown !== undefined)
    throw invalidData(
      file,
      `"data.inputs" names the input ${JSON.stringify(unknown)}, but the model has ${inputsText(requirements)}`,
      'inputs',
    );
  return requirements.inputShapes.map((_, i) => {
    const key = Object.keys(named).find((candidate) => known(candidate, i));
    if (key !== undefined) return named[key]!;
    throw invalidData(
      file,
      `"data.inputs" says nothing of the input ${inputText(requirements, i)}; add it: { ${inputsText(requirements).split(', ').map((name) => `${name}: ...`).join(', ')} }`, // prettier-ignore
      'inputs',
    );
  });
}

/**
 * The error that no array or column clearly belongs to an input.
 * @param found the finds for each input; null: nothing.
 * @param kind what the file has: "array", "column".
 */
export function missingInput(
  file: string,
  kind: 'array' | 'column',
  there: readonly string[],
  found: readonly (string | null)[],
  requirements: DataRequirements,
): Error {
  const { inputShapes } = requirements;
  const missing = inputShapes.flatMap((_, i) => (found[i] == null ? [inputText(requirements, i)] : []));
  const has = inputShapes.flatMap((_, i) =>
    found[i] == null ? [] : [`${JSON.stringify(found[i])} is input ${inputText(requirements, i)}`],
  );
  const example = inputShapes.map((_, i) => `${inputText(requirements, i)}: ${found[i] == null ? '"..."' : JSON.stringify(found[i])}`).join(', '); // prettier-ignore
  return invalidData(
    file,
    `the model has ${inputShapes.length} inputs (${inputsText(requirements)}), and no ${kind} is named after ${missing.join(', ')}${has.length > 0 ? ` (${has.join(', ')})` : ''}; there are ${listText(there)}: name ${kind}s after the inputs, or say which are whose in "data.inputs": { ${example} }`,
    'inputs',
  );
}
