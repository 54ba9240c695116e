/** A command of the user's own: `ssh box {cmd}` over a shared folder, or a program that starts another. It stays when this process is gone. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { UserError } from '../../protocol/errors.js';
import { here, isHere, processOf } from '../../trainer/process/place.js';
import type { JobReport, Runner, Submission, Submitted } from './runner.js';
import { jobScript } from './script.js';

/** A path that means the same to a shell here and to another one behind it, however often it is read. */
const PLAIN = /^[\w./+:@%,=-]+$/;

/** "4711@n7+12345": a process of this machine with its start time, so that a reused id is not taken for it. */
function idOf(pid: number, started: string | null): string {
  return `${pid}@${here().host ?? ''}+${started ?? ''}`;
}

/** @returns null: another machine started it, which cannot be asked from here. */
function processIn(id: string): { pid: number; started: string } | null {
  const [, pid, host, started] = /^(\d+)@(.*)\+(.*)$/.exec(id) ?? [];
  return pid !== undefined && isHere({ host: host || undefined }) ? { pid: Number(pid), started: started! } : null;
}

/** Whether the job has a process yet. A signal ends its shell at once, and what the shell started writes a checkpoint first. */
function hasGroup(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function start(template: string, script: string, output: string): Promise<Submitted> {
  const file = await open(output, 'a');
  try {
    const command = template.replaceAll('{cmd}', () => `sh ${script}`);
    const child = spawn('sh', ['-c', command], { detached: true, stdio: ['ignore', file.fd, file.fd] });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid!));
      child.once('error', (error) =>
        reject(new UserError('run-invalid', `the command of "runOn" cannot be started: ${error.message}`)),
      );
    });
    child.unref();
    const found = await processOf(pid);
    return { id: idOf(pid, found?.started ?? null), output };
  } finally {
    await file.close();
  }
}

export const commandRunner: Runner<string> = {
  async submit({ folder, tasks, after }: Submission, template) {
    if (after.length > 0)
      throw new UserError('run-invalid', '"runOn": a command cannot wait for others; use "slurm" or "local" for this');
    const started: Submitted[] = [];
    for (const [i, task] of tasks.entries()) {
      const script = join(folder, `job${tasks.length > 1 ? `-${i}` : ''}.sh`);
      if (!PLAIN.test(script))
        throw new UserError(
          'run-invalid',
          `${script}: a command line cannot carry this path; use a workspace whose path has only letters, digits and ./+:@%,=-`,
          { file: script },
        );
      await writeFileAtomic(script, jobScript([task], { shell: '/bin/sh', head: [], setup: [] }));
      started.push(await start(template, script, script.replace(/job([-\d]*)\.sh$/, 'output$1.txt')));
    }
    return started;
  },

  async states(ids) {
    const found = new Map<string, JobReport>();
    for (const id of ids) {
      const job = processIn(id);
      if (!job) {
        found.set(id, { state: 'running' });
        continue;
      }
      const now = await processOf(job.pid);
      const isSame = now !== null && (now.started === null || job.started === '' || now.started === job.started);
      // The id of a process is not given again while its group has another one.
      found.set(id, { state: isSame || (now === null && hasGroup(job.pid)) ? 'running' : 'ended' });
    }
    return found;
  },

  async cancel(id) {
    const job = processIn(id);
    if (!job) throw new UserError('run-invalid', `another machine started the command (${id}); end it there`);
    if ((await this.states([id])).get(id)?.state === 'ended') return;
    try {
      // Its whole group: the shell and what it started.
      process.kill(-job.pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  },
};
