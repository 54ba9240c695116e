/** Finds an engine that can continue a run whose engine has crashed. */
import { fork } from 'node:child_process';
import type { FromTrainer, ToTrainer } from '../trainer/process/ipc.js';
import { LIMITS } from './limits.js';

/**
 * Tries the engines after `after`, in the order of `auto`, in trainers of their own: one that crashes is skipped as well.
 * @param trainer path of the trainer's bundle. @returns null if none opens the run's model within a minute.
 */
export async function findNextEngine(
  folder: string,
  workspace: string,
  { after, trainer }: { readonly after: string; readonly trainer: string },
): Promise<string | null> {
  const end = performance.now() + LIMITS.nextEngineTime;
  for (let from = after; ;) {
    const { found, tried } = await ask(folder, workspace, { after: from, trainer }, end - performance.now());
    if (found !== undefined) return found;
    if (tried === null || performance.now() > end) return null;
    from = tried;
  }
}

/** @returns `found`: the answer, undefined if there was none; `tried`: the engine that was loaded last. */
function ask(
  folder: string,
  workspace: string,
  { after, trainer }: { readonly after: string; readonly trainer: string },
  milliseconds: number,
): Promise<{ found?: string | null; tried: string | null }> {
  return new Promise((resolve) => {
    const child = fork(trainer, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
    let tried: string | null = null;
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(1, milliseconds));
    const end = (found?: string | null) => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => undefined);
      child.kill('SIGKILL');
      resolve(found === undefined ? { tried } : { found, tried });
    };
    child.on('message', (message: FromTrainer) => {
      if (message.type === 'trying') tried = message.engine;
      if (message.type === 'next') end(message.engine);
      if (message.type === 'answer') end(null);
    });
    child.once('error', () => end());
    child.once('exit', () => end());
    const request: ToTrainer = { type: 'next', folder, workspace, after, id: 1 };
    child.send(request, (error) => error && end());
  });
}
