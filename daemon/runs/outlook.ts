/** The cost of runs to several goals here, and the errors of their direct compressions: computed before a run is started. */
import { dirname, join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { fileFormatOf } from '../export/sparse/packageFormat.js';
import { isPenalty } from '../lc/budgets/budgetSpec.js';
import { directCompression } from '../lc/cStep.js';
import { readModel } from '../model/files/readModel.js';
import { summarizeModel } from '../model/summarize.js';
import { resolveInside } from '../files/workspacePath.js';
import { dataAsWritten, newPlan } from '../plan/newPlan.js';
import { planPath, planText } from '../plan/planText.js';
import { secondsOfRun } from '../plan/proposeTimes.js';
import { readPlan, resolveText } from '../plan/readPlan.js';
import { withPath } from '../plan/resolvePath.js';
import type { PlanLength } from '../protocol/dataChoice.js';
import { UserError } from '../protocol/errors.js';
import type { GoalWanted, Outlook } from '../protocol/outlook.js';
import type { DataSource } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { subset } from '../trainer/assemble/samples.js';
import { answeredSource } from '../trainer/distill/ownAnswers.js';
import { createTasks } from '../trainer/tasks.js';
import { tryPlan, type Timed } from './openPlanData.js';

/** A plan file, or the plan that would be written beside a model. Paths are absolute and lie in the workspace. */
export type OutlookOf =
  | { readonly planFile: string }
  | { readonly model: string; readonly data: DataSource; readonly length?: PlanLength | undefined };

/** Enough samples to distinguish 74% from 5%. */
const SAMPLES = 400;

/** The plan without its goal, and its existing or future file. */
async function planOf(of: OutlookOf, workspace: string): Promise<{ plan: ResolvedPlan; file: string }> {
  if ('planFile' in of) {
    const file = await resolveInside(workspace, workspace, of.planFile);
    return { plan: await readPlan(file, { workspace }), file };
  }
  const folder = dirname(of.model);
  const layers = summarizeModel(await readModel(of.model, { workspace }));
  const data = await dataAsWritten(folder, of.data, workspace);
  const short = newPlan(layers, { model: planPath(folder, of.model), data, length: of.length });
  const file = join(folder, 'new.prune.json');
  return { plan: await resolveText(planText(short), file, { workspace }), file };
}

/** A goal replaces the plan's tasks and path: one task over all of their layers remains. */
function withoutGoal({ path: _path, ...plan }: ResolvedPlan): ResolvedPlan {
  return { ...plan, tasks: [{ ...plan.tasks[0]!, layers: plan.tasks.flatMap((task) => task.layers) }] };
}

/** The held-out part that decides, else the training part: a few samples of it, drawn by the plan's seed. */
function samplesOf({ validation, train }: Dataset, seed: number) {
  const set = validation.size > 0 ? 'validation' : 'train';
  return { set, source: subset(set === 'train' ? train : validation, SAMPLES, seed) } as const;
}

const finite = (error: number): number | null => (Number.isFinite(error) ? error : null);

/** Errors of the direct compressions; null if there is none to compute, or the budget cannot be met. Does not change the session's weights. */
async function cutErrors(
  cuts: readonly (ResolvedPlan['tasks'] | null)[],
  { session, dataset, setup, plan, model, layers }: Timed,
): Promise<Pick<Outlook, 'set' | 'samples' | 'reference' | 'unlabelled'> & { errors: (number | null)[] }> {
  const { set, source: samples } = samplesOf(dataset, plan.seed);
  const source = dataset.unlabelled ? await answeredSource(samples, session, setup) : samples;
  const evaluate = async () => finite((await session.evaluate(source)).error);
  const w = (await session.getWeights()).slice();
  const reference = await evaluate();
  const errors: (number | null)[] = [];
  for (const tasks of cuts) {
    // A penalty prunes by a threshold that is known only during the run.
    if (!tasks || tasks.some(({ budget }) => isPenalty(budget))) {
      errors.push(null);
      continue;
    }
    try {
      const { tasks: compressions } = createTasks({ tasks }, layers, session.parameters, null, fileFormatOf(model));
      const theta = w.slice();
      directCompression(compressions, w, theta, plan.schedule.mu0);
      await session.setWeights(theta);
      errors.push(await evaluate());
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'budget-impossible') throw error;
      errors.push(null);
    }
  }
  await session.setWeights(w);
  return { set, samples: source.size, reference, ...(dataset.unlabelled && { unlabelled: true }), errors };
}

/** An architecture that is trained first has no weights to prune yet. */
const isTrained = ({ model, reference }: ResolvedPlan): boolean => 'path' in model && reference.epochs === 0;

/** For plans that differ in their goals only, with the data, the model and the length of the timed one. */
async function outlookOf(plans: readonly Pick<ResolvedPlan, 'tasks' | 'path'>[], timed: Timed): Promise<Outlook> {
  const { plan, pace, session } = timed;
  const trained = isTrained(plan);
  // The first budget of a search does not show where it ends.
  const cuts = plans.map(({ tasks, path }) => (trained && !path ? tasks : null));
  const { errors, reference, ...facts } = await cutErrors(cuts, timed);
  const { path: _path, ...alone } = plan;
  return {
    ...facts,
    reference: trained ? reference : null,
    device: session.info.device,
    goals: plans.map(({ path }, i) => ({
      cut: errors[i]!,
      seconds: secondsOfRun({ ...alone, ...(path && { path }) }, pace),
    })),
    note: trained ? null : 'the reference is trained first: nothing can be cut before',
  };
}

/** The outlook of a plan as it stands, by what `tryPlan` timed. @param length in place of the plan's own. */
export const outlookOfPlan = (plan: ResolvedPlan, timed: Timed, length?: PlanLength): Promise<Outlook> =>
  outlookOf([plan], length ? { ...timed, plan: withLength(timed.plan, length) } : timed);

const withLength = (plan: ResolvedPlan, { iterations, epochs, retrainEpochs }: PlanLength): ResolvedPlan => ({
  ...plan,
  schedule: { ...plan.schedule, iterations, epochs, firstEpochs: epochs },
  retrain: { ...plan.retrain, epochs: retrainEpochs },
});

/**
 * @param workspace absolute. @returns what is known: null, with a note, if it needs an engine and none works.
 * @throws UserError of every kind that reading the plan, the model and the data can.
 */
export async function outlook(goals: readonly GoalWanted[], of: OutlookOf, workspace: string): Promise<Outlook> {
  const { plan: read, file } = await planOf(of, workspace);
  const plan = withoutGoal(read);
  const nothing = goals.map(() => ({ cut: null, seconds: null }));
  const unknown = (note: string): Outlook => ({ device: null, set: 'train', samples: 0, reference: null, goals: nothing, note }); // prettier-ignore
  const wanted = goals.map((goal) =>
    'bound' in goal ? withPath(plan, goal.bound, file) : { tasks: [{ ...plan.tasks[0]!, budget: goal.budget }] },
  );
  let found: Outlook | null = null;
  const { notes } = await tryPlan(plan, workspace, async (timed) => {
    found = await outlookOf(wanted, timed);
  });
  return found ?? unknown(notes.at(-1) ?? 'no engine could be timed');
}
