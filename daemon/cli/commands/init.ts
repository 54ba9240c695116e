import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { readModel } from '../../model/files/readModel.js';
import { summarizeModel } from '../../model/summarize.js';
import { frozenNote } from '../../model/layers/trainedLayers.js';
import { isInside, resolveInside } from '../../files/workspacePath.js';
import { writeNew } from '../../files/writeNew.js';
import { newPlan, prunableOfNewPlan } from '../../plan/newPlan.js';
import { planName, resolveText } from '../../plan/readPlan.js';
import { planPath, planText } from '../../plan/planText.js';
import { UserError } from '../../protocol/errors.js';
import type { DataSource } from '../../protocol/plan.js';
import { shellWord } from '../../protocol/shellWord.js';
import { namedFile, stringOption, type Command } from '../command.js';
import { DATA_NAMES, UNLABELLED, dataNames } from '../dataOptions.js';
import { goalOption } from '../goalOption.js';
import { dataFor, lengthOf } from '../proposePlan.js';

/** The data, with the names of its arrays or columns where some are given. */
const withNames = (data: DataSource, names: ReturnType<typeof dataNames>): DataSource =>
  Object.keys(names).length === 0 ? data : { ...(typeof data === 'string' ? { source: data } : data), ...names };

export const init: Command = {
  name: 'init',
  positionals: 'MODEL',
  summary: 'write a plan file beside a model',
  options: {
    data: {
      type: 'string',
      value: 'DATA',
      help: 'built-in data set, or a path (default: the likeliest file or folder that fits the model, the nearest first; else a built-in set that does)',
    },
    ...DATA_NAMES,
    [UNLABELLED]: {
      type: 'boolean',
      help: 'the data of --data has no labels: the reference teaches by its own answers',
    },
    goal: {
      type: 'string',
      value: 'GOAL',
      help: 'a budget or a goal, as one says it: "40 kB", "10x smaller", "lose at most 0.5%", "97% accuracy"',
    },
    keep: {
      type: 'string',
      value: 'SHARE',
      help: 'share of the weights to keep (default: 1% to 30%, such that a thousand are left)',
    },
    out: { type: 'string', value: 'FILE', help: 'the plan file (default: MODEL.prune.json beside the model)' },
  },
  async run({ positionals, values, terminal }) {
    const { file: modelFile, workspace } = await namedFile(positionals[0]!, values);
    const model = await readModel(modelFile, { workspace });
    const wanted = resolve(
      stringOption(values, 'out') ??
        join(
          dirname(modelFile),
          `${planName(modelFile.slice(0, modelFile.length - extname(modelFile).length))}.prune.json`,
        ),
    );
    if (!/\.prune\.jsonc?$/.test(wanted))
      throw new UserError('usage', `--out: a plan file is called NAME.prune.json, not "${basename(wanted)}"`, { file: wanted }); // prettier-ignore
    const out = await resolveInside(workspace, dirname(wanted), wanted).catch((error: UserError) => {
      if (isInside(workspace, wanted)) throw error;
      throw new UserError(error.code, `--out: "${wanted}" is not in ${workspace}, where this command works; name a file there, or with --workspace DIR a folder that holds both`, { file: wanted }); // prettier-ignore
    });
    const shown = relative(process.cwd(), out);
    const exists = () => new UserError('usage', `${shown}: exists already; choose another with --out`, { file: out });
    if (await stat(out).catch(() => null)) throw exists();
    const layers = summarizeModel(model);
    const named = stringOption(values, 'data');
    if (named === undefined && values[UNLABELLED] === true)
      throw new UserError('usage', `lc-prune init: --${UNLABELLED} is about the data that --data names; name it`);
    const { data, note } = await dataFor(model, { workspace, planFolder: dirname(out), named });
    const keep = stringOption(values, 'keep');
    const goal = goalOption(values);
    if (keep !== undefined && goal)
      throw new UserError('usage', 'lc-prune init: --keep is a budget and --goal another; give one of the two');
    const short = newPlan(layers, {
      model: planPath(dirname(out), modelFile),
      data: withNames(data, dataNames(values)),
      ...(keep !== undefined && { budget: { keep } }),
      ...goal,
    });
    // Every problem is reported before anything is written.
    const plan = await resolveText(planText(short), out, { workspace });
    if (note !== null) terminal.note(note);
    const { length, note: lengthNote } = await lengthOf(plan, workspace);
    terminal.note(lengthNote);
    const text = planText({ ...short, ...(length && { length }) });
    if (!(await writeNew(out, text))) throw exists();
    const frozen = frozenNote(layers);
    if (frozen !== null)
      terminal.note(short.unfreeze ? 'the file freezes every layer: the plan unfreezes them' : frozen);
    terminal.emit({ event: 'plan', path: out, prunable: prunableOfNewPlan(layers) });
    terminal.print(`${shown}: next, lc-prune run ${shellWord(shown)}`);
    return 0;
  },
};
