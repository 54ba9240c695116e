import { basename, resolve } from 'node:path';
import { previewSamples } from '../../data/preview.js';
import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { readPlan } from '../../plan/readPlan.js';
import { UserError } from '../../protocol/errors.js';
import type { Outlook } from '../../protocol/outlook.js';
import { outlookParts } from '../../protocol/outlookText.js';
import type { Budget } from '../../protocol/plan.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import { openPlanData, type Timed } from '../../runs/openPlanData.js';
import { outlookOfPlan } from '../../runs/outlook.js';
import { previewModelBudget, previewPlanBudgets, type TaskPreview } from '../../runs/previewBudgets.js';
import { budgetOption } from '../budgetOption.js';
import { integerOption, namedFile, stringOption, type Command, type Values } from '../command.js';
import { inputFacts, pageGrid, terminalGrid } from '../previewView.js';
import type { Terminal } from '../terminal.js';

const isPlan = (file: string): boolean => /\.prune\.jsonc?$/.test(file);

/** "1% = 2,662 weights, about 17.2 kB sparse", a line a task. @throws UserError('budget-impossible') for the first that cannot be met. */
function printBudgets(budgets: readonly TaskPreview[], terminal: Terminal): void {
  const impossible = budgets.find(({ preview }) => preview.problem !== null);
  if (impossible) throw new UserError('budget-impossible', `budget: ${impossible.preview.problem}`);
  for (const { task, preview } of budgets)
    terminal.print(budgets.length === 1 ? preview.text : `${task}: ${preview.text}`);
}

/** The budget alone: opens no data. */
async function previewBudgetOf(file: string, workspace: string, budget: Budget, terminal: Terminal): Promise<void> {
  const budgets = isPlan(file)
    ? await previewPlanBudgets(await readPlan(file, { workspace, formatOf: fileFormatOf }), { workspace, budget })
    : [{ task: 'all', preview: await previewModelBudget(file, workspace, budget) }];
  printBudgets(budgets, terminal);
  terminal.emit({ event: 'preview', budgets });
}

async function previewPlan(plan: ResolvedPlan, workspace: string, values: Values, terminal: Terminal): Promise<void> {
  const count = integerOption(values, 'samples', 1, 1000) ?? 16;
  const out = stringOption(values, 'out');
  const budgets = await previewPlanBudgets(plan, { workspace });
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
    // A search chooses its budgets itself.
    if (!plan.path) printBudgets(budgets, terminal);
    if (cost !== null)
      terminal.print(`the ${plan.path ? 'search' : 'run'} takes ${cost}${plan.path ? ' at most' : ''}`);
    if (cut !== null) terminal.print(cut);
    terminal.emit({ event: 'preview', ...shown, notes: data.notes, inputs, budgets, outlook });
  } finally {
    data.close();
  }
}

export const preview: Command = {
  name: 'preview',
  positionals: 'PLAN',
  summary:
    "what a plan's budget keeps, samples of its data with their labels, as the model will see them, and what the run will cost",
  options: {
    budget: {
      type: 'string',
      value: 'BUDGET',
      help: 'only what this budget keeps of PLAN, or of a model file: "1%", "40 kB", \'{"fanIn": 32}\'',
    },
    samples: { type: 'string', value: 'N', help: 'how many (default: 16)' },
    out: { type: 'string', value: 'FILE', help: 'write an HTML page with the pictures' },
  },
  async run({ positionals, values, terminal }) {
    const { file, workspace } = await namedFile(positionals[0]!, values);
    const budget = budgetOption(values);
    const out = stringOption(values, 'out');
    if (budget) {
      const other = ['samples', 'out'].find((name) => values[name] !== undefined);
      if (other)
        throw new UserError('usage', `lc-prune preview: --${other} is of the data, which --budget does not open`);
      await previewBudgetOf(file, workspace, budget, terminal);
      return 0;
    }
    if (out !== undefined && !/\.html?$/i.test(out))
      throw new UserError('usage', `--out: the page is HTML; call it NAME.html, not "${basename(out)}"`, { file: out });
    await previewPlan(await readPlan(file, { workspace, formatOf: fileFormatOf }), workspace, values, terminal);
    return 0;
  },
};
