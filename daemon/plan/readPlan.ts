/** Reads a plan file and what is needed to resolve it: the model's layers. The run opens the data later. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { buildArchitecture } from '../model/setup/architectures.js';
import type { FileFormat } from '../lc/budgets.js';
import type { LayerSummary, Model } from '../model/model.js';
import { readModel } from '../model/files/readModel.js';
import { summarizeModel } from '../model/summarize.js';
import { isInside, resolveInside, workspacePath } from '../files/workspacePath.js';
import { isBuiltinData } from '../protocol/dataPackages.js';
import { UserError } from '../protocol/errors.js';
import type { WorkspacePath } from '../protocol/paths.js';
import type { PathSettings, Plan } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { requirePlan } from './parsePlan.js';
import { isSearch, mergedPath, withPath } from './resolvePath.js';
import { requireResolved } from './resolvePlan.js';
import { LIMITS } from './limits.js';

/** "mnist.prune.json" -> "mnist" */
export const planName = (path: string): string => basename(path).replace(/(\.prune)?\.jsonc?$/, '');

/** What a plan is resolved for. */
interface OpenedModel {
  readonly layers: readonly LayerSummary[];
  readonly format?: FileFormat;
}

/** The plan's model and its path. */
async function modelOf(
  plan: Plan,
  planFile: string,
  { workspace, formatOf, opened }: ReadOptions,
): Promise<OpenedModel & { modelPath: WorkspacePath | null }> {
  const of = (model: Model): OpenedModel => ({ layers: summarizeModel(model), ...(formatOf && { format: formatOf(model) }) }); // prettier-ignore
  if (typeof plan.model !== 'string') return { modelPath: null, ...of(buildArchitecture(plan.model.architecture, 0)) };
  const file = await resolveInside(workspace, dirname(planFile), plan.model);
  const { layers, format } = opened ? await opened(file) : of(await readModel(file, { workspace }));
  return { modelPath: workspacePath(workspace, file), layers, ...(format && { format }) };
}

interface ReadOptions {
  readonly workspace: string;
  readonly asPath?: PathSettings;
  readonly formatOf?: (model: Model) => FileFormat;
  /** Reads the model's file, or has it already. */
  readonly opened?: (file: string) => Promise<OpenedModel>;
}

/**
 * @param path the plan file; `workspace` is the folder no path of the plan may leave. Both absolute. `asPath`: resolves to a
 * path of budgets, with these settings over the plan's own; without it the plan is its one budget, or the search for its goal. `formatOf`: what a
 * budget in bytes buys of a model; without it, an estimate.
 * @throws UserError plan-invalid, budget-impossible, path-outside-workspace, and what reading the model throws.
 */
export async function readPlan(path: string, options: ReadOptions): Promise<ResolvedPlan> {
  const { workspace } = options;
  const file = await resolveInside(workspace, workspace, path);
  return resolveText(await readPlanText(file, workspacePath(workspace, file)), file, options);
}

/** @param shown the file in messages. @throws UserError('plan-invalid') if there is no such file, or it is too large for a plan. */
export async function readPlanText(file: string, shown: string): Promise<string> {
  const info = await stat(file).catch(() => null);
  if (!info?.isFile())
    throw new UserError('plan-invalid', `${shown}: no such plan file; "lc-prune init MODEL" writes one`, { file });
  if (info.size > LIMITS.planFile)
    throw new UserError('plan-invalid', `${shown}: ${info.size} bytes is too large for a plan file`, { file });
  return readFile(file, 'utf8');
}

/**
 * The plan of a text, as if it were in a file; the file need not exist.
 * @param file its real path, inside the workspace. @throws as `readPlan`.
 */
export async function resolveText(text: string, file: string, options: ReadOptions): Promise<ResolvedPlan> {
  const { workspace, asPath } = options;
  const shown = workspacePath(workspace, file);
  const plan = requirePlan(text, shown);
  const { modelPath, ...model } = await modelOf(plan, file, options);
  const dataPaths = new Map<string, string>();
  const data = typeof plan.data === 'string' ? { source: plan.data } : plan.data;
  for (const source of [data.source, 'test' in data ? data.test : undefined]) {
    if (source === undefined || isBuiltinData(source)) continue;
    dataPaths.set(source, workspacePath(workspace, await resolveInside(workspace, dirname(file), source)));
  }
  const resolved = requireResolved(
    plan,
    {
      name: planName(file),
      planPath: shown,
      modelPath,
      dataPath: (source) => dataPaths.get(source) ?? source,
      ...model,
    },
    shown,
    text,
  );
  const settings = asPath ?? (isSearch(plan) ? {} : undefined);
  return settings ? withPath(resolved, mergedPath(plan.path, settings), shown) : resolved;
}

/**
 * The folder a command works in: `explicit`, else the current folder when the file is inside it, else the file's own.
 * @param file absolute; links resolved, where it exists.
 */
export function workspaceFor(file: string, explicit?: string): string {
  if (explicit !== undefined) return resolve(explicit);
  const current = process.cwd();
  return isInside(current, file) ? current : dirname(file);
}
