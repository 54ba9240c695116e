/** Model files: summaries, previews of budgets, and first plans. */
import { open, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import { frozenNote } from '../../model/layers/trainedLayers.js';
import { UserError } from '../../protocol/errors.js';
import type { ModelSummary } from '../../protocol/messages.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import type { Context } from '../context.js';
import type { Handlers } from '../connection/dispatch.js';
import type { LoadedModel } from '../modelCache.js';
import { previewForRun } from '../jobs/planModel.js';
import { asInNewPlan, previewBudget } from '../../plan/previewBudget.js';

function countZeros(values: Float32Array): number {
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return zeros;
}

/** Zeros are counted among prunable weights only. @param path the model's file, as the client names it. */
export function modelSummary({ model, layers, weights }: LoadedModel, path: AbsolutePath): ModelSummary {
  const frontEnd = frontEndOf(model);
  const links = frontEnd.links();
  const rows = layers.map((layer) => {
    const kernels = layer.weights.filter((weight) => weight.prunable);
    const zeros = kernels.reduce((total, { name }) => total + countZeros(weights.get(name) ?? new Float32Array()), 0);
    return {
      name: layer.name,
      className: layer.className,
      outputShape: layer.outputShape ? [...layer.outputShape] : null,
      params: layer.params,
      prunable: layer.prunable,
      flops: layer.flops,
      zeros,
      frozen: layer.frozen === true,
      ...(links.get(layer.name) ?? { reads: [], units: null }),
    };
  });
  const sum = (key: 'params' | 'prunable' | 'flops' | 'zeros') => rows.reduce((total, row) => total + row[key], 0);
  return {
    path,
    format: model.format,
    name: frontEnd.name ?? basename(model.path),
    params: sum('params'),
    prunable: sum('prunable'),
    bytes: model.weights.reduce((total, weight) => total + weight.data.length * 4, 0),
    flops: sum('flops'),
    zeros: sum('zeros'),
    layers: rows,
    notes: [...model.notes, frozenNote(layers)].filter((note) => note !== null),
  };
}

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
    return modelSummary(await models.load(path, folder), model);
  },

  async 'lc/preview'({ model, budget, exclude }, { workspace, models }) {
    const { folder, path } = await workspace.contain(model);
    return previewBudget(asInNewPlan(await models.load(path, folder)), budget, exclude);
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
    const loaded = await models.load(path, folder);
    // A goal only needs something to prune.
    const problem = previewBudget(asInNewPlan(loaded), budget ?? { keep: '100%' }).problem;
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
    const wanted = newPlan(loaded.layers, {
      model: planPath(dirname(path), path),
      data: source,
      budget,
      bound,
      length,
    });
    for (let i = 1; i <= 1000; i++) {
      const target = join(dirname(path), `${stem}${i === 1 ? '' : `-${i}`}.prune.json`);
      // "wx": never overwrites an existing file, even one that appears meanwhile.
      const file = await open(target, 'wx').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return null;
        throw new UserError('disk', `${target} was not written: ${error.message}`, { file: target });
      });
      if (!file) {
        // The same request again, or one that was cancelled halfway.
        const there = await workspace.contain(target).catch(() => null);
        const said = there && (await readFile(there.path, 'utf8').catch(() => null));
        if (said && saysJust(said, wanted)) return { planPath: workspace.asNamed(target) };
        continue;
      }
      try {
        await file.writeFile(planText(wanted));
      } finally {
        await file.close();
      }
      return { planPath: workspace.asNamed(target) };
    }
    throw new UserError('disk', `${stem}.prune.json and its successors exist; delete or rename some`, { file: path });
  },
};
