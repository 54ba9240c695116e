/** Resolves every path that a user's file names: nothing outside the workspace is read or written. */
import { lstat, realpath } from 'node:fs/promises';
import nodePath, { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../protocol/errors.js';
import type { WorkspacePath } from '../protocol/paths.js';

/**
 * How files name each other: relative to a folder, with "/" on every platform; "." is the folder itself.
 * @param folder, file absolute. @param platform its rules; for tests.
 */
export const relativePath = (
  folder: string,
  file: string,
  platform: Pick<typeof nodePath, 'relative' | 'sep'> = nodePath,
): string => (platform.relative(folder, file) || '.').split(platform.sep).join('/');

/** How runs and plans name a file of their workspace. Both absolute, symbolic links already resolved. */
export const workspacePath = (workspace: string, file: string): WorkspacePath =>
  relativePath(workspace, file) as WorkspacePath;

/** Whether `path` is `folder` or lies below it. Both absolute, symlinks already resolved. */
export function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
}

/** The real path of `path`, where the last segments may not exist yet. */
async function realpathOfMaybeMissing(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT') throw error;
    // A dangling link gives ENOENT too; writing through it would create its target.
    const dangling = await lstat(path).catch(() => null);
    if (dangling !== null) throw Object.assign(new Error('a symbolic link to a missing file'), { code: 'EDANGLING' });
    const parent = dirname(path);
    if (parent === path) throw error;
    return join(await realpathOfMaybeMissing(parent), basename(path));
  }
}

/** The outermost missing folder above a path; null if its parent folder exists. */
export async function missingFolder(path: string): Promise<string | null> {
  let missing: string | null = null;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (await lstat(folder).catch(() => null)) return missing;
    missing = folder;
    if (dirname(folder) === folder) return missing;
  }
}

/**
 * Resolves `path` (absolute, or relative to the folder `base`) to its real path.
 * @param workspace the folder that no path may leave; a link out of it counts as leaving.
 * @returns the real absolute path; the file itself, and folders above it, may be missing.
 * @throws UserError('path-outside-workspace') when it leaves the workspace, is a URL, or cannot be resolved.
 */
export async function resolveInside(workspace: string, base: string, path: string): Promise<string> {
  const refuse = (why: string): never => {
    throw new UserError('path-outside-workspace', `"${path.slice(0, 200)}" ${why}`, { file: path });
  };
  if (path.includes('\0')) refuse('is not a path');
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    refuse('is a URL, and only files of the workspace are read; download it into the workspace');
  let target: string;
  const root = await realpath(workspace).catch(() => refuse(`cannot be looked up: there is no folder ${workspace}`));
  try {
    target = await realpathOfMaybeMissing(resolve(base, path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') refuse('goes through a file as if that were a folder');
    return refuse(`cannot be resolved (${code === 'EDANGLING' ? message : (code ?? message)})`);
  }
  if (!isInside(root, target))
    refuse(
      `leads out of the workspace ${workspace}; move the file into it, or open the folder that holds both (on the command line: --workspace DIR)`,
    );
  return target;
}
