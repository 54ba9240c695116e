/** Data for a model: search, preview, the packages that npm must install, and outlooks without a run. */
import { dirname } from 'node:path';
import { UserError } from '../../protocol/errors.js';
import type { Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';

/** The model and, if one is named, its plan's folder: both in one folder of the workspace. */
async function placeOf(model: string, planPath: string | undefined, { workspace }: Pick<Context, 'workspace'>) {
  const { folder, path } = await workspace.contain(model);
  if (planPath === undefined) return { workspace: folder, model: path };
  const plan = await workspace.contain(planPath);
  if (plan.folder !== folder)
    throw new UserError('path-outside-workspace', 'the plan and its model lie in different workspace folders', {
      file: planPath,
    });
  return { workspace: folder, model: path, planFolder: dirname(plan.path) };
}

export const dataHandlers: Pick<
  Handlers<Context>,
  'lc/searchData' | 'lc/previewData' | 'lc/outlook' | 'lc/sensitivity' | 'lc/missingPackages'
> = {
  async 'lc/searchData'({ model, planPath }, context, signal) {
    // Whoever looks for data is shown some of it next.
    if (context.workspace.trusted) context.backend.warmJob('previewData');
    const found = await context.backend.runInChild('searchData', await placeOf(model, planPath, context), signal);
    return { ...found, packagesFolder: context.workspace.asNamed(found.packagesFolder) };
  },

  async 'lc/previewData'({ model, data, planPath }, context, signal) {
    context.workspace.requireTrust('Reading data');
    const place = await placeOf(model, planPath, context);
    const preview = await context.backend.runInChild('previewData', { ...place, data }, signal);
    context.running.expectStart();
    return preview;
  },

  async 'lc/outlook'({ goals, of }, context, signal) {
    context.workspace.requireTrust('Reading data');
    const { folder: workspace, path } = await context.workspace.contain('planPath' in of ? of.planPath : of.model);
    const subject = 'planPath' in of ? { planFile: path } : { ...of, model: path };
    const outlook = await context.backend.runInChild('outlook', { goals, of: subject, workspace }, signal);
    context.running.expectStart();
    return outlook;
  },

  async 'lc/sensitivity'({ planPath, progress }, context, signal) {
    context.workspace.requireTrust('Reading data');
    const { folder: workspace, path } = await context.workspace.contain(planPath);
    const tell = (done: number, total: number) => {
      if (progress !== undefined) context.notify('lc/progress', { progress, done, total });
    };
    return context.backend.runInChild('sensitivity', { planPath: path, workspace }, signal, tell);
  },

  async 'lc/missingPackages'({ planPath }, { workspace }) {
    const { folder, path } = await workspace.contain(planPath);
    const { planPackages } = await import('../../plan/planPackages.js');
    const missing = await planPackages(path, folder);
    return { ...missing, folder: workspace.asNamed(missing.folder) };
  },
};
