/** Results of runs: the figures of their finish, what changed, and the user's own sample answered by both networks. */
import { findRun, type Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';

export const resultHandlers: Pick<Handlers<Context>, 'lc/finish' | 'lc/changed' | 'lc/trySample'> = {
  async 'lc/finish'({ run }, context) {
    return context.backend.readFinish((await findRun(run, context)).folder);
  },

  async 'lc/changed'({ run, point, progress }, context, signal) {
    const { folder, workspace } = await findRun(run, context);
    const kept = await context.backend.readChanged(folder, point);
    if (kept) return kept;
    context.workspace.requireTrust('Reading data');
    const tell = (done: number, total: number) => {
      if (progress !== undefined) context.notify('lc/progress', { progress, done, total });
    };
    return context.backend.runInChild('changed', { folder, workspace, point }, signal, tell);
  },

  async 'lc/trySample'({ run, point, sample }, context, signal) {
    context.workspace.requireTrust('Reading data');
    const { folder, workspace } = await findRun(run, context);
    const file = sample.kind === 'file' ? (await context.workspace.contain(sample.file)).path : null;
    const given = file === null ? sample : { ...sample, file: context.workspace.asNamed(file) };
    return context.backend.runInChild('trySample', { folder, workspace, point, sample: given }, signal);
  },
};
