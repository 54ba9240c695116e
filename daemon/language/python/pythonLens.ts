/** CodeLens in Python at calls that save a model: it opens the written file. */
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { CodeLens } from 'vscode-languageserver-protocol/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { isModelJson } from '../../model/files/detect.js';
import { noModel } from '../../model/files/fileKind.js';
import { resolveInside } from '../../files/workspacePath.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import { command } from '../planLens.js';
import { savedModels } from './savedModels.js';

/** Enough bytes of a file to recognise its kind. */
const HEAD = 64 * 1024;

/** Whether a file can be opened; false for a folder or a missing file. */
async function isModel(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const head = buffer.subarray(0, bytesRead);
    const text = head.toString('utf8');
    if (/^\uFEFF?\s*\{/.test(text)) return isModelJson(text);
    return bytesRead > 0 && noModel(head, basename(path)) === null;
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

interface Place {
  /** Workspace folder, and the Python file or notebook in it. Real paths. */
  readonly folder: string;
  readonly path: string;
  asNamed(path: string): AbsolutePath;
}

/**
 * A lens above each call whose file exists, relative to the Python file's folder or to the workspace folder, where programs are often started. None
 * for a path out of the workspace.
 */
export async function pythonLenses(document: TextDocument, { folder, path, asNamed }: Place): Promise<CodeLens[]> {
  const lenses: CodeLens[] = [];
  for (const { offset, path: written } of savedModels(document.getText())) {
    for (const base of new Set([dirname(path), folder])) {
      const file = await resolveInside(folder, base, written).catch(() => null);
      if (file === null || !(await isModel(file))) continue;
      const start = document.positionAt(offset);
      const title = `$(target) Prune ${basename(file) === 'model.json' ? written : basename(file)} to budget...`;
      lenses.push({
        range: { start, end: start },
        command: command(title, 'lcPrune.pruneModel', { model: asNamed(file) }),
      });
      break;
    }
  }
  return lenses;
}
