import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { missingFolder } from '../../files/workspacePath.js';
import { UserError } from '../../protocol/errors.js';
import { invalidData, missingData } from '../dataError.js';

/** A file (or folder) of the data set: its path, and its name in messages. */
export interface SourceFile {
  readonly path: string;
  readonly name: string;
}

const PATHS = 'data is a path (in a plan: relative to the plan), or one of mnist, fashion-mnist, cifar10';
const LFS_POINTER = 'version https://git-lfs';

/** Size in bytes and kind. @throws UserError('data-missing') when it is not there or not readable. */
export async function statSource(file: SourceFile): Promise<{ bytes: number; directory: boolean }> {
  try {
    const status = await stat(file.path);
    return { bytes: status.size, directory: status.isDirectory() };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const folder = code === 'ENOENT' || code === 'ENOTDIR' ? await missingFolder(file.path) : null;
    throw folder === null ? unreadable(file, error) : missingData(file.name, `there is no folder ${folder}; ${PATHS}`);
  }
}

/** The whole file. @throws UserError when missing, unreadable, empty or a git-lfs pointer. */
export async function readSource(file: SourceFile): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file.path);
  } catch (error) {
    throw unreadable(file, error);
  }
  refuseStub(file, bytes.length, bytes);
  return bytes;
}

/** The first `count` bytes (fewer in a shorter file), after the same checks as `readSource`. */
export function readHead(file: SourceFile, count: number): Uint8Array {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, 'r');
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw invalidData(file.name, 'this is not a regular file');
    const head = Buffer.alloc(Math.max(count, LFS_POINTER.length));
    const read = readSync(descriptor, head, 0, head.length, 0);
    refuseStub(file, status.size, head.subarray(0, read));
    return head.subarray(0, Math.min(count, read));
  } finally {
    closeSync(descriptor);
  }
}

function refuseStub(file: SourceFile, bytes: number, head: Uint8Array): void {
  if (bytes === 0) throw invalidData(file.name, 'the file is empty');
  if (Buffer.from(head.subarray(0, LFS_POINTER.length)).toString('latin1') === LFS_POINTER)
    throw invalidData(file.name, 'this is a git-lfs pointer, not the data: run "git lfs pull" in its repository');
}

function unreadable(file: SourceFile, error: unknown): UserError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return missingData(file.name, `no such file or folder; ${PATHS}`);
  if (code === 'EISDIR') return invalidData(file.name, 'this is a folder where a file is needed');
  if (code === 'EACCES' || code === 'EPERM') return missingData(file.name, 'no permission to read it');
  if (code === 'ERR_FS_FILE_TOO_LARGE')
    return invalidData(file.name, 'the file is larger than 2 GB; save the arrays as .npy files, which are streamed');
  return new UserError('disk', `${file.name}: cannot be read (${code ?? String(error)})`, { file: file.name });
}
