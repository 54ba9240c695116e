import { basename, resolve } from 'node:path';
import { previewSamples } from '../../data/preview.js';
import { writeFileAtomic } from '../../model/atomicWrite.js';
import { readPlan } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import { openPlanData } from '../../runs/openPlanData.js';
import { integerOption, namedFile, stringOption, type Command } from '../command.js';
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
    const { file: planFile, workspace } = await namedFile(positionals[0]!, values);
    const count = integerOption(values, 'samples', 1, 1000) ?? 16;
    const out = stringOption(values, 'out');
    if (out !== undefined && !/\.html?$/i.test(out))
      throw new UserError('usage', `--out: the page is HTML; call it NAME.html, not "${basename(out)}"`, { file: out });
    const plan = await readPlan(planFile, { workspace });
    const data = await openPlanData(plan, { workspace, timed: false });
    try {
      const shown = await previewSamples(data.dataset, count);
      if (out !== undefined) await writeFileAtomic(resolve(out), pageGrid(shown));
      for (const note of data.notes) terminal.note(note);
      terminal.print(terminalGrid(shown, terminal.columns, process.stdout.isTTY === true && !process.env['NO_COLOR']));
      terminal.print(
        `${shown.description}; [${shown.shape.join(', ')}], values from ${Number(shown.minimum.toPrecision(4))} to ${Number(shown.maximum.toPrecision(4))}`,
      );
      const { samples, ...facts } = { ...shown, notes: data.notes };
      terminal.emit({ event: 'preview', ...facts, samples: samples.map(({ index, label }) => ({ index, label })) });
      return 0;
    } finally {
      data.close();
    }
  },
};
