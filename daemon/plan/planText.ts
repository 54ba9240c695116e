import { isDeepStrictEqual } from 'node:util';
import { parse } from 'jsonc-parser';
import type { PlanLength } from '../protocol/dataChoice.js';
import type { Budget, DataSource, ErrorBound } from '../protocol/plan.js';

/** The keys that people set first; all others have defaults. */
export interface ShortPlan {
  readonly model: string;
  /** A name or path, alone or with the names of arrays or columns. */
  readonly data: DataSource;
  /** The budget of the result; or `path`, the largest error of the smallest network. */
  readonly budget?: Budget;
  readonly path?: ErrorBound;
  /** For a model that is frozen as a whole: nothing could be pruned without it. */
  readonly unfreeze?: true;
  /** For data without labels. */
  readonly distill?: Record<string, never>;
  readonly length?: PlanLength | undefined;
}

const spaced = (value: object): string => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');

/** The keys of a plan that determine its duration. */
const lengthKeys = ({ iterations, epochs, retrainEpochs }: PlanLength) => ({
  schedule: { iterations, epochs },
  retrain: { epochs: retrainEpochs },
});

const boundWords = (bound: ErrorBound): string =>
  'maxError' in bound
    ? `whose error is at most ${bound.maxError}`
    : `that loses at most ${bound.maxErrorIncrease} (in points of error, against the reference)`;

function lengthWords({ about }: PlanLength, isSearch: boolean): string {
  const time = about?.replace(/\s+/g, ' ');
  if (isSearch)
    return `Of the first budget that is tried${time ? `, at most ${time}` : ''}; every other one takes less.`;
  return `${time ? `At most ${time}: a` : 'A'} run stops earlier where its weights have met the budget.`;
}

/** The text of a new plan file: short, with the settings that people change first. */
export function planText({ model, data, budget, path, unfreeze, distill, length }: ShortPlan): string {
  const keys = length && lengthKeys(length);
  const lines = [
    `"model": ${JSON.stringify(model)}`,
    `"data": ${typeof data === 'string' ? JSON.stringify(data) : spaced(data)}`,
    ...(budget
      ? [
          `// What the result must fit: keep ("1%"), weights (2662), bytes ("40 kB"), flops ("50%"), neurons...\n  "budget": ${spaced(budget)}`,
        ]
      : []),
    ...(path ? [`// The smallest network ${boundWords(path)}, in place of a budget.\n  "path": ${spaced(path)}`] : []),
    ...(unfreeze ? ['// The file freezes every layer (trainable is false).\n  "unfreeze": true'] : []),
    ...(distill ? ['// The data has no labels: the reference teaches.\n  "distill": {}'] : []),
    ...(keys
      ? [
          `// ${lengthWords(length, path !== undefined)}\n  "schedule": ${spaced(keys.schedule)}`,
          `"retrain": ${spaced(keys.retrain)}`,
        ]
      : []),
  ];
  return `{\n  ${lines.join(',\n  ')}\n}\n`;
}

/** Whether a plan file has exactly this content, apart from comments and order. */
export function saysJust(text: string, { length, ...plan }: ShortPlan): boolean {
  const { $schema: _schema, ...said } = (parse(text) ?? {}) as Record<string, unknown>;
  return isDeepStrictEqual(said, { ...plan, ...(length && lengthKeys(length)) });
}

/** How a plan names a file: relative to the plan's folder. */
export { relativePath as planPath } from '../files/workspacePath.js';
