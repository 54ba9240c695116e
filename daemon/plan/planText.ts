import { isDeepStrictEqual } from 'node:util';
import { parse } from 'jsonc-parser';

/** What people say first; everything else has a default. */
interface ShortPlan {
  readonly model: string;
  /** A name or path, or that with the names of arrays or columns. */
  readonly data: string | object;
  readonly budget: object;
  /** Of a model that is frozen as a whole: nothing could be pruned without it. */
  readonly unfreeze?: true;
}

/** The text of a new plan file: short, with the settings people change first. */
export function planText({ model, data, budget, unfreeze }: ShortPlan): string {
  const written = JSON.stringify(budget, null, 1).replace(/\n\s*/g, ' ');
  return `{
  "model": ${JSON.stringify(model)},
  "data": ${JSON.stringify(data)},
  // What the result must fit: keep ("1%"), weights (2662), bytes ("40 kB"), flops ("50%"), neurons...
  "budget": ${written}${unfreeze ? ',\n  // The file freezes every layer (trainable is false).\n  "unfreeze": true' : ''}
}
`;
}

/** Whether a plan file says this and nothing else, whatever its comments and its order. */
export function saysJust(text: string, plan: ShortPlan): boolean {
  const { $schema: _schema, ...said } = (parse(text) ?? {}) as Record<string, unknown>;
  return isDeepStrictEqual(said, { ...plan });
}

/** How a plan names a file: relative to the plan's folder. */
export { relativePath as planPath } from '../model/workspacePath.js';
