import { readFile } from 'node:fs/promises';
import { missingPackages } from '../data/builtin/builtinPackages.js';
import { OWN_PACKAGES } from '../data/builtin/packageFolder.js';
import { resolveInside } from '../files/workspacePath.js';
import type { DataPackage } from '../protocol/dataPackages.js';
import { UserError } from '../protocol/errors.js';
import { parsePlan } from './parsePlan.js';

/**
 * The npm packages that must be installed before a plan can run, and the folder for them (absolute, inside the workspace).
 * @param path absolute. @throws UserError('plan-invalid') if it cannot be read; other problems of the plan are reported when it starts.
 */
export async function planPackages(
  path: string,
  workspace: string,
): Promise<{ packages: DataPackage[]; folder: string }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UserError('plan-invalid', `${path} cannot be read: ${error.message}`, { file: path });
  });
  const data = parsePlan(text).plan?.data;
  const source = typeof data === 'object' ? data.source : data;
  return {
    packages: source === undefined ? [] : missingPackages(source, workspace),
    folder: await resolveInside(workspace, workspace, OWN_PACKAGES),
  };
}
