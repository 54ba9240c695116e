import { basename, resolve } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { openDataset } from '../../data/openDataset.js';
import { previewSamples } from '../../data/preview.js';
import { openEngine } from '../../engine/registry.js';
import { writeFileAtomic } from '../../model/atomicWrite.js';
import { buildArchitecture } from '../../model/architectures.js';
import { withInputSizes } from '../../model/inputSizes.js';
import type { Model } from '../../model/model.js';
import { readModel } from '../../model/readModel.js';
import { setupByData } from '../../model/setupByData.js';
import { summarizeModel } from '../../model/summarize.js';
import { asideNote, frozenNote } from '../../model/trainedLayers.js';
import { trainingSetup, type TrainingSetup } from '../../model/trainingSetup.js';
import { resolveInside } from '../../model/workspacePath.js';
import { readPlan } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { candidatesOf, joinOutputs, setupsOf } from '../../trainer/jointOutputs.js';
import { isOpen, readByReference } from '../../trainer/reading.js';
import { integerOption, namedFile, stringOption, type Command } from '../command.js';
import { inputFacts, pageGrid, terminalGrid } from '../previewView.js';

export const preview: Command = {
  name: 'preview',
  positionals: 'PLAN',
  summary: "samples of a plan's data with their labels, as the model will see them",
  options: {
    samples: { type: 'string', value: 'N', help: 'how many (default: 16)' },
    out: { type: 'string', value: 'FILE', help: 'write an HTML page with the pictures' },
  },
  async run({ positionals, values, terminal }) {
    const { file: planFile, workspace } = await namedFile(positionals[0]!, values);
    const count = integerOption(values, 'samples', 1, 1000) ?? 16;
    const out = stringOption(values, 'out');
    if (out !== undefined && !/\.html?$/i.test(out))
      throw new UserError('usage', `--out: the page is HTML; call it NAME.html, not "${basename(out)}"`, { file: out });
    const plan = await readPlan(planFile, { workspace });
    const model =
      'path' in plan.model
        ? await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace })
        : buildArchitecture(plan.model.architecture, plan.seed);
    const candidates = candidatesOf(model, plan);
    const { setup, opened } = await setupByData(trainingSetup(model, plan.output ?? undefined), (requirements) => {
      const wanted = { ...requirements, others: setupsOf(candidates) };
      return openDataset(plan.data, wanted, { workspace, seed: plan.seed, trusted: true });
    });
    try {
      const { dataset, notes } = await asTheRunWill(plan, model, setup, opened, workspace);
      const layers = summarizeModel(model);
      const joining = joinOutputs(plan, setup, layers, candidates, opened.others);
      const untrained = [frozenNote, asideNote]
        .map((note) => note(layers, joining.plan))
        .filter((note) => note !== null);
      const all = [...setup.notes, ...untrained, ...joining.notes, ...notes];
      const shown = await previewSamples(dataset, count, setup.inputNames);
      if (out !== undefined) await writeFileAtomic(resolve(out), pageGrid(shown));
      for (const note of [...shown.notes, ...all]) terminal.note(note);
      terminal.print(terminalGrid(shown, terminal.columns, process.stdout.isTTY === true && !process.env['NO_COLOR']));
      terminal.print(
        `${shown.description}; ${shown.inputs.map((input) => inputFacts(input, shown.inputs.length > 1)).join('; ')}`,
      );
      const inputs = shown.inputs.map(({ values: _values, ...facts }) => facts);
      terminal.emit({ event: 'preview', ...shown, notes: [...shown.notes, ...all], inputs });
      return 0;
    } finally {
      opened.close();
    }
  },
};

/** The data as a run of the plan reads it: what is open is asked of the model it gives. */
async function asTheRunWill(
  plan: ResolvedPlan,
  model: Model,
  setup: TrainingSetup,
  opened: Dataset,
  workspace: string,
): Promise<{ dataset: Dataset; notes: readonly string[] }> {
  if (!isOpen(plan, opened)) return { dataset: opened, notes: [] };
  const output = plan.output === null ? {} : { output: plan.output };
  const spec = {
    loss: setup.loss,
    lossSettings: setup.lossSettings,
    fromLogits: setup.fromLogits,
    batchSize: 256,
    purpose: 'inference' as const,
    seed: plan.seed,
    ...output,
  };
  try {
    const session = await openEngine(plan.engine, withInputSizes(model, opened.inputShapes), spec, {
      folders: [workspace],
    });
    try {
      return await readByReference(plan.data, opened, session, setup);
    } finally {
      await session.dispose();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { dataset: opened, notes: [`Not asked of the model how to read the data: ${error.message}`] };
  }
}
