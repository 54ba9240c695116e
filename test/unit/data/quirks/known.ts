/** One table of known values. The files of this folder's tests hold it, each with another quirk. */
import { expect } from 'vitest';
import { openDataset } from '../../../../daemon/data/openDataset.js';
import type { DataRequirements, Dataset } from '../../../../daemon/data/dataset.js';
import type { ResolvedData } from '../../../../daemon/protocol/resolvedPlan.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { classifier, dataConfig, messageOf, readAll, type Workspace } from '../fixtures.js';

const random = createRandom(1913);
export const CLASSES = ['setosa', 'versicolor', 'virginica'] as const;
const values = Array.from({ length: 160 }, (_, i) => (i - 40) / 8);
/** Eighths, which every format holds exactly, no two alike. */
export const ROWS: readonly (readonly number[])[] = Array.from({ length: 12 }, () =>
  Array.from({ length: 4 }, () => values.splice(random.below(values.length), 1)[0]!),
);
export const LABELS: readonly number[] = ROWS.map((_, i) => (i * 5) % 3);
export const NAMES: readonly string[] = LABELS.map((label) => CLASSES[label]!);
export const COLUMNS = ['a', 'b', 'c', 'd'] as const;

export const iris: DataRequirements = classifier([4], 3);

/** Header and rows of a CSV file. @param cell how a number is written. */
export function csv(
  delimiter = ',',
  cell: (value: number) => string = String,
  label: (row: number) => string = (row) => NAMES[row]!,
): string[] {
  const rows = ROWS.map((row, i) => [...row.map(cell), label(i)].join(delimiter));
  return [[...COLUMNS, 'label'].join(delimiter), ...rows];
}

export interface Read {
  readonly requirements?: DataRequirements;
  readonly config?: Partial<ResolvedData>;
}

export const open = (workspace: Workspace, source: string, { requirements = iris, config = {} }: Read = {}) =>
  openDataset(dataConfig(source, config), requirements, { workspace: workspace.folder, seed: 1, purpose: 'evaluate' });

/** The file is read, and holds the known values and labels. @returns the data set. */
export async function expectKnown(workspace: Workspace, source: string, read: Read = {}): Promise<Dataset> {
  const dataset = await open(workspace, source, read);
  const { inputs, targets } = await readAll(dataset, dataset.test);
  expect(inputs).toEqual(ROWS);
  expect(targets).toEqual(LABELS.map((label) => [0, 1, 2].map((c) => Number(c === label))));
  return dataset;
}

/** The file is refused in this sentence, and nothing else. */
export async function expectRefused(
  workspace: Workspace,
  source: string,
  sentence: string,
  read: Read = {},
): Promise<void> {
  expect(await messageOf(open(workspace, source, read))).toBe(`${source}${sentence}`);
}
