import type { DataSource } from '../protocol/plan.js';
import type { ResolvedData } from '../protocol/resolvedPlan.js';

const list = (value: string | string[] | undefined): string[] | null =>
  value === undefined ? null : typeof value === 'string' ? [value] : value;

/** A list, or a list for each input by its name. */
const inputsOf = (value: string | string[] | Record<string, string | string[]> | undefined): ResolvedData['inputs'] =>
  typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([input, names]) => [input, list(names)!]))
    : list(value);

/** The "data" of a plan with its defaults. `dataPath` turns a path of the plan into one relative to the workspace and leaves built-in names alone. */
export function resolveData(written: DataSource, dataPath: (path: string) => string): ResolvedData {
  const data = typeof written === 'string' ? { source: written } : written;
  return {
    source: dataPath(data.source),
    format: data.format ?? null,
    inputs: inputsOf(data.inputs),
    labels: data.labels === false ? false : list(data.labels),
    test: data.test === undefined ? null : dataPath(data.test),
    validation: data.validation ?? 0,
    limit: data.limit ?? null,
    scale: data.preprocess?.scale ?? 'auto',
    mean: data.preprocess?.mean ?? 'none',
    augment: { flip: data.augment?.flip ?? false, shift: data.augment?.shift ?? 0 },
    classes: Array.isArray(data.classes) ? data.classes.map(String) : (data.classes ?? 'auto'),
    classWeights: data.classWeights ?? null,
  };
}
