import { relative } from 'node:path';
import { shellWord } from '../protocol/shellWord.js';

/** The command that continues a run, for the folder that the user is in. @param engine to go on with; null: its own. */
export function resumeCommand(folder: string, engine: string | null = null): string {
  const run = shellWord(relative(process.cwd(), folder) || folder);
  return `lc-prune resume ${run}${engine === null ? '' : ` --engine ${engine}`}`;
}
