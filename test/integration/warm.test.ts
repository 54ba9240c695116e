/** Processes that are started a moment before they are needed: used once, and gone where nobody needs them. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { trainerProcess, warmTrainerProcess } from '../../daemon/runs/trainerProcess.js';
import { trainerPath } from '../../daemon/runs/supervisor.js';
import { jobProcess, warmJob } from '../../daemon/server/jobs/jobProcess.js';
import type { ChildProcess } from 'node:child_process';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
const kept = <C extends ChildProcess>(child: C): C => {
  children.push(child);
  return child;
};
const take = (program: 'editor' | 'lc-prune') => kept(trainerProcess(trainerPath(), program));
const ended = async (child: ChildProcess) => child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))[0];

describe('a trainer started before its run', () => {
  it('is the trainer of the next run, and of no other', async () => {
    warmTrainerProcess(trainerPath(), 'lc-prune');
    warmTrainerProcess(trainerPath(), 'lc-prune');
    const first = take('lc-prune');
    expect(first.spawnargs.at(-1)).toBe('--warm');
    // It answers like any other process: a request without a run is refused, not lost.
    const answer = once(first, 'message');
    first.send({ type: 'stop', reason: 'user', id: 7 });
    expect((await answer)[0]).toMatchObject({ type: 'answer', id: 7 });
    const second = take('lc-prune');
    expect(second.pid).not.toBe(first.pid);
    expect(second.spawnargs.at(-1)).not.toBe('--warm');
  });

  it('is not used if it died, or was started for another program', async () => {
    warmTrainerProcess(trainerPath(), 'editor');
    const other = take('lc-prune');
    expect(other.spawnargs.at(-1)).not.toBe('--warm');
    const warm = take('editor');
    expect(warm.spawnargs.at(-1)).toBe('--warm');
    // There is nothing to load: it ends before it is needed.
    const missing = '/nowhere/trainer.mjs';
    warmTrainerProcess(missing, 'editor');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(kept(trainerProcess(missing, 'editor')).spawnargs.at(-1)).toBe(missing);
  });

  it('ends with the process that has started it', async () => {
    warmTrainerProcess(trainerPath(), 'lc-prune');
    const child = take('lc-prune');
    child.disconnect();
    expect(await ended(child)).toBeTypeOf('number');
  });
});

describe('a job process started before its job', () => {
  it('does the next job, once', async () => {
    warmJob('previewData');
    const warm = jobProcess('previewData');
    kept(warm.child);
    expect(warm.child.spawnargs.at(-1)).toBe('--warm');
    const params = { model: '/nowhere/model.json', data: 'mnist', workspace: '/nowhere' };
    warm.child.stdin!.write(`${JSON.stringify(params)}\n`);
    const { stdout } = await warm.ended;
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)).toHaveProperty('error.code');
    expect(kept(jobProcess('previewData').child).spawnargs.at(-1)).toBe('previewData');
  });

  it('ends if its parent is gone, and is not used if it died', async () => {
    warmJob('previewData');
    const { child, ended: over } = jobProcess('previewData');
    child.stdin!.end();
    expect((await over).failure).toMatchObject({ code: 1 });
  });
});
