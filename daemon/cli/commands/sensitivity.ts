import { relative } from 'node:path';
import { resultModel } from '../../model/files/modelInFolder.js';
import { isBuiltinData } from '../../protocol/dataPackages.js';
import { fileFormatOf } from '../../export/sparse/packageFormat.js';
import { parseShare } from '../../lc/share.js';
import { readModel } from '../../model/files/readModel.js';
import { summarizeModel } from '../../model/summarize.js';
import { resolveInside, workspacePath } from '../../files/workspacePath.js';
import { readPlan, planName } from '../../plan/readPlan.js';
import { requireResolved } from '../../plan/resolvePlan.js';
import { UserError } from '../../protocol/errors.js';
import { shortPercent } from '../../protocol/format.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import {
  budgetOf,
  floorsFor,
  INCREASE,
  measureSensitivity,
  SHARES,
  withFloors,
} from '../../runs/analysis/sensitivity.js';
import { startRun } from '../../runs/supervisor.js';
import { assemble } from '../../trainer/setup.js';
import { namedFile, stringOption, type Command, type Values } from '../command.js';
import { DATA_NAMES, dataNames } from '../dataOptions.js';
import { follow } from '../follow.js';
import type { Terminal } from '../terminal.js';
import { count, percent, sparkline, table } from '../text.js';

const SHARES_TEXT = SHARES.map(shortPercent).join(',');
const INCREASE_TEXT = shortPercent(INCREASE);
/** Nothing is trained; small data sets have one of these. */
const BATCH = 32;

function shareOption(name: string, text: string): number {
  try {
    const share = parseShare(/%/.test(text) ? text : Number(text));
    if (share > 0) return share;
  } catch {
    // Reported below.
  }
  throw new UserError('usage', `--${name}: "${text}" is no share above 0; give one such as "5%"`);
}

/** A plan as it is, or one made for a model, whose budget only carries the floors. */
async function planOf(named: string, values: Values): Promise<{ plan: ResolvedPlan; workspace: string }> {
  const { file, workspace } = await namedFile(named, values);
  const data = stringOption(values, 'data');
  const keep = stringOption(values, 'keep');
  if (/\.prune\.jsonc?$/.test(file)) {
    const given = ['data', 'keep', ...Object.keys(DATA_NAMES)].find((name) => values[name] !== undefined);
    if (given) throw new UserError('usage', `lc-prune sensitivity: --${given} is for a model; a plan has its own`);
    return { plan: await readPlan(file, { workspace, formatOf: fileFormatOf }), workspace };
  }
  if (data === undefined) {
    throw new UserError(
      'usage',
      `lc-prune sensitivity: ${relative(process.cwd(), file)} is no plan (*.prune.json); for a model, add --data DATA: a built-in name ("mnist"), a file or a folder`,
    );
  }
  const model = await readModel(file, { workspace });
  const dataPath = isBuiltinData(data)
    ? data
    : workspacePath(workspace, await resolveInside(workspace, process.cwd(), data));
  const plan = requireResolved(
    {
      model: file,
      data: { source: data, ...dataNames(values) },
      budget: { keep: keep ?? '1%' },
      training: { batchSize: BATCH },
    },
    {
      name: planName(file),
      planPath: null,
      modelPath: workspacePath(workspace, model.path),
      dataPath: () => dataPath,
      layers: summarizeModel(model),
    },
    relative(workspace, file),
  );
  return { plan, workspace };
}

/** For a plan without a model, the reference is trained first, in a run of its own. null: interrupted. */
async function withReference(plan: ResolvedPlan, workspace: string, terminal: Terminal): Promise<ResolvedPlan | null> {
  const { path: _path, ...alone } = plan;
  if (plan.reference.epochs === 0) return alone;
  const handle = await startRun({ ...alone, name: `${plan.name}-reference`, method: 'reference' }, { workspace });
  if (!(await follow(handle, terminal))) return null;
  const path = workspacePath(workspace, await resultModel(handle.folder));
  terminal.note(`the reference is in ${path}; name it as "model" in the plan, and it is not trained again`);
  return { ...alone, model: { path }, reference: { ...plan.reference, epochs: 0 } };
}

