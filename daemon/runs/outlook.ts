/** What runs to several goals would cost here, and the errors of their direct compressions: asked before a run is started. */
import { dirname, join } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { Dataset } from '../data/dataset.js';
import { fileFormatOf } from '../export/packageFormat.js';
import { directCompression } from '../lc/cStep.js';
import { readModel } from '../model/readModel.js';
import { summarizeModel } from '../model/summarize.js';
import { resolveInside } from '../model/workspacePath.js';
import { dataAsWritten, newPlan } from '../plan/newPlan.js';
import { planPath, planText } from '../plan/planText.js';
import { secondsOfRun } from '../plan/proposeTimes.js';
import { resolveText } from '../plan/readPlan.js';
import { withPath } from '../plan/resolvePath.js';
import type { PlanLength } from '../protocol/dataChoice.js';
import { UserError } from '../protocol/errors.js';
import type { GoalWanted, Outlook } from '../protocol/outlook.js';
import type { Budget, DataSource } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { subset } from '../trainer/setup.js';
import { createTasks } from '../trainer/tasks.js';
import { openPlanData, tooLarge, type Timed } from './openPlanData.js';

/** A plan file, or what a new plan beside a model would say. Paths are absolute and lie in the workspace. */
export type OutlookOf =
  | { readonly planFile: string }
  | { readonly model: string; readonly data: DataSource; readonly length?: PlanLength | undefined };

/** Enough to tell 74% from 5%. */
const SAMPLES = 400;
/** Images of folders that are read. */
const IMAGES = 256;

/** The plan without its goal, and the file where it is or would be. */
async function planOf(of: OutlookOf, workspace: string): Promise<{ plan: ResolvedPlan; file: string }> {
  if ('planFile' in of) {
    const file = await resolveInside(workspace, workspace, of.planFile);
    return { plan: await resolveText(await readFile(file, 'utf8'), file, { workspace }), file };
  }
  const folder = dirname(of.model);
  const layers = summarizeModel(await readModel(of.model, { workspace }));
  const data = await dataAsWritten(folder, of.data, workspace);
  const short = newPlan(layers, { model: planPath(folder, of.model), data, length: of.length });
  const file = join(folder, 'new.prune.json');
  return { plan: await resolveText(planText(short), file, { workspace }), file };
}

/** A goal replaces the plan's tasks and path: one task over all of their layers is left. */
function withoutGoal({ path: _path, ...plan }: ResolvedPlan): ResolvedPlan {
  return { ...plan, tasks: [{ ...plan.tasks[0]!, layers: plan.tasks.flatMap((task) => task.layers) }] };
}

/** The held-out part that decides, else the training part: few samples of it, drawn by the plan's seed. */
function samplesOf({ validation, train }: Dataset, seed: number) {
  const set = validation.size > 0 ? 'validation' : 'train';
  return { set, source: subset(set === 'train' ? train : validation, SAMPLES, seed) } as const;
}

const finite = (error: number): number | null => (Number.isFinite(error) ? error : null);

/** Errors of the direct compressions to the budgets; null where the goal has none, or cannot be met. The session's weights are left as they were. */
async function cutErrors(
  budgets: readonly (Budget | null)[],
  { session, dataset, plan, model, layers }: Timed,
): Promise<Pick<Outlook, 'set' | 'samples' | 'reference'> & { cuts: (number | null)[] }> {
  const { set, source } = samplesOf(dataset, plan.seed);
  const w = (await session.getWeights()).slice();
  const reference = finite((await session.evaluate(source)).error);
  const cuts: (number | null)[] = [];
  for (const budget of budgets) {
    // A penalty prunes by a threshold that only the run knows.
    if (!budget || budget.alpha !== undefined) {
      cuts.push(null);
      continue;
    }
    try {
      const own = createTasks(plan, layers, session.parameters, budget, fileFormatOf(model));
      const theta = w.slice();
      directCompression(own.tasks, w, theta, plan.schedule.mu0);
      await session.setWeights(theta);
      cuts.push(finite((await session.evaluate(source)).error));
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'budget-impossible') throw error;
      cuts.push(null);
    }
  }
  await session.setWeights(w);
  return { set, samples: source.size, reference, cuts };
}

/**
 * @param workspace absolute. @returns what is known: what no engine can say is null, with a note.
 * @throws UserError of every kind that reading the plan, the model and the data can.
 */
export async function outlook(goals: readonly GoalWanted[], of: OutlookOf, workspace: string): Promise<Outlook> {
  const { plan: read, file } = await planOf(of, workspace);
  const plan = withoutGoal(read);
  const nothing = goals.map(() => ({ cut: null, seconds: null }));
  const unknown = (note: string): Outlook => ({ device: null, set: 'train', samples: 0, reference: null, goals: nothing, note }); // prettier-ignore
  const large = await tooLarge(plan, workspace);
  if (large !== null) return unknown(large);
  const budgets = goals.map((goal) => ('budget' in goal ? goal.budget : null));
  let found: Outlook | null = null;
  const data = await openPlanData(plan, {
    workspace,
    sample: IMAGES,
    timed: true,
    async ask(timed) {
      // An architecture that is trained first has no weights yet to be cut.
      const isTrained = 'path' in plan.model && plan.reference.epochs === 0;
      const { cuts, ...facts } = await cutErrors(isTrained ? budgets : budgets.map(() => null), timed);
      found = {
        ...facts,
        reference: isTrained ? facts.reference : null,
        device: timed.session.info.device,
        goals: goals.map((goal, i) => ({
          cut: cuts[i]!,
          seconds: secondsOfRun('bound' in goal ? withPath(timed.plan, goal.bound, file) : timed.plan, timed.pace),
        })),
        note: isTrained ? null : 'the reference is trained first: its time is not counted',
      };
    },
  });
  data.close();
  return found ?? unknown(data.notes.at(-1) ?? 'no engine could be timed');
}
