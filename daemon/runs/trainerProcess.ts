/** Processes of trainers: forked when a run starts, or a moment before, so that the code is loaded by then. */
import { fork, type ChildProcess, type ForkOptions, type SpawnOptions } from 'node:child_process';
import { WARM_ARGUMENT } from '../trainer/process/ipc.js';
import type { Program } from '../trainer/process/lock.js';
import { LIMITS } from './limits.js';

function start(trainer: string, program: Program, threads: number | null, ...args: string[]): ChildProcess {
  // `fork` hands all of it to `spawn`.
  const options: ForkOptions & Pick<SpawnOptions, 'windowsHide'> = {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    // In a group of its own: a signal to the editor's group does not reach it, and Windows does not end it with its parent.
    detached: program === 'editor',
    windowsHide: true,
    ...(threads !== null && { env: { ...process.env, LC_PRUNE_THREADS: String(threads) } }),
  };
  return fork(trainer, args, options);
}

interface Warm {
  readonly child: ChildProcess;
  readonly trainer: string;
  readonly program: Program;
  readonly timer: NodeJS.Timeout;
}

/** The one without a run yet. */
let waiting: Warm | null = null;

/** Starts a process for a run that is about to be started, unless one waits already. It ends where no run comes, and with this process. */
export function warmTrainerProcess(trainer: string, program: Program): void {
  if (waiting) return;
  const child = start(trainer, program, null, WARM_ARGUMENT);
  const forget = () => {
    if (waiting?.child === child) waiting = null;
  };
  // A trainer that does not even start is reported by the run that needs one.
  child.on('error', forget).on('exit', forget);
  const timer = setTimeout(() => {
    forget();
    child.kill('SIGKILL');
  }, LIMITS.warmTime).unref();
  waiting = { child, trainer, program, timer };
}

/** A process for a run: the one that waits for it, else a new one. @param threads of its engine at most; null: one per core. */
export function trainerProcess(trainer: string, program: Program, threads: number | null = null): ChildProcess {
  const warm = waiting;
  const fits = warm?.trainer === trainer && warm.program === program && threads === null && warm.child.connected;
  if (!fits) return start(trainer, program, threads);
  waiting = null;
  clearTimeout(warm.timer);
  return warm.child;
}
