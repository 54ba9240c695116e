/** The fields of events, and of the message that streams batches, derived from the columns. */
import * as z from 'zod';
import type { Column } from './columns.js';

export const measure = z.number().nullable().describe('null: not a finite number');

type Columns = Readonly<Record<string, Column>>;
type Field<C extends Column> = C['type'] extends 'measure'
  ? typeof measure
  : C['type'] extends 'optional'
    ? z.ZodOptional<z.ZodNumber>
    : z.ZodNumber;
type Carried<T extends Columns> = { [K in keyof T as T[K] extends { isDerived: true } ? never : K]: Field<T[K]> };

function fieldOf({ type, hint }: Column): z.ZodType {
  const field = type === 'measure' ? measure : type === 'optional' ? z.number().optional() : z.number();
  return hint === undefined ? field : field.describe(hint);
}

/** The fields of an event's columns, as the shape of a zod object. */
export const eventFields = <T extends Columns>(columns: T): Carried<T> =>
  Object.fromEntries(
    Object.entries(columns).flatMap(([name, column]) => (column.isDerived ? [] : [[name, fieldOf(column)]])),
  ) as Carried<T>;

/** The values of a column: as numbers in an array. */
type Values<C extends Column> = (C['type'] extends 'measure' ? number | null : number)[];

/**
 * An array for each column, with the values of one row at one index; derived columns as in their event. One loop checks an array: zod allocates for
 * each element, and the stream has thousands a second.
 */
export const columnArrays = <T extends Columns>(columns: T): { [K in keyof T]: z.ZodType<Values<T[K]>> } =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { type }]) => [
      name,
      z.custom(
        (value) =>
          Array.isArray(value) && value.every((cell) => Number.isFinite(cell) || (cell === null && type === 'measure')),
        `must be an array of finite numbers${type === 'measure' ? ' or null' : ''}`,
      ),
    ]),
  ) as never;
