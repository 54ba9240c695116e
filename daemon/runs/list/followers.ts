/** Runs whose plans name another run: its baselines, which may also read the reference that it has trained. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import type { WorkspacePath } from '../../protocol/paths.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { readRunPlan, runPaths } from '../../trainer/process/runFolder.js';

interface Follower {
  readonly folder: string;
  readonly plan: ResolvedPlan;
}

/** Of files in a run's folder, as plans of the workspace name them. */
const inside = (run: string): string => join('.lcprune', 'runs', run, '/').replaceAll('\\', '/');

/** @param folder of the run, absolute. @returns the runs beside it that name it. What cannot be read names nobody. */
export async function followersOf(folder: string): Promise<Follower[]> {
  const [runs, run] = [dirname(folder), basename(folder)];
  const found: Follower[] = [];
  for (const name of (await readdir(runs)).filter((one) => !one.startsWith('.') && one !== run)) {
    const plan = await readRunPlan(join(runs, name)).catch(() => null);
    if (!plan) continue;
    const readsIt = 'path' in plan.model && plan.model.path.startsWith(inside(run));
    if (plan.baselineOf === run || readsIt) found.push({ folder: join(runs, name), plan });
  }
  return found;
}

/** Has a follower's plan name the run by its new name. @throws Error of the disk; its plan is then as before. */
export async function followTo({ folder, plan }: Follower, before: string, after: string): Promise<void> {
  const { model } = plan;
  const changed: ResolvedPlan = {
    ...plan,
    ...(plan.baselineOf === before && { baselineOf: after }),
    ...('path' in model &&
      model.path.startsWith(inside(before)) && {
        model: { path: `${inside(after)}${model.path.slice(inside(before).length)}` as WorkspacePath },
      }),
  };
  await writeFileAtomic(runPaths(folder).plan, `${JSON.stringify(changed, null, 2)}\n`);
}
