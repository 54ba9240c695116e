import { basename, resolve } from 'node:path';
import { previewSamples } from '../../data/preview.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { readPlan } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { Outlook } from '../../protocol/outlook.js';
import { outlookParts } from '../../protocol/outlookText.js';
import { openPlanData, type Timed } from '../../runs/openPlanData.js';
import { outlookOfPlan } from '../../runs/outlook.js';
import { integerOption, namedFile, stringOption, type Command } from '../command.js';
import { inputFacts, pageGrid, terminalGrid } from '../previewView.js';

export const preview: Command = {
  name: 'preview',
  positionals: 'PLAN',
  summary: "samples of a plan's data with their labels, as the model will see them, and what the run will cost",
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
    let outlook: Outlook | null = null;
    const ask = async (timed: Timed) => {
      outlook = await outlookOfPlan(plan, timed);
    };
    const data = await openPlanData(plan, { workspace, timed: true, ask });
    try {
      const shown = await previewSamples(data.dataset, count, data.inputNames);
      if (out !== undefined) await writeFileAtomic(resolve(out), pageGrid(shown));
      for (const note of data.notes) terminal.note(note);
      terminal.print(terminalGrid(shown, terminal.columns, process.stdout.isTTY === true && !process.env['NO_COLOR']));
      terminal.print(
        `${shown.description}; ${shown.inputs.map((input) => inputFacts(input, shown.inputs.length > 1)).join('; ')}`,
      );
      const inputs = shown.inputs.map(({ values: _values, ...facts }) => facts);
      const { cut, cost } = outlook ? outlookParts(outlook, 0) : { cut: null, cost: null };
      if (cost !== null)
        terminal.print(`the ${plan.path ? 'search' : 'run'} takes ${cost}${plan.path ? ' at most' : ''}`);
      if (cut !== null) terminal.print(cut);
      terminal.emit({ event: 'preview', ...shown, notes: data.notes, inputs, outlook });
      return 0;
    } finally {
      data.close();
    }
  },
};
