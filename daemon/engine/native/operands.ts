import {
  type Geometry,
  layouts,
  operationLayout,
  type Pool,
  program,
  records,
  type Repeat,
  step,
  stepLayout,
  stepLength,
} from './layout.js';
import { floatBits, type Place, words } from './places.js';

/** What is given for a field of each type; a place may be none where the kernel allows it. */
interface Values {
  readonly span: Place | undefined;
  readonly int: number;
  readonly flag: boolean;
  readonly float: number;
  /** Of all moveRank axes. */
  readonly axes: readonly number[];
  /** Of all leadRank axes. */
  readonly lead: readonly number[];
  readonly geometry: Geometry;
  readonly pool: Pool;
  readonly repeat: Repeat;
}

type Layouts = typeof layouts;
type FieldsOf<L extends keyof Layouts> = {
  readonly [F in keyof Layouts[L]]: Layouts[L][F] extends keyof Values ? Values[Layouts[L][F]] : never;
};

/** The words of one field, by its type. */
const write: { readonly [T in keyof Values]: (value: Values[T]) => readonly number[] } = {
  span: words,
  int: (value) => [value],
  flag: (value) => [Number(value)],
  float: (value) => [floatBits(value)],
  axes: (value) => value,
  lead: (value) => value,
  geometry: (value) => Object.keys(records.geometry).map((field) => value[field as keyof Geometry]),
  pool: (value) => Object.keys(records.pool).map((field) => value[field as keyof Pool]),
  repeat: (value) => Object.keys(records.repeat).map((field) => value[field as keyof Repeat]),
};

function wordsOf<L extends keyof Layouts>(layout: L, fields: FieldsOf<L>): number[] {
  const code: number[] = [];
  for (const [field, type] of Object.entries(layouts[layout]) as [keyof Layouts[L], keyof Values][])
    code.push(...(write[type] as (value: unknown) => readonly number[])(fields[field]));
  return code;
}

/** The words of an operation: its number, then its fields in the order of the table (kernels/layout.json). */
export const operation = <K extends keyof typeof program>(
  kind: K,
  fields: FieldsOf<(typeof operationLayout)[K]>,
): number[] => [program[kind], ...wordsOf(operationLayout[kind], fields)];

/**
 * The words of a step of a fused operation: the register it writes, what it reads, and what its kind of step has beside;
 * zeros up to the length of all steps.
 */
export function stepWords<K extends keyof typeof step>(
  kind: K,
  registers: { readonly out: number; readonly a: number; readonly b: number },
  rest: FieldsOf<(typeof stepLayout)[K]>,
): number[] {
  const own = [...wordsOf('step', { op: step[kind], ...registers }), ...wordsOf(stepLayout[kind], rest)];
  return [...own, ...new Array<number>(stepLength - own.length).fill(0)];
}
