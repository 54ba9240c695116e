/** Model files: summaries, previews of budgets, and first plans. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeNew } from '../../files/writeNew.js';
import { UserError } from '../../protocol/errors.js';
import type { Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';
import { previewForRun } from '../jobs/planModel.js';

/** "net/model.json" -> "model"; a file with a common name is named after its folder. */
function planStem(model: string): string {
  const stem = basename(model).replace(/\.[^.]+$/, '');
  return stem === 'model' ? basename(dirname(model)) || stem : stem;
}

export const modelHandlers: Pick<
  Handlers<Context>,
  'lc/inspect' | 'lc/preview' | 'lc/previewPlan' | 'lc/createPlan'
> = {
  async 'lc/inspect'({ model }, { workspace, models }) {
    const { folder, path } = await workspace.contain(model);
    return models.ask('summary', path, folder, { shown: model });
  },

  async 'lc/preview'({ model, budget, exclude }, { workspace, models }) {
    const { folder, path } = await workspace.contain(model);
    return models.ask('preview', path, folder, { budget, exclude });
  },

  async 'lc/previewPlan'({ planPath, budget }, { workspace, models, backend }) {
    const { folder, path } = await workspace.contain(planPath);
    const plan = await backend.readPlan(path, { workspace: folder });
    const run = { plan, workspace: folder, folder: null };
    return Promise.all(
      plan.tasks.map(async (task) => ({
        task: task.name,
        layers: task.layers,
        preview: await previewForRun(run, budget ?? task.budget, models, task.layers),
      })),
    );
  },

  async 'lc/createPlan'({ model, budget, bound, data, length, name }, { workspace, models }) {
    workspace.requireTrust('Writing a plan');
    if ((budget === undefined) === (bound === undefined))
      throw new UserError('usage', 'give either a budget or a bound on the error', { field: 'budget' });
    const { folder, path } = await workspace.contain(model);
    // A goal only needs something to prune.
    const { problem } = await models.ask('preview', path, folder, { budget: budget ?? { keep: '100%' } });
    if (problem) throw new UserError('budget-impossible', problem, { field: 'budget' });
    if (name !== undefined && !/^[\p{L}\p{N} ._-]{1,100}$/u.test(name)) {
      throw new UserError(
        'usage',
        `"${name.slice(0, 100)}" is no plan name; use letters, digits, space, ".", "_" and "-"`,
      );
    }
    const stem = name ?? planStem(path);
    const { planPath, planText, saysJust } = await import('../../plan/planText.js');
    const { dataAsWritten, newPlan } = await import('../../plan/newPlan.js');
    const source = await dataAsWritten(dirname(path), data, folder);
    const wanted = newPlan(await models.layersOf(path, folder), {
      model: planPath(dirname(path), path),
      data: source,
      budget,
      bound,
      length,
    });
    for (let i = 1; i <= 1000; i++) {
      const target = join(dirname(path), `${stem}${i === 1 ? '' : `-${i}`}.prune.json`);
      if (await writeNew(target, planText(wanted))) return { planPath: workspace.asNamed(target) };
      // The same request again, or one that was cancelled halfway.
      const there = await workspace.contain(target).catch(() => null);
      const said = there && (await readFile(there.path, 'utf8').catch(() => null));
      if (said && saysJust(said, wanted)) return { planPath: workspace.asNamed(target) };
    }
    throw new UserError('disk', `${stem}.prune.json and its successors exist; delete or rename some`, { file: path });
  },
};
