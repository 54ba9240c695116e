/**
 * Converts between the editor's files and the daemon's paths. It is the only module that makes a path of a URI, a URI of a path, or a file of a path
 * in a workspace folder (eslint.config.mjs enforces it).
 */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { AbsolutePath, WorkspacePath } from '../daemon/protocol/paths.js';

export type { AbsolutePath } from '../daemon/protocol/paths.js';

export const pathOf = (uri: vscode.Uri): AbsolutePath => uri.fsPath as AbsolutePath;

export const uriOf = (path: AbsolutePath): vscode.Uri => vscode.Uri.file(path);

export const folderOf = (path: AbsolutePath): AbsolutePath => dirname(path) as AbsolutePath;

/** A file in a folder; `names` may lead through further folders, and out of this one. */
export const fileIn = (folder: AbsolutePath, ...names: string[]): AbsolutePath =>
  join(folder, ...names) as AbsolutePath;

/** A file that another file names, relative to that file's folder. */
export const namedIn = (folder: AbsolutePath, name: string): AbsolutePath => resolve(folder, name) as AbsolutePath;

/** The file that a run or a plan of a workspace folder names; null if the path leads out of it. */
export function inWorkspace(workspace: AbsolutePath, path: WorkspacePath): AbsolutePath | null {
  const file = resolve(workspace, path);
  const rest = relative(workspace, file);
  return isAbsolute(rest) || /^\.\.([\\/]|$)/.test(rest) ? null : (file as AbsolutePath);
}

function realOf(path: AbsolutePath): string {
  try {
    return realpathSync.native(path);
  } catch {
    // It is gone: only its name is left to compare.
    return path;
  }
}

/** Whether another path leads to the same file: by another link, with other capitals (Windows), or by the same name. */
export function sameFileAs(path: AbsolutePath): (other: AbsolutePath) => boolean {
  let real: string | undefined;
  const known = new Map<AbsolutePath, boolean>([[path, true]]);
  return (other) => {
    const answer = known.get(other) ?? realOf(other) === (real ??= realOf(path));
    known.set(other, answer);
    return answer;
  };
}
