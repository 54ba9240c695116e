import { open, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { readModel } from '../../model/readModel.js';
import { summarizeModel } from '../../model/summarize.js';
import { planName, readPlan, workspaceFor } from '../../plan/readPlan.js';
import { planText } from '../../plan/planText.js';
import { UserError } from '../../protocol/errors.js';
import { stringOption, type Command } from '../command.js';

export const init: Command = {
  name: 'init',
  positionals: 'MODEL',
  summary: 'write a plan file beside a model',
  options: {
    data: { type: 'string', value: 'DATA', help: 'built-in data set, or a path relative to the plan (default: mnist)' },
    keep: { type: 'string', value: 'SHARE', help: 'share of the weights to keep (default: 1%)' },
    out: { type: 'string', value: 'FILE', help: 'the plan file (default: MODEL.prune.json beside the model)' },
  },
  async run({ positionals, values, terminal }) {
    const modelFile = resolve(positionals[0]!);
    const workspace = workspaceFor(modelFile, stringOption(values, 'workspace'));
    const model = await readModel(modelFile, { workspace });
    const out = resolve(
      stringOption(values, 'out') ??
        join(
          dirname(modelFile),
          `${planName(modelFile.slice(0, modelFile.length - extname(modelFile).length))}.prune.json`,
        ),
    );
    if (await stat(out).catch(() => null))
      throw new UserError('usage', `${relative(workspace, out)}: exists already; choose another with --out`, {
        file: out,
      });
    const text = planText({
      model: relative(dirname(out), modelFile),
      data: stringOption(values, 'data') ?? 'mnist',
      budget: { keep: stringOption(values, 'keep') ?? '1%' },
    });
    // "wx": never over a file that appeared meanwhile.
    const file = await open(out, 'wx');
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await readPlan(out, { workspace });
    const prunable = summarizeModel(model).reduce((total, layer) => total + layer.prunable, 0);
    terminal.emit({ event: 'plan', path: out, prunable });
    terminal.print(`${relative(process.cwd(), out)}: next, lc-prune run ${relative(process.cwd(), out)}`);
    return 0;
  },
};
