import { Worker } from 'node:worker_threads';
import { bundlePath } from '../files/bundlePath.js';
import type { ModelFile } from './modelFiles.js';
import type { ZeroCount } from './readModelFile.js';

export type ModelJob =
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'zeros'; readonly path: string; readonly workspace: string };

/** Below this size, starting a thread takes longer than the work. */
const SMALL = 512 * 1024;

function inWorker<T>(script: string, job: ModelJob): Promise<T> {
  return new Promise((resolve, reject) => {
    // Parsing 20 MB makes many short-lived objects: with a small young generation, a third of the time goes into garbage collection.
    const resourceLimits = { maxYoungGenerationSizeMb: 192 };
    const worker = new Worker(script, { workerData: job, stdout: true, stderr: true, resourceLimits });
    worker.unref();
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', () => reject(new Error('the reader of the model ended early')));
  });
}

/** @param bytes size of the files. @throws the error of reading the model. */
export async function readModelInBackground(path: string, bytes: number): Promise<ModelFile> {
  const script = bytes > SMALL ? bundlePath('modelWorker') : undefined;
  if (script) return inWorker<ModelFile>(script, { kind: 'read', path });
  return (await import('./readModelFile.js')).readModelFile(path);
}

export async function countZerosInBackground(path: string, workspace: string, bytes: number): Promise<ZeroCount> {
  const script = bytes > SMALL ? bundlePath('modelWorker') : undefined;
  if (script) return inWorker<ZeroCount>(script, { kind: 'zeros', path, workspace });
  return (await import('./readModelFile.js')).countZeros(path, workspace);
}
