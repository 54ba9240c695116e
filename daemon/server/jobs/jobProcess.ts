/**
 * Child processes of the daemon's bundle that do one job each: started when the job is asked for, or a moment before, so that
 * the code is loaded by the time a person has chosen.
 */
import { execFile, type ChildProcess } from 'node:child_process';
import { bundlePath } from '../../files/bundlePath.js';
import { UserError } from '../../protocol/errors.js';
import { LIMITS } from '../limits.js';

/** The first argument with which the daemon's own bundle is the child; the job follows, its parameters are the first line of its standard input. */
export const JOB_ARGUMENT = '--job';
/** The argument behind the job of a child that loads the job's code before it has the parameters. */
export const WARM_ARGUMENT = '--warm';

export interface JobProcess {
  readonly child: ChildProcess;
  /** Resolves, never rejects, when the process is gone. `failure`: how it ended, where it did not end well. */
  readonly ended: Promise<{ readonly failure: Error | null; readonly stdout: string; readonly stderr: string }>;
}

/** The daemon's bundle, whichever bundle runs. */
function daemonPath(): string {
  const found = bundlePath('daemon');
  if (found === undefined)
    throw new UserError(
      'engine-unavailable',
      'the daemon is missing from this installation (dist/daemon.mjs); reinstall, or run "npm run build"',
    );
  return found;
}

function start(job: string, ...more: string[]): JobProcess {
  let child: ChildProcess | undefined;
  const ended = new Promise<Awaited<JobProcess['ended']>>((resolve) => {
    const options = { timeout: LIMITS.jobTime, maxBuffer: LIMITS.jobOutput, windowsHide: true };
    child = execFile(process.execPath, [daemonPath(), JOB_ARGUMENT, job, ...more], options, (failure, stdout, stderr) =>
      resolve({ failure, stdout, stderr }),
    );
    // Where the child is gone, its end says why.
    child.stdin?.on('error', () => undefined);
  });
  return { child: child!, ended };
}

/** Children without parameters yet: one a job at most, for as long as they are likely to be asked for. */
const waiting = new Map<string, JobProcess & { readonly timer: NodeJS.Timeout }>();

const isAlive = ({ child }: JobProcess): boolean => child.exitCode === null && child.signalCode === null;

/** Starts a process for a job that is about to be asked for. It ends by itself where the job is not. */
export function warmJob(job: string): void {
  if (waiting.has(job)) return;
  const started = start(job, WARM_ARGUMENT);
  const timer = setTimeout(() => {
    waiting.delete(job);
    started.child.kill();
  }, LIMITS.warmTime).unref();
  waiting.set(job, { ...started, timer });
}

/** A process for the job: the one that waits for it, else a new one. */
export function jobProcess(job: string): JobProcess {
  const warm = waiting.get(job);
  waiting.delete(job);
  clearTimeout(warm?.timer);
  return warm && isAlive(warm) ? warm : start(job);
}
