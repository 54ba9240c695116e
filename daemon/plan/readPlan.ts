/** Reads a plan file with everything it names that is needed to resolve it: the model's layers. Data is opened later, by the run. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { buildArchitecture } from '../model/architectures.js';
import type { LayerSummary } from '../model/model.js';
import { readModel } from '../model/readModel.js';
import { summarizeModel } from '../model/summarize.js';
import { resolveInside } from '../model/workspacePath.js';
import { isBuiltinData } from '../data/builtin.js';
import { UserError } from '../protocol/errors.js';
import type { PathSettings, Plan } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { requirePlan } from './parsePlan.js';
import { withPath } from './resolvePath.js';
import { requireResolved } from './resolvePlan.js';

const MAX_BYTES = 4 << 20;

/** "mnist.prune.json" -> "mnist" */
export const planName = (path: string): string => basename(path).replace(/(\.prune)?\.jsonc?$/, '');

/** Where the plan's model is, and its layers. */
async function modelOf(
  plan: Plan,
  planFile: string,
  workspace: string,
): Promise<{ modelPath: string | null; layers: readonly LayerSummary[] }> {
  if (typeof plan.model !== 'string')
    return { modelPath: null, layers: summarizeModel(buildArchitecture(plan.model.architecture, 0)) };
  const file = await resolveInside(workspace, dirname(planFile), plan.model);
  const model = await readModel(file, { workspace });
  return { modelPath: relative(workspace, file), layers: summarizeModel(model) };
}

/**
 * @param path the plan file; `workspace` is the folder no path of the plan may leave. Both absolute. `asPath`: resolves to a
 * path of budgets, with these settings over the plan's own; without it the plan is its one budget.
 * @throws UserError plan-invalid, budget-impossible, path-outside-workspace, and what reading the model throws.
 */
export async function readPlan(
  path: string,
  { workspace, asPath }: { workspace: string; asPath?: PathSettings },
): Promise<ResolvedPlan> {
  const file = await resolveInside(workspace, workspace, path);
  const shown = relative(workspace, file);
  const info = await stat(file).catch(() => null);
  if (!info?.isFile())
    throw new UserError('plan-invalid', `${shown}: no such plan file; "lc-prune init MODEL" writes one`, { file });
  if (info.size > MAX_BYTES)
    throw new UserError('plan-invalid', `${shown}: ${info.size} bytes is too large for a plan file`, { file });
  const plan = requirePlan(await readFile(file, 'utf8'), shown);
  const { modelPath, layers } = await modelOf(plan, file, workspace);
  const dataPaths = new Map<string, string>();
  const data = typeof plan.data === 'string' ? { source: plan.data } : plan.data;
  for (const source of [data.source, 'test' in data ? data.test : undefined]) {
    if (source === undefined || isBuiltinData(source)) continue;
    dataPaths.set(source, relative(workspace, await resolveInside(workspace, dirname(file), source)) || '.');
  }
  const resolved = requireResolved(
    plan,
    { name: planName(path), planPath: shown, modelPath, dataPath: (source) => dataPaths.get(source) ?? source, layers },
    shown,
  );
  return asPath ? withPath(resolved, { ...plan.path, ...asPath }, shown) : resolved;
}

/** The folder a command works in: `explicit`, else the current folder when the file is inside it, else the file's own. */
export function workspaceFor(file: string, explicit?: string): string {
  if (explicit !== undefined) return resolve(explicit);
  const current = process.cwd();
  const inside = !relative(current, resolve(file)).startsWith('..');
  return inside ? current : dirname(resolve(file));
}
