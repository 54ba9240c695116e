/** Quotes words of a command line in messages. */

const PLAIN = /^[\p{L}\p{N}._/:+,=%][\p{L}\p{N}._/:@+,=%-]*$/u;
const PLAIN_ON_WINDOWS = /^[\p{L}\p{N}._/\\:+][\p{L}\p{N}._/\\:@+-]*$/u;

/**
 * A path as one word of a command that can be pasted: for a POSIX shell, or, on Windows, for PowerShell and cmd alike (where a
 * name has "$" or a backtick, for PowerShell). Plain names stay as they are.
 * @param platform as `process.platform` has it.
 */
export function shellWord(path: string, platform: NodeJS.Platform = process.platform): string {
  // A word that begins with "-" would be an option, however it is quoted.
  const word = path.startsWith('-') ? `./${path}` : path;
  if (platform !== 'win32') return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  if (PLAIN_ON_WINDOWS.test(word)) return word;
  if (/[$`]/.test(word)) return `'${word.replaceAll("'", "''")}'`;
  // A backslash before the closing quote would escape it.
  return `"${word.replace(/\\+$/, '$&$&')}"`;
}
