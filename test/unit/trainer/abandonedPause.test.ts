/** A paused trainer that has outlived its window, and how long it waits for the next. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endAbandonedPause } from '../../../daemon/trainer/process/abandonedPause.js';
import { createControl } from '../../../daemon/trainer/process/control.js';
import { takeLock } from '../../../daemon/trainer/process/lock.js';

let folder: string;
let timer: NodeJS.Timeout;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'pause-'))));
afterEach(async () => {
  clearInterval(timer);
  await rm(folder, { recursive: true });
});

const patience = { interval: 20, looks: 3 };

it('ends a pause that nobody looks after, and keeps the process alive until then', async () => {
  const control = createControl();
  timer = endAbandonedPause(join(folder, 'keeper'), control, patience);
  expect(timer.hasRef()).toBe(true);
  control.pause().catch(() => undefined);
  expect(control.stopReason).toBeNull();
  await expect.poll(() => control.stopReason, { timeout: 10_000 }).toBe('abandoned');
});

it('leaves a run that trains to its end, and a pause that a window looks after', async () => {
  const control = createControl();
  timer = endAbandonedPause(join(folder, 'keeper'), control, patience);
  await wait(200);
  expect(control.stopReason).toBeNull();
  const release = await takeLock(join(folder, 'keeper'), 'editor');
  control.pause().catch(() => undefined);
  await wait(200);
  expect(control.stopReason).toBeNull();
  await release();
  await expect.poll(() => control.stopReason, { timeout: 10_000 }).toBe('abandoned');
});
