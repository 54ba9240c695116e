import { bundlePath } from '../files/bundlePath.js';
import type { ModelFile } from './modelFiles.js';
import { ModelThread } from './modelThread.js';
import type { ZeroCount } from './readModelFile.js';

/** Bytes below which starting a thread takes longer than the work. */
const SMALL = 512 * 1024;

/** A thread of its own for each large file that an editor shows: they are read side by side. */
function threadFor(bytes: number): ModelThread | undefined {
  const script = bytes > SMALL ? bundlePath('modelWorker') : undefined;
  return script === undefined ? undefined : new ModelThread(script, 0);
}

/** @param bytes size of the files. @throws the error of reading the model. */
export async function readModelInBackground(path: string, bytes: number): Promise<ModelFile> {
  const thread = threadFor(bytes);
  if (thread) return thread.ask('read', path);
  return (await import('./readModelFile.js')).readModelFile(path);
}

export async function countZerosInBackground(path: string, workspace: string, bytes: number): Promise<ZeroCount> {
  const thread = threadFor(bytes);
  if (thread) return thread.ask('zeros', { path, workspace });
  return (await import('./readModelFile.js')).countZeros(path, workspace);
}
