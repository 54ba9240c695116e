/** Starting, steering and keeping runs. */
import { UserError } from '../../protocol/errors.js';
import { placeOf } from '../../protocol/runs/runOn.js';
import type { RunSummary } from '../../protocol/messages.js';
import { findRun, type Context, type FoundRun } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';
import type { RunningRun } from '../runningRuns.js';
import { previewForRun } from '../jobs/planModel.js';

type RunHandlers = Pick<
  Handlers<Context>,
  | 'lc/runs'
  | 'lc/refresh'
  | 'lc/start'
  | 'lc/pause'
  | 'lc/resume'
  | 'lc/stop'
  | 'lc/delete'
  | 'lc/rename'
  | 'lc/mark'
  | 'lc/setBudget'
  | 'lc/previewRun'
  | 'lc/plan'
  | 'lc/adopt'
>;

async function findRunning(
  run: string,
  context: Context,
): Promise<{ found: FoundRun; running: RunningRun | undefined }> {
  const found = await findRun(run, context);
  return { found, running: context.running.get(found.workspace, found.run) };
}

async function requireIdle(run: string, context: Context): Promise<FoundRun> {
  const { found, running } = await findRunning(run, context);
  if (running) throw new UserError('run-invalid', `${found.run} is running; stop it first`);
  return found;
}

/** Newest first, of all folders of the connection. */
async function listAll({ workspace, running }: Context, options: { reread: boolean }): Promise<RunSummary[]> {
  await workspace.settled();
  const lists = await Promise.all(workspace.folders.map((folder) => running.list(folder, options)));
  return lists
    .flat()
    .map((summary) => workspace.runAsNamed(summary))
    .sort((a, b) => b.started - a.started);
}

/** Pauses or stops a run, whichever process runs it. */
async function steer(run: string, type: 'pause' | 'stop', context: Context): Promise<null> {
  const { found, running } = await findRunning(run, context);
  if (running) await (type === 'pause' ? running.handle.pause() : running.handle.stop('user'));
  else {
    const queue = type === 'stop' ? await context.backend.queue() : null;
    if (await queue?.readJob(found.folder)) await queue!.stopJob(found.folder);
    else await context.backend.steerRun(found.folder, { type });
    await context.running.look(found.workspace);
  }
  return null;
}

export const runHandlers: RunHandlers = {
  async 'lc/adopt'(_params, { workspace, running }) {
    workspace.requireTrust('Looking after runs');
    await workspace.settled();
    await running.adopt(workspace.folders);
    return null;
  },

  'lc/runs': (_params, context) => listAll(context, { reread: false }),
  'lc/refresh': (_params, context) => listAll(context, { reread: true }),

  async 'lc/start'({ planPath, engine, seed, compare, path: asPath, runOn }, { workspace, backend, running }) {
    workspace.requireTrust('Running a plan');
    const { folder, path } = await workspace.contain(planPath);
    if (asPath && compare?.includes('gradual'))
      throw new UserError('usage', 'gradual pruning has no path; compare with magnitude pruning', { field: 'compare' });
    const { runOn: planned, ...read } = await backend.readPlan(path, { workspace: folder, ...(asPath && { asPath }) });
    const remote = placeOf(runOn, planned);
    const plan = {
      ...read,
      ...(remote && { runOn: remote }),
      ...(engine === undefined ? {} : { engine }),
      ...(seed === undefined ? {} : { seed }),
    };
    const baselines = [...new Set(compare ?? [])].filter((method) => method !== plan.method);
    const run = await running.start({ ...plan, ...(baselines.length > 0 && { compare: baselines }) }, folder);
    return { run, folder: workspace.runFolderAsNamed(folder, run) };
  },

  'lc/pause': ({ run }, context) => steer(run, 'pause', context),

  async 'lc/resume'({ run, engine, runOn }, context) {
    context.workspace.requireTrust('Resuming a run');
    const { found, running } = await findRunning(run, context);
    const isOther = !running && (await context.backend.runOwner(found.folder)) !== null;
    const moved = engine !== undefined ? 'engine' : runOn !== undefined ? 'runOn' : null;
    if ((running || isOther) && moved) {
      const where = moved === 'engine' ? 'on another engine' : 'in another place';
      throw new UserError('run-invalid', `${found.run} has a trainer; stop it first, then it can go on ${where}`, { field: moved }); // prettier-ignore
    }
    if (running) await running.handle.resume();
    else if (isOther) {
      await context.backend.steerRun(found.folder, { type: 'resume' });
      await context.running.look(found.workspace);
    } else await context.running.resume(found.folder, found.workspace, { engine, runOn });
    return null;
  },

  'lc/stop': ({ run }, context) => steer(run, 'stop', context),

  async 'lc/delete'({ run }, context) {
    context.workspace.requireTrust('Deleting a run');
    const { workspace, run: name } = await requireIdle(run, context);
    await context.backend.deleteRun(workspace, name);
    context.running.changed(workspace, name, null);
    return null;
  },

  async 'lc/rename'({ run, name }, context) {
    context.workspace.requireTrust('Renaming a run');
    const { workspace, run: before } = await requireIdle(run, context);
    const renamed = await context.backend.renameRun(workspace, before, name);
    context.running.changed(workspace, before, null);
    const folder = await context.backend.runFolder(workspace, renamed);
    context.running.changed(workspace, renamed, await context.backend.runSummary(folder));
    // Its baselines name it anew.
    await context.running.look(workspace);
    return { run: renamed, folder: context.workspace.asNamed(folder) };
  },

  async 'lc/mark'({ run, change }, context) {
    context.workspace.requireTrust('Noting something of a run');
    const { found, running } = await findRunning(run, context);
    const marks = await context.backend.changeMarks(found.folder, change);
    const summary = await context.backend.runSummary(found.folder, running !== undefined);
    context.running.changed(found.workspace, found.run, summary);
    return marks;
  },

  async 'lc/setBudget'({ run, budget }, context) {
    context.workspace.requireTrust('Changing a budget');
    const { found, running } = await findRunning(run, context);
    if (running) await running.handle.setBudget(budget);
    else await context.backend.steerRun(found.folder, { type: 'setBudget', budget });
    return previewForRun({ ...found, plan: await context.backend.readRunPlan(found.folder) }, budget, context.models);
  },

  async 'lc/previewRun'({ run, budget }, context) {
    const { folder, workspace } = await findRun(run, context);
    const plan = await context.backend.readRunPlan(folder);
    return previewForRun({ plan, workspace, folder }, budget, context.models);
  },

  async 'lc/plan'({ run }, context) {
    const { folder } = await findRun(run, context);
    return { plan: await context.backend.readRunPlan(folder) };
  },
};
