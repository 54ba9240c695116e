/** A run's past: its log, its event stream, and a layer's weights as of the newest checkpoint. */
import { findRun, type Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';
import { pictureForRun } from '../jobs/planModel.js';
import { runKey } from '../connection/stream.js';

export const historyHandlers: Pick<Handlers<Context>, 'lc/history' | 'lc/subscribe' | 'lc/kept' | 'lc/layer'> = {
  async 'lc/history'({ run, from, limit, resolution }, context) {
    const { folder } = await findRun(run, context);
    return context.backend.readEvents(folder, from, limit, resolution);
  },

  async 'lc/subscribe'({ run, on }, context) {
    // A run that is gone can still be unsubscribed.
    const found = on ? await findRun(run, context) : null;
    context.stream.subscribe(run, found && runKey(found.workspace, found.run));
    if (found) await context.running.follow(found.workspace, found.run, found.folder);
    return null;
  },

  async 'lc/kept'({ run }, context) {
    const { folder } = await findRun(run, context);
    const kept = await context.backend.lastPerLayer(folder);
    return kept && [...kept];
  },

  async 'lc/layer'({ run, layer }, context) {
    const { folder, workspace } = await findRun(run, context);
    const [plan, newest] = await Promise.all([
      context.backend.readRunPlan(folder),
      context.backend.newestWeights(folder),
    ]);
    return pictureForRun({ plan, workspace, folder }, newest, layer, context.models);
  },
};
