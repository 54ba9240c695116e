/** Finds the columns of a table that are each input of the model. */
import { invalidData } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { inputStems, inputText, missingInput } from './inputNames.js';
import { sizeOf } from '../../protocol/shape.js';

const SEPARATOR = /^[_.\-:/ [(]/;

/** Columns "age", "x_age", or "age_0", "age[1]", "age.left": those whose name is the stem, or begins with it and a separator. */
function columnsOf(names: readonly string[], columns: readonly number[], stem: string): number[] {
  const wanted = stem.toLowerCase();
  const lower = (i: number): string => names[i]!.toLowerCase();
  const whole = columns.filter((i) => lower(i) === wanted || lower(i) === `x_${wanted}`);
  if (whole.length === 1) return whole;
  const rest = (i: number): string =>
    lower(i).startsWith(wanted) ? lower(i).slice(wanted.length) : lower(i).startsWith(`x_${wanted}`) ? lower(i).slice(wanted.length + 2) : ''; // prettier-ignore
  const members = columns.filter((i) => SEPARATOR.test(rest(i)));
  const numbers = members.map((i) => Number(/(\d+)\D*$/.exec(rest(i))?.[1] ?? NaN));
  if (numbers.some(Number.isNaN)) return members;
  return members.map((column, k) => ({ column, at: numbers[k]! })).sort((a, b) => a.at - b.at).map(({ column }) => column); // prettier-ignore
}

/** A column belongs to the longest stem that fits: "age_group_0" is not of "age". */
function shareOut(names: readonly string[], columns: readonly number[], stems: readonly string[]): number[][] {
  const found = stems.map(() => [] as number[]);
  const order = [...stems.keys()].sort((a, b) => stems[b]!.length - stems[a]!.length);
  const taken = new Set<number>();
  for (const i of order) {
    found[i] = columnsOf(names, columns.filter((column) => !taken.has(column)), stems[i]!); // prettier-ignore
    for (const column of found[i]) taken.add(column);
  }
  return found;
}

/** Number of values of each input; null if a size is open. */
const widthsOf = ({ inputShapes }: DataRequirements): (number | null)[] =>
  inputShapes.map((shape) => (shape.some((n) => n === null) ? null : sizeOf(shape as number[])));

/** The columns in their order, as many for each input as it has values; null if the numbers do not match. */
function inOrder(columns: readonly number[], requirements: DataRequirements): number[][] | null {
  const widths = widthsOf(requirements);
  if (columns.length === widths.length) return columns.map((column) => [column]);
  if (widths.includes(null) || columns.length !== (widths as number[]).reduce((sum, n) => sum + n, 0)) return null;
  let at = 0;
  return (widths as number[]).map((width) => columns.slice(at, (at += width)));
}

/** The columns that a plan's list gives each input. @throws UserError('data-invalid') if the numbers do not match. */
export function listedColumns(
  file: string,
  columns: readonly number[],
  requirements: DataRequirements,
): readonly (readonly number[])[] {
  if (requirements.inputShapes.length === 1) return [columns];
  const shared = inOrder(columns, requirements);
  if (shared) return shared;
  const sizes = widthsOf(requirements).map((width, i) => `${inputText(requirements, i)} ${width ?? 'an open number'}`);
  throw invalidData(
    file,
    `"data.inputs" lists ${columns.length} columns, but the inputs take ${sizes.join(' and ')}; give each its own: { ${inputText(requirements, 0)}: [...], ... }`,
    'inputs',
  );
}

/** Columns named after a model's only input, as many as it has values; null if there are none. */
export function namedColumns(
  names: readonly string[] | null,
  columns: readonly number[],
  requirements: DataRequirements,
): readonly number[] | null {
  const [width] = widthsOf(requirements);
  const [stems] = inputStems(requirements);
  if (!names || !stems || width === null) return null;
  const found = columnsOf(names, columns, stems[0]!);
  return found.length === width ? found : null;
}

/**
 * The columns of each input of a model with several: those named after the inputs, else all in their order if their number is that of the inputs'
 * values.
 * @param columns those that may be inputs. @returns also a note if names did not decide.
 * @throws UserError('data-invalid') that lists the columns found for each input.
 */
export function inputColumns(
  file: string,
  names: readonly string[] | null,
  columns: readonly number[],
  requirements: DataRequirements,
): { readonly inputs: readonly (readonly number[])[]; readonly note: string | null } {
  const kinds = names ? inputStems(requirements).map((stems) => shareOut(names, columns, stems)) : [];
  const whole = kinds.find((found) => found.every((group) => group.length > 0));
  if (whole) return { inputs: whole, note: null };
  const some = kinds.find((found) => found.some((group) => group.length > 0));
  const ordered = some ? null : inOrder(columns, requirements);
  if (ordered)
    return {
      inputs: ordered,
      note: `No column is named after an input: they are shared out in their order, ${ordered.map((group, i) => `${group.length} for ${inputText(requirements, i)}`).join(', ')}.`,
    };
  const shown = requirements.inputShapes.map((_, i) => {
    const [first] = some?.[i] ?? [];
    return first === undefined ? null : names![first]!;
  });
  throw missingInput(file, 'column', columns.map((i) => names?.[i] ?? String(i)), shown, requirements); // prettier-ignore
}
