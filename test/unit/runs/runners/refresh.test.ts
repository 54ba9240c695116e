/** What the log of a run says after its job has ended. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UntimedRunEvent } from '../../../../daemon/protocol/events.js';
import { lastEvents } from '../../../../daemon/runs/eventLog.js';
import { markStop, readJob, writeJob } from '../../../../daemon/runs/runners/jobs.js';
import { refresh } from '../../../../daemon/runs/runners/refresh.js';
import { appendEvent } from '../../../../daemon/trainer/log/appendEvent.js';
import { here } from '../../../../daemon/trainer/process/place.js';

let workspace: string;
let folder: string;
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'jobs-')));
  folder = join(workspace, '.lcprune', 'runs', 'one');
  await mkdir(folder, { recursive: true });
});
afterEach(() => rm(workspace, { recursive: true }));

const stopped = (reason: 'user' | 'shutdown'): UntimedRunEvent => ({
  event: 'stopped',
  step: 7,
  reason,
  resume: 'lc-prune resume',
});
/** What a supervisor writes for a trainer that a signal ended while it loaded. */
const killed: UntimedRunEvent = {
  event: 'failed',
  code: 'engine-failed',
  message: 'the trainer was ended by SIGTERM',
  ending: { how: 'SIGTERM', cause: 'killed', engine: 'native-cpu', checkpoint: null, next: null },
};
const crashed: UntimedRunEvent = { ...killed, ending: { ...killed.ending!, how: 'SIGSEGV', cause: 'crash' } };

/** A job whose process is gone, of a run that had stopped before; its own events are these. */
async function endedJob(events: readonly UntimedRunEvent[]): Promise<void> {
  const before = await appendEvent(folder, stopped('user'));
  // Times in a log are whole milliseconds.
  while (Date.now() === before);
  for (const event of events) await appendEvent(folder, event);
  const { pid } = spawnSync('true');
  const id = `${pid}@${here().host ?? ''}+1`;
  await writeJob(folder, {
    on: 'command',
    id,
    state: 'running',
    output: join(folder, 'output.txt'),
    submitted: 0,
    before,
  });
}

describe.skipIf(process.platform === 'win32')('a job that has ended', () => {
  const state = async () => (await lastEvents(folder)).state;

  it.each([
    ['its trainer was ended while it loaded', [killed]],
    ['its queue ended it first', [stopped('shutdown')]],
    ['it had not begun', []],
  ])('is stopped by its user if that was asked for: %s', async (_, events) => {
    await endedJob(events);
    await markStop(folder);
    await refresh([folder]);
    expect(await state()).toMatchObject({ event: 'stopped', reason: 'user' });
    expect(await readJob(folder)).toBeNull();
  });

  it('has failed if its engine crashed, whatever was asked for', async () => {
    await endedJob([crashed]);
    await markStop(folder);
    await refresh([folder]);
    expect(await state()).toMatchObject({ event: 'failed', ending: { how: 'SIGSEGV' } });
    expect(await readJob(folder)).toBeNull();
  });

  it('has failed if nobody asked for its end', async () => {
    await endedJob([killed]);
    await refresh([folder]);
    expect(await state()).toMatchObject({ event: 'failed', ending: { how: 'SIGTERM' } });
  });
});
