/** The data and the length that `init` chooses for a plan without them, each with a sentence that gives the reason. */
import { stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import type { Model } from '../model/model.js';
import { trainingSetup } from '../model/setup/trainingSetup.js';
import { searchData } from '../plan/dataSearch/searchData.js';
import { planPath } from '../plan/planText.js';
import { proposeTimes } from '../plan/proposeTimes.js';
import type { FoundData, PlanLength } from '../protocol/dataChoice.js';
import { BUILTIN_DATA, isBuiltinData } from '../protocol/dataPackages.js';
import { UserError } from '../protocol/errors.js';
import type { Outlook } from '../protocol/outlook.js';
import { aboutTime, outlookParts } from '../protocol/outlookText.js';
import type { DataSource } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { tryPlan, type Timed } from '../runs/openPlanData.js';
import { outlookOfPlan } from '../runs/outlook.js';

/** Data of the workspace that fits the model: beside it or below, else anywhere. */
async function search(model: Model, workspace: string, planFolder: string): Promise<FoundData> {
  const near = await searchData(model, { workspace, folder: dirname(model.path), planFolder });
  if (near.candidates.some(({ kind }) => kind !== 'builtin') || dirname(model.path) === workspace) return near;
  const all = await searchData(model, { workspace, planFolder });
  return { ...all, others: all.others.length > 0 ? all.others : near.others };
}

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');

/** The reason for this data, in a sentence. */
function reasonFor({ candidates, stopped }: FoundData): string {
  const [first, ...rest] = candidates;
  const { name, about, kind } = first!;
  const also = rest.filter((other) => other.kind !== 'builtin' || kind === 'builtin').map((other) => other.name);
  const why = kind === 'builtin' ? 'as it has the sizes of the model, and no file here fits' : 'the likeliest here that fits the model'; // prettier-ignore
  const others = also.length === 0 ? '' : `; ${quoted(also.slice(0, 4))}${also.length > 4 ? ` and ${also.length - 4} more` : ''} ${also.length === 1 ? 'fits' : 'fit'}, too`; // prettier-ignore
  const cut = stopped === null ? '' : ` (not everything was looked at: ${stopped})`;
  return `the data is ${JSON.stringify(name)} (${about}), ${why}${others}; --data names another${cut}`;
}

/** @throws UserError('usage') that lists the data examined, and why it does not fit. */
function nothingFits(model: Model, { others, stopped }: FoundData): UserError {
  const { inputShapes, outputShape } = trainingSetup(model);
  const shape = inputShapes.map((axes) => `[${axes.map((n) => n ?? 'any').join(', ')}]`).join(' and ');
  const found =
    others.length > 0
      ? `none of the data files here fits its input ${shape}: ${quoted(others.map(({ name }) => name))} (${others[0]!.why})`
      : `no built-in data set fits its input ${shape} and output [${outputShape.join(', ')}], and there is no data here`;
  const cut = stopped === null ? '' : ` (not everything was looked at: ${stopped})`;
  const stem = basename(model.path, extname(model.path));
  return new UserError('usage', `${stem}: ${found}${cut}; name the data with --data`, {
    file: model.path,
    field: 'data',
  });
}

/** The plan's data and the reason: the data named by the user, relative to the current folder; else data that fits the model. */
export async function dataFor(
  model: Model,
  { workspace, planFolder, named }: { workspace: string; planFolder: string; named: string | undefined },
): Promise<{ data: DataSource; note: string | null }> {
  if (named === undefined) {
    const found = await search(model, workspace, planFolder);
    const [first] = found.candidates;
    if (!first) throw nothingFits(model, found);
    return { data: first.data, note: reasonFor(found) };
  }
  if (isBuiltinData(named)) return { data: named, note: null };
  const file = resolve(named);
  if (!(await stat(file).catch(() => null)))
    throw new UserError(
      'data-missing',
      `--data: "${named}" is no file or folder here, and no built-in data set (${BUILTIN_DATA.join(', ')})`,
      { file },
    );
  return { data: planPath(planFolder, file), note: null };
}

/** How long the plan is to take, by training steps timed here, and what a single cut would leave; null, with the reason, where there is no estimate. */
export async function lengthOf(
  plan: ResolvedPlan,
  workspace: string,
): Promise<{ length: PlanLength | null; note: string }> {
  const without = (why: string) => ({ length: null, note: `iterations and epochs are left to the run: ${why}` });
  try {
    let outlook: Outlook | null = null;
    const ask = async (timed: Timed) => {
      outlook = await outlookOfPlan(plan, timed, proposeTimes(timed.plan, timed.pace)[0]);
    };
    const { times, notes } = await tryPlan(plan, workspace, ask);
    const [first] = times;
    if (!first || !outlook) return without(notes.at(-1) ?? 'no engine could be timed');
    const { iterations, epochs, retrainEpochs, text } = first;
    const { cut, cost } = outlookParts(outlook, 0);
    const length = { iterations, epochs, retrainEpochs, about: `${aboutTime(first.seconds)} on this machine` };
    const takes = plan.path
      ? `the search takes ${cost} at most: its first budget ${text}, every other one less`
      : `the run takes ${text}`;
    return { length, note: cut === null ? takes : `${takes}; ${cut}` };
  } catch (error) {
    if (error instanceof UserError) return without(error.message);
    throw error;
  }
}
