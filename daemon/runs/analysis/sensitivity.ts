/** The sensitivity of a plan's layers, measured on its data, and the floors that its budget takes. Nothing is trained. */
import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { parseShare } from '../../lc/share.js';
import { neededShare, suggestFloors, withLargest, type SensitivityPoint } from '../../lc/sensitivity.js';
import { readPlan } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { Budget } from '../../protocol/plan.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import type { LayerSensitivity, Sensitivity } from '../../protocol/layers/sensitivity.js';
import { planPercent } from '../../protocol/format.js';
import { decisionSet } from '../../trainer/judge/evaluations.js';
import { assemble, type Assembled } from '../../trainer/setup.js';

/** Defaults: the kept shares that are tried for a layer, and the increase of the error that a layer alone may cause. */
export const SHARES: readonly number[] = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01];
export const INCREASE = 0.01;

interface Measured extends Pick<Sensitivity, 'set' | 'samples' | 'reference'> {
  readonly layers: LayerSensitivity[];
}

interface Wanted {
  /** From the largest to the smallest. */
  readonly shares: readonly number[];
  readonly increase: number;
  /** Is called before each evaluation. @param done of `total` evaluations. */
  onProgress?(done: number, total: number, layer: string, share: number): void;
  onLayer?(layer: LayerSensitivity, measured: Omit<Measured, 'layers'>): void;
}

/** The session is disposed at the end. */
export async function measureSensitivity(
  { parts, plan }: Assembled,
  { shares, increase, onProgress, onLayer }: Wanted,
): Promise<Measured> {
  const set = decisionSet(parts.sets);
  const source = parts.sets[set]!;
  const session = await parts.sessions.use(plan.reference.batchSize);
  try {
    const w = (await session.getWeights()).slice();
    const evaluate = async (weights: Float32Array): Promise<number | null> => {
      await session.setWeights(weights);
      const { error } = await session.evaluate(source);
      return Number.isFinite(error) ? error : null;
    };
    const facts = { set, samples: source.size, reference: await evaluate(w) };
    const layers: LayerSensitivity[] = [];
    const total = shares.length * parts.layers.length;
    for (const { layer, ranges } of parts.layers) {
      const points: SensitivityPoint[] = [];
      for (const share of shares) {
        onProgress?.(layers.length * shares.length + points.length, total, layer, share);
        points.push({ share, error: await evaluate(withLargest(w, ranges, share)) });
      }
      const weights = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      const needed = neededShare(points, (facts.reference ?? 0) + increase);
      layers.push({ layer, weights, points, needed });
      onLayer?.(layers.at(-1)!, facts);
    }
    onProgress?.(total, total, '', 0);
    return { ...facts, layers };
  } finally {
    await session.dispose();
  }
}

/** The budget with these floors in place of its own; caps stay. @param floors shares by layer. */
export const withFloors = ({ layers: written, ...rest }: Budget, floors: ReadonlyMap<string, number>): Budget => ({
  ...rest,
  layers: Object.fromEntries(
    [...floors].map(([layer, floor]) => [layer, { ...written?.[layer], floor: planPercent(floor) }]),
  ),
});

/** Floors for the plan's one budget; null if it takes none. @param tasksOf throws a UserError if a budget cannot be met. */
export function floorsFor(
  budget: Budget,
  layers: readonly LayerSensitivity[],
  tasksOf: (budget: Budget) => unknown,
): Map<string, number> | null {
  const accepts = (floors: ReadonlyMap<string, number>): boolean => {
    try {
      tasksOf(withFloors(budget, floors));
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  };
  return suggestFloors(new Map(layers.map(({ layer, needed }) => [layer, needed])), accepts);
}

/** The budget that the floors are for: that of a plan's only task. */
export const budgetOf = ({ tasks }: Pick<ResolvedPlan, 'tasks'>): Budget | null =>
  tasks.length === 1 ? tasks[0]!.budget : null;

/**
 * Measures a plan file. @param workspace absolute.
 * @throws UserError of every kind that reading the plan, opening its data and its model can; 'usage' if the plan trains its reference first.
 */
export async function planSensitivity(
  file: string,
  { workspace, onProgress }: { readonly workspace: string; onProgress?(done: number, total: number): void },
): Promise<Sensitivity> {
  const { path: _path, ...plan } = await readPlan(file, { workspace, formatOf: fileFormatOf });
  if (plan.reference.epochs > 0)
    throw new UserError(
      'usage',
      'this plan trains its reference first; "lc-prune sensitivity" does so too, or name a trained model as "model"',
      { field: 'model' },
    );
  const assembled = await assemble(plan, { workspace, purpose: 'inference' });
  const { parts, notes, doubts } = assembled;
  const measured = await measureSensitivity(assembled, {
    shares: SHARES,
    increase: INCREASE,
    ...(onProgress && { onProgress }),
  });
  const budget = budgetOf(plan);
  const floors = Object.entries(budget?.layers ?? {}).flatMap(([layer, { floor }]) =>
    floor === undefined ? [] : [[layer, parseShare(floor)] as const],
  );
  const suggested = budget && floorsFor(budget, measured.layers, parts.tasks);
  return {
    ...measured,
    increase: INCREASE,
    budget,
    floors: Object.fromEntries(floors),
    suggested: suggested && Object.fromEntries(suggested),
    notes: [...doubts, ...notes],
  };
}
