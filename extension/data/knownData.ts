import * as vscode from 'vscode';
import { isBuiltinData } from '../../daemon/protocol/dataPackages.js';
import type { DataSource } from '../../daemon/protocol/plan.js';
import { folderOf, namedIn, uriOf, type AbsolutePath } from '../paths.js';

/** Data that a plan of the workspace names for the same model. */
export interface KnownData {
  /** With absolute paths. */
  readonly data: DataSource;
  readonly plan: AbsolutePath;
}

/** A plan's data with absolute paths; null if it names none, or none that exists. */
async function absolute(data: unknown, plan: AbsolutePath): Promise<DataSource | null> {
  const file = (source: string) => namedIn(folderOf(plan), source);
  const path = (source: string) => (isBuiltinData(source) ? source : file(source));
  const isThere = async (source: string) =>
    isBuiltinData(source) ||
    vscode.workspace.fs.stat(uriOf(file(source))).then(
      () => true,
      () => false,
    );
  if (typeof data === 'string') return (await isThere(data)) ? path(data) : null;
  if (typeof data !== 'object' || data === null || !('source' in data) || typeof data.source !== 'string') return null;
  const test = 'test' in data && typeof data.test === 'string' ? data.test : null;
  if (!(await isThere(data.source)) || (test !== null && !(await isThere(test)))) return null;
  return { ...data, source: path(data.source), ...(test !== null && { test: path(test) }) };
}

/**
 * The data that all plans of a model agree on, so that the user is not asked again.
 * @param plans that name the model, with their "data". @returns null if there is none, or they differ.
 */
export async function knownData(
  plans: readonly { readonly plan: AbsolutePath; readonly data: unknown }[],
): Promise<KnownData | null> {
  const found: KnownData[] = [];
  for (const { plan, data } of plans) {
    const known = await absolute(data, plan);
    if (known !== null) found.push({ data: known, plan });
  }
  const [first, ...others] = found;
  return first && others.every(({ data }) => JSON.stringify(data) === JSON.stringify(first.data)) ? first : null;
}
