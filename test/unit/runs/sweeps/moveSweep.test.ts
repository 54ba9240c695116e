/** A sweep that continues in another place: its record says so, and no run of it is in two places. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WorkspacePath } from '../../../../daemon/protocol/paths.js';
import { writeJob } from '../../../../daemon/runs/runners/jobs.js';
import { moveSweep } from '../../../../daemon/runs/sweeps/moveSweep.js';
import { createSweepFolder, readRecord, sweepFiles, writeRecord } from '../../../../daemon/runs/sweeps/sweepFolder.js';
import { takeLock } from '../../../../daemon/trainer/process/lock.js';
import { createRunFolder } from '../../../../daemon/trainer/process/runFolder.js';
import { PLAN } from '../../trainer/fakeRun.js';

const QUEUE = { slurm: { partition: 'short' } };

let workspace: string;
let folder: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'lc-prune-move-'));
  const points = [{ values: { seed: 0 }, run: null }];
  const record = { name: 'a', planPath: 'a.prune.json' as WorkspacePath, planText: '{}', compare: [], parallel: 1, points };
  folder = await createSweepFolder(workspace, { ...record, runOn: QUEUE }, 0);
}); // prettier-ignore
afterEach(() => rm(workspace, { recursive: true, force: true }));

test('has the other place from then on', async () => {
  expect(await moveSweep(folder, workspace, () => undefined)).not.toHaveProperty('runOn');
  expect(await readRecord(folder)).not.toHaveProperty('runOn');
  await moveSweep(folder, workspace, (before) => {
    expect(before).toBeUndefined();
    return QUEUE;
  });
  expect((await readRecord(folder)).runOn).toEqual(QUEUE);
});

test('stays while a process executes it, or a queue has a run of it', async () => {
  const release = await takeLock(sweepFiles(folder).lock, 'lc-prune');
  await expect(moveSweep(folder, workspace, () => undefined)).rejects.toMatchObject({ code: 'run-invalid' });
  await release();
  const run = await createRunFolder(workspace, PLAN, 0);
  const record = await readRecord(folder);
  await writeRecord(folder, { ...record, points: [{ values: { seed: 0 }, run: basename(run) }] });
  await writeJob(run, { on: 'slurm', id: '7', state: 'pending', output: '', submitted: 0, before: null });
  await expect(moveSweep(folder, workspace, () => undefined)).rejects.toThrow(
    `a queue has ${basename(run)}; end the sweep with lc-prune stop`,
  );
  expect((await readRecord(folder)).runOn).toEqual(QUEUE);
});
