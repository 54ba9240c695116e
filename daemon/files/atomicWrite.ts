/** Writing files so that a crash, a full disk or a killed process never leaves a half-written one. */
import { randomBytes } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { diskError } from './diskError.js';
import { renamePatiently } from './renamePatiently.js';

/** Makes the rename itself durable. Windows has no handle to a folder and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot; the rename has happened all the same.
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, data: string | Uint8Array): Promise<void> {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done);
    done += bytesWritten;
  }
}

/**
 * Replaces (or creates) `path` as a whole: written beside, fsynced, renamed, the folder fsynced.
 * Afterwards `path` holds all of `data`, or what it held before; nothing else is left behind.
 * @param data text (UTF-8) or bytes, or several pieces written one after the other.
 * @throws UserError('disk') naming the file and the cause.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | readonly (string | Uint8Array)[],
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(
    folder,
    `.${basename(path).slice(0, 100)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`,
  );
  let created = false;
  try {
    const handle = await open(temporary, 'wx');
    created = true;
    try {
      for (const piece of Array.isArray(data) ? (data as readonly (string | Uint8Array)[]) : [data as string]) {
        await writeAll(handle, piece);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await renamePatiently(temporary, path);
    created = false;
    await syncFolder(folder);
  } catch (error) {
    if (created) await unlink(temporary).catch(() => undefined);
    throw diskError(path, 'was not written', error);
  }
}
