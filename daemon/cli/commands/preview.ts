import { resolve } from 'node:path';
import { openDataset } from '../../data/openDataset.js';
import { previewSamples } from '../../data/preview.js';
import { writeFileAtomic } from '../../model/atomicWrite.js';
import { buildArchitecture } from '../../model/architectures.js';
import { readModel } from '../../model/readModel.js';
import { setupByData } from '../../model/setupByData.js';
import { trainingSetup } from '../../model/trainingSetup.js';
import { resolveInside } from '../../model/workspacePath.js';
import { readPlan, workspaceFor } from '../../plan/readPlan.js';
import { integerOption, stringOption, type Command } from '../command.js';
import { pageGrid, terminalGrid } from '../previewView.js';

export const preview: Command = {
  name: 'preview',
  positionals: 'PLAN',
  summary: "samples of a plan's data with their labels, as the model will see them",
  options: {
    samples: { type: 'string', value: 'N', help: 'how many (default: 16)' },
    out: { type: 'string', value: 'FILE', help: 'write an HTML page with the pictures' },
  },
  async run({ positionals, values, terminal }) {
    const planFile = resolve(positionals[0]!);
    const workspace = workspaceFor(planFile, stringOption(values, 'workspace'));
    const count = integerOption(values, 'samples', 1, 1000) ?? 16;
    const plan = await readPlan(planFile, { workspace });
    const model =
      'path' in plan.model
        ? await readModel(await resolveInside(workspace, workspace, plan.model.path), { workspace })
        : buildArchitecture(plan.model.architecture, plan.seed);
    const { opened } = await setupByData(trainingSetup(model, plan.output ?? undefined), (requirements) =>
      openDataset(plan.data, requirements, { workspace, seed: plan.seed, trusted: true }),
    );
    try {
      const shown = await previewSamples(opened, count);
      const out = stringOption(values, 'out');
      if (out !== undefined) await writeFileAtomic(resolve(out), pageGrid(shown));
      for (const note of shown.notes) terminal.note(note);
      terminal.print(terminalGrid(shown, terminal.columns, process.stdout.isTTY === true && !process.env['NO_COLOR']));
      terminal.print(
        `${shown.description}; [${shown.shape.join(', ')}], values from ${Number(shown.minimum.toPrecision(4))} to ${Number(shown.maximum.toPrecision(4))}`,
      );
      const { samples, ...facts } = shown;
      terminal.emit({ event: 'preview', ...facts, samples: samples.map(({ index, label }) => ({ index, label })) });
      return 0;
    } finally {
      opened.close();
    }
  },
};
