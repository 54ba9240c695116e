/** Reads untrusted JSON: bounded in bytes and depth, and every error names the file. */
import { open, stat } from 'node:fs/promises';
import { UserError } from '../protocol/errors.js';
import { missingFolder } from './workspacePath.js';

/** Far above any real model.json (topology and manifest only; the largest seen is 21 MB). */
export const MAX_JSON_BYTES = 128 * 1024 * 1024;
/** A network nested ten models deep stays below 100. */
export const MAX_JSON_DEPTH = 256;

export const LFS_HINT = 'is a git-lfs pointer, not the file itself; run "git lfs pull" in its repository';

/** Git LFS v1 pointer files begin with this line (git-lfs spec). */
export const isLfsPointer = (head: Uint8Array | string): boolean =>
  (typeof head === 'string'
    ? head
    : Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 64)).toString('latin1')
  ).startsWith('version https://git-lfs.github.com/spec/');

const isHtml = (head: string): boolean => /^\s*<(!doctype|html|\?xml(?![^]*<net ))/i.test(head);

/** The apparent kind of a file that is not JSON, as the end of a sentence; null when it looks like data. */
export function whatElse(head: Uint8Array): string | null {
  if (isLfsPointer(head)) return LFS_HINT;
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 256)).toString('latin1');
  if (isHtml(text)) return 'is a web page, perhaps an error page saved by a download; download the file again';
  return null;
}

/** Depth of the deepest array or object, reading only brackets outside strings. Stops above `limit`. */
function depthAbove(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      // To the closing quote that no odd run of backslashes escapes.
      for (;;) {
        i = text.indexOf('"', i + 1);
        if (i < 0) return false;
        let slashes = 0;
        while (text.charCodeAt(i - 1 - slashes) === 0x5c) slashes++;
        if (slashes % 2 === 0) break;
      }
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > limit) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

/**
 * @param what the file's name for the message.
 * @throws UserError('model-invalid') if the text is not JSON, or too deep.
 */
export function parseJson(text: string, what: string): unknown {
  const invalid = (problem: string): never => {
    throw new UserError('model-invalid', `${what} ${problem}`, { file: what });
  };
  if (isLfsPointer(text)) invalid(LFS_HINT);
  if (isHtml(text.slice(0, 64))) invalid('is a web page, not JSON; download the file again');
  if (text.trim() === '') invalid('is empty; save the model again');
  if (depthAbove(text, MAX_JSON_DEPTH)) invalid(`is nested deeper than ${MAX_JSON_DEPTH} levels, which no model is`);
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) as unknown;
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, ' ').slice(0, 120);
    const hint = /\b(NaN|Infinity)\b/.test(text) ? '; it holds NaN or Infinity, which JSON does not know' : '';
    return invalid(`is not valid JSON (${reason}${hint}); is it cut off?`);
  }
}

/** A file's bytes, bounded. @throws UserError('model-missing' | 'model-invalid'). */
export async function readBounded(path: string, limit: number): Promise<Buffer> {
  const missing = (why: string): never => {
    throw new UserError('model-missing', `${path} ${why}`, { file: path });
  };
  try {
    const info = await stat(path);
    if (!info.isFile()) missing(info.isDirectory() ? 'is a folder; name the model.json inside it' : 'is not a file');
    if (info.size > limit) {
      throw new UserError('model-invalid', `${path} is ${info.size} bytes, above the limit of ${limit}`, {
        file: path,
      });
    }
    const handle = await open(path, 'r');
    try {
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const folder = await missingFolder(path);
      return missing(
        `does not exist${folder === null ? '' : `: there is no folder ${folder}`}; check the path of the model`,
      );
    }
    if (code === 'EACCES' || code === 'EPERM') return missing('cannot be read: no permission');
    return missing(`cannot be read: ${message}`);
  }
}
