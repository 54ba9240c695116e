import { relative } from 'node:path';

/** For a POSIX shell and PowerShell alike; run folders have letters of any script in their names. */
const quoted = (word: string): string => (/^[\p{L}\p{N}._/\\:@+-]+$/u.test(word) ? word : `"${word}"`);

/** The command that continues a run, for the folder that the user is in. @param engine to go on with; null: its own. */
export function resumeCommand(folder: string, engine: string | null = null): string {
  const run = quoted(relative(process.cwd(), folder) || folder);
  return `lc-prune resume ${run}${engine === null ? '' : ` --engine ${engine}`}`;
}
