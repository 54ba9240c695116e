import { UserError } from '../protocol/errors.js';

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the folder is read-only',
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ESTALE: 'the network share has lost it',
  EIO: 'the disk or the network share reports an error',
};

/**
 * What the file system refused, in words.
 * @param what what did not happen to the file or folder: "was not written". @param error the system's.
 */
export function diskError(path: string, what: string, error: unknown): UserError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new UserError('disk', `${path} ${what}: ${REASONS[code ?? ''] ?? message}`, { file: path });
}
