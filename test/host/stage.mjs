// The source tree as an extension folder of its own: links to what a VSIX holds. The project folder itself will not do, as
// VS Code takes every theme below an extension under development, so those of the cached host too, for the one to show.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const PARTS = [
  'package.json',
  'package.nls.json',
  'dist',
  'media',
  'schemas',
  'syntaxes',
  'l10n',
  'examples',
  'node_modules',
];

/** The folder in which the extension is staged. */
export const STAGED = join(root, '.cache/extension');

/** @returns {string} the folder */
export function stageExtension() {
  const folder = STAGED;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of PARTS) symlinkSync(join(root, part), join(folder, part));
  return folder;
}
