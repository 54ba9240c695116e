import { access } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { readRunPlan } from './registry.js';

/**
 * The plan of a baseline beside a finished LC run: the same data, budget, epochs, seed and, above all, the same reference
 * (the one the run trained, where it trained one).
 * @param folder the LC run's folder, absolute.
 */
export async function baselinePlan(
  folder: string,
  method: 'magnitude' | 'gradual',
  { workspace }: { workspace: string },
): Promise<ResolvedPlan> {
  const plan = await readRunPlan(folder);
  const trained = join(folder, 'reference', 'model.json');
  const here = await access(trained).then(
    () => true,
    () => false,
  );
  return {
    ...plan,
    name: `${plan.name}-${method}`,
    method,
    ...(here && {
      model: { path: relative(workspace, trained) },
      modelHash: null,
      reference: { ...plan.reference, epochs: 0 },
    }),
  };
}
