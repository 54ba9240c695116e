import { realpath } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { resolveInside, workspacePath } from '../../files/workspacePath.js';
import { planName } from '../../plan/readPlan.js';
import { pointText, valuesOf } from '../../plan/sweep/points.js';
import { readSweepFile } from '../../plan/sweep/readSweep.js';
import { UserError } from '../../protocol/errors.js';
import { BASELINES } from '../../protocol/resolvedPlan.js';
import type { SweepFile, SweepPoint, SweepRecord } from '../../protocol/runs/sweep.js';
import { isSweepFile } from '../../protocol/runs/sweepName.js';
import { shellWord } from '../../protocol/shellWord.js';
import { beginSweep, planOfPoint } from '../../runs/sweeps/beginSweep.js';
import { moveSweep } from '../../runs/sweeps/moveSweep.js';
import { runSweep } from '../../runs/sweeps/runSweep.js';
import { runSweepElsewhere } from '../../runs/sweeps/sweepJobs.js';
import { isSweepFolder, readRecord, sweepFiles, workspaceOfSweep } from '../../runs/sweeps/sweepFolder.js';
import { sweepNote, sweepTable } from '../../runs/sweeps/table.js';
import { writeResults } from '../../runs/sweeps/writeResults.js';
import {
  baselineList,
  integerOption,
  listOption,
  namedFile,
  stringOption,
  type Command,
  type Values,
} from '../command.js';
import { ON_OPTION, runnerOption } from '../runnerOption.js';
import { followSweep } from '../sweepView.js';
import type { Terminal } from '../terminal.js';
import { table } from '../text.js';

/** What the options add to a plan, or replace in a sweep's file. */
function optionsOf(values: Values): Partial<SweepFile> {
  const over = listOption(values, 'over').map((text): [string, SweepFile['over'][string]] => {
    const [key, list] = [text.slice(0, text.indexOf('=')).trim(), text.slice(text.indexOf('=') + 1)];
    if (!/^\w+(\.\w+)*$/.test(key) || !text.includes('='))
      throw new UserError(
        'usage',
        `--over: "${text}" is no key with values; give one such as budget.keep=10%,5%,1% or seed=0..4`,
      );
    return [key, valuesOf(key, list)];
  });
  const twice = over.find(([key], i) => over.findIndex(([other]) => other === key) < i);
  if (twice) throw new UserError('usage', `--over: "${twice[0]}" is given twice; list all its values in one`);
  const compare = baselineList(values);
  const parallel = integerOption(values, 'parallel', 1, 64);
  return {
    ...(over.length > 0 && { over: Object.fromEntries(over) }),
    ...(compare && { compare }),
    ...(parallel !== undefined && { parallel }),
  };
}

interface Subject {
  readonly planFile: string;
  readonly name: string;
  readonly settings: SweepFile;
}

/** The sweep that a file and the options describe. @param file a plan, or a `*.sweep.json`. */
async function subjectOf(file: string, workspace: string, values: Values): Promise<Subject> {
  const options = optionsOf(values);
  const shown = workspacePath(workspace, await resolveInside(workspace, workspace, file));
  if (!isSweepFile(file))
    return { planFile: file, name: planName(file), settings: { plan: file, over: {}, ...options } };
  const settings = await readSweepFile(file, shown);
  const planFile = await resolveInside(workspace, dirname(file), settings.plan);
  const name = shown
    .split('/')
    .at(-1)!
    .replace(/\.sweep\.jsonc?$/, '');
  return { planFile, name, settings: { ...settings, ...options, over: { ...settings.over, ...options.over } } };
}

async function begin(file: string, place: Parameters<typeof planOfPoint>[2], values: Values): Promise<string> {
  const { planFile, name, settings } = await subjectOf(file, place.workspace, values);
  return beginSweep(planFile, name, settings, { ...place, placed: (planned) => runnerOption(values, planned) });
}

async function printResults(record: SweepRecord, folder: string, workspace: string, terminal: Terminal): Promise<void> {
  const results = await writeResults(folder, record, workspace);
  const { markdown, csv } = sweepFiles(folder);
  const { header, cells } = sweepTable(results);
  if (cells.length > 0) {
    terminal.print('');
    terminal.print(table(header, cells));
    terminal.print('');
    terminal.print(sweepNote(results));
    terminal.print(`table   ${relative(process.cwd(), markdown)}`);
    terminal.print(`csv     ${relative(process.cwd(), csv)}`);
  }
  terminal.emit({ event: 'sweep', folder, ...results });
}

export const sweep: Command = {
  name: 'sweep',
  positionals: 'PLAN',
  summary:
    'run a plan with several budgets, seeds or other values: a plan or *.sweep.json, or the folder of a sweep to continue',
  options: {
    over: { type: 'string', value: 'KEY=LIST', several: true, help: 'values of a key of the plan, each with each: budget.keep=10%,5%,1%; seed=0..4' },
    compare: { type: 'string', value: 'METHODS', help: `baselines after each point, with equal epochs: ${BASELINES.join(', ')}` },
    parallel: { type: 'string', value: 'N', help: 'runs at the same time; they share the threads (default: 1; of slurm as many as it has room for)' },
    ...ON_OPTION,
  }, // prettier-ignore
  async run({ positionals, values, terminal }) {
    const { file, workspace: near } = await namedFile(positionals[0]!, values);
    const isBegun = await isSweepFolder(file);
    const workspace = isBegun ? await realpath(stringOption(values, 'workspace') ?? workspaceOfSweep(file)) : await realpath(near); // prettier-ignore
    if (isBegun && ['over', 'compare', 'parallel'].some((name) => values[name] !== undefined))
      throw new UserError('usage', 'lc-prune sweep: a sweep is continued with its own settings; give its folder, and --on for another place'); // prettier-ignore
    const place = { workspace, formatOf: fileFormatOf };
    const folder = isBegun ? file : await begin(file, place, values);
    const start = await (isBegun && values['on'] !== undefined
      ? moveSweep(folder, workspace, (planned) => runnerOption(values, planned))
      : readRecord(folder));
    const view = followSweep(start, terminal);
    const plan = async ({ values: of }: SweepPoint) => {
      // The sweep's own place is in force.
      const { runOn: _, ...rest } = await planOfPoint(start, of, place);
      return rest;
    };
    const options = { workspace, plan, ...view };
    const record = await (start.runOn ? runSweepElsewhere(folder, start.runOn, options) : runSweep(folder, options)).finally(view.end); // prettier-ignore
    await printResults(record, folder, workspace, terminal);
    const again = `continue with: lc-prune sweep ${shellWord(relative(process.cwd(), folder) || folder)}`;
    if (view.signal.aborted) {
      const stop = `lc-prune stop ${shellWord(relative(process.cwd(), folder) || folder)}`;
      terminal.note(start.runOn ? `left; it goes on. "${stop}" ends it, ${again}` : `stopped; ${again}`);
      return 130;
    }
    const failed = record.points.filter((point) => point.failed !== undefined);
    for (const point of failed) terminal.note(`${pointText(point.values)}: ${point.failed}`);
    if (failed.length > 0)
      throw new UserError(
        'run-invalid',
        `${failed.length} of ${record.points.length} points failed; ${again} tries them again`,
        { file: folder },
      );
    return 0;
  },
};