export const sensitivity: Command = {
  name: 'sensitivity',
  positionals: 'PLAN|MODEL',
  summary: 'error against kept share for each layer alone, without training, and floors that follow',
  options: {
    data: {
      type: 'string',
      value: 'DATA',
      help: 'for a model: a built-in name, a file or a folder (a plan has its own)',
    },
    ...DATA_NAMES,
    shares: { type: 'string', value: 'LIST', help: `shares of a layer to keep (default: ${SHARES_TEXT})` },
    'max-error-increase': {
      type: 'string',
      value: 'POINTS',
      help: `what a layer alone may lose, in absolute points; its floor follows (default: ${INCREASE_TEXT})`,
    },
    keep: { type: 'string', value: 'SHARE', help: 'for a model: the budget that the floors are for (default: 1%)' },
    engine: { type: 'string', value: 'ENGINE', help: 'engine id (default: the plan, else auto)' },
  },
  async run({ positionals, values, terminal }) {
    const listed = (stringOption(values, 'shares') ?? SHARES_TEXT)
      .split(',')
      .map((text) => shareOption('shares', text.trim()));
    const shares = [...new Set(listed)].sort((a, b) => b - a);
    const increase = shareOption('max-error-increase', stringOption(values, 'max-error-increase') ?? INCREASE_TEXT);
    const { plan: written, workspace } = await planOf(positionals[0]!, values);
    const engine = stringOption(values, 'engine');
    const plan = await withReference({ ...written, ...(engine === undefined ? {} : { engine }) }, workspace, terminal);
    if (!plan) return 130;
    const assembled = await assemble(plan, { workspace, purpose: 'inference' });
    const { parts, notes, doubts } = assembled;
    for (const note of [...doubts, ...notes]) terminal.note(`note: ${note}`);
    const { set, reference, layers } = await measureSensitivity(assembled, {
      shares,
      increase,
      onProgress(done, total, layer, share) {
        if (done < total)
          terminal.status(`${layer}: ${shortPercent(share)} (layer ${Math.floor(done / shares.length) + 1} of ${parts.layers.length})`); // prettier-ignore
      },
      onLayer: (layer, { set, reference }) => terminal.emit({ event: 'sensitivity', set, reference, ...layer }),
    });
    terminal.status('');
    const rows = layers.map(({ layer, weights, points, needed }) => [
      layer,
      count(weights),
      ...points.map(({ error }) => percent(error)),
      sparkline(points.map(({ error }) => error)),
      needed === 1 ? 'all' : shortPercent(needed),
    ]);
    const header = ['layer', 'weights', ...shares.map(shortPercent), 'error', `within +${shortPercent(increase)}`];
    terminal.print(table(header, rows));
    const measured = parts.unlabelled
      ? `Error against the reference's own answers on the ${PARTS[set]}`
      : `Error on the ${PARTS[set]}`;
    terminal.print(
      `${measured} with the largest weights of one layer kept, nothing retrained; the reference has ${percent(reference)}.`,
    );
    const budget = budgetOf(plan);
    if (!budget) {
      terminal.print('Floors are suggested for a plan with one budget; this one has several tasks.');
      return 0;
    }
    const floors = floorsFor(budget, layers, parts.tasks);
    if (!floors) {
      terminal.print('The budget of this plan takes no floors per layer.');
      return 0;
    }
    const suggested = withFloors(budget, floors);
    terminal.emit({ event: 'floors', budget: suggested });
    terminal.print('');
    terminal.print('Floors in these proportions, at most half of the budget; in the plan:');
    terminal.print(`  "budget": ${JSON.stringify(suggested)}`);
    return 0;
  },
};

const PARTS = { validation: 'validation part', test: 'test part', train: 'training part' } as const;
