import * as z from 'zod';

type Schema = z.core.$ZodType;

function unwrap(schema: Schema): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => unwrap(option as Schema));
  return [schema];
}

/** The keys that the object at `path` may have, for suggestions and completion. It descends into records and arrays. */
export function keysAt(schema: Schema, path: readonly (string | number)[]): string[] {
  const objects = schemasAt(schema, path).filter((candidate) => candidate instanceof z.ZodObject);
  return [...new Set(objects.flatMap((object) => Object.keys(object.shape)))];
}

/** Every schema that may apply to the value at `path`. */
export function schemasAt(schema: Schema, path: readonly (string | number)[]): Schema[] {
  let level = unwrap(schema);
  for (const part of path) {
    level = level.flatMap((candidate) => {
      if (candidate instanceof z.ZodObject) {
        const inner = candidate.shape[part] as Schema | undefined;
        return inner ? unwrap(inner) : [];
      }
      if (candidate instanceof z.ZodArray) return unwrap(candidate.element as Schema);
      if (candidate instanceof z.ZodRecord) return unwrap(candidate.valueType as Schema);
      return [];
    });
  }
  return level;
}
