import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UntimedRunEvent } from '../../../daemon/protocol/events.js';
import { RunSummary } from '../../../daemon/protocol/messages.js';
import type { WorkspacePath } from '../../../daemon/protocol/paths.js';
import { listRuns } from '../../../daemon/runs/list/listRuns.js';
import {
  deleteRun,
  findRun,
  readRunPlan,
  renameRun,
  runFolder,
  runSummary,
} from '../../../daemon/runs/list/registry.js';
import { openEventWriter } from '../../../daemon/trainer/log/eventWriter.js';
import { lockHolder, takeLock } from '../../../daemon/trainer/process/lock.js';
import { createRunFolder, runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { PLAN } from '../trainer/fakeRun.js';

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
});
afterEach(() => rm(workspace, { recursive: true }));

const NOON = Date.UTC(2026, 0, 2, 12, 0, 0);
const start: UntimedRunEvent = {
  event: 'start',
  run: 'r',
  plan: 'p',
  method: 'lc',
  engine: 'onnx-cpu',
  device: 'CPU',
  seed: 1,
  weights: 100,
  prunable: 80,
  kappa: 8,
  totalSteps: 200,
  resumed: false,
};
const evaluation = { loss: 0.5, error: 0.25, samples: 100 };

async function made(events: UntimedRunEvent[], time = NOON): Promise<string> {
  const folder = await createRunFolder(workspace, PLAN, time);
  const writer = openEventWriter(runPaths(folder).events, { bytes: 0, events: 0 }, () => time);
  for (const event of events) writer.write(event);
  writer.close();
  return folder;
}

describe('run folders', () => {
  it('are named by time and plan, ignored by git, and never shared', async () => {
    const first = await createRunFolder(workspace, { ...PLAN, name: '../evil name/ü' }, NOON);
    const second = await createRunFolder(workspace, { ...PLAN, name: '../evil name/ü' }, NOON);
    expect(await readdir(join(workspace, '.lcprune', 'runs'))).toEqual([
      '2026-01-02T12-00-00-evil-name-ü',
      '2026-01-02T12-00-00-evil-name-ü-2',
    ]);
    expect(first).not.toBe(second);
    expect(await readFile(join(workspace, '.lcprune', '.gitignore'), 'utf8')).toBe('*\n');
    expect(await readRunPlan(first)).toEqual({ ...PLAN, name: '../evil name/ü' });
  });

  it('are refused if the workspace leads elsewhere', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await symlink(outside, join(workspace, '.lcprune'));
    await expect(createRunFolder(workspace, PLAN, NOON)).rejects.toMatchObject({ code: 'path-outside-workspace' });
    await expect(listRuns(workspace)).rejects.toMatchObject({ code: 'path-outside-workspace' });
    expect(await readdir(outside)).toEqual([]);
    await rm(outside, { recursive: true });
  });
});

describe('summaries', () => {
  const states: [string, UntimedRunEvent[], string][] = [
    ['interrupted', [start], 'a trainer that vanished'],
    ['interrupted', [], 'one that vanished before its first event'],
    ['interrupted', [start, { event: 'paused', step: 3 }], 'one that vanished while paused'],
    ['interrupted', [start, { event: 'stopped', step: 3, reason: 'shutdown', resume: '' }], 'one that was shut down'],
    [
      'interrupted',
      [start, { event: 'stopped', step: 3, reason: 'disconnect', resume: '' }],
      'one whose supervisor died',
    ],
    ['stopped', [start, { event: 'stopped', step: 3, reason: 'user', resume: '' }], 'one the user stopped'],
    ['stopped', [start, { event: 'stopped', step: 3, reason: 'interrupted', resume: '' }], 'one left with Ctrl-C'],
    ['failed', [start, { event: 'failed', code: 'diverged', message: 'no' }], 'one that failed'],
    [
      'done',
      [
        start,
        {
          event: 'done',
          reference: evaluation,
          theta: evaluation,
          retrained: { ...evaluation, error: 0.3 },
          kept: 8,
          prunable: 80,
          perLayer: [],
          seconds: 1,
          folder: '',
        },
      ],
      'one that finished',
    ],
  ];

  it.each(states)('%s: %j (%s)', async (state, events) => {
    const summary = await runSummary(await made(events));
    expect(RunSummary.parse(summary)).toEqual(summary);
    expect(summary.state).toBe(state);
    if (state === 'done') expect(summary).toMatchObject({ progress: 1, error: 0.3, referenceError: 0.25, kept: 8 });
    if (state === 'failed') expect(summary.message).toBe('no');
    if (state === 'interrupted') expect(summary.message).toContain('resume');
  });

  it('know a run whose trainer lives', async () => {
    const folder = await made([
      start,
      { event: 'batch', phase: 'l-step', step: 50, epoch: 1, loss: 1, learningRate: 1, samplesPerSecond: 1600 },
    ]);
    const release = await takeLock(runPaths(folder).lock);
    expect(await runSummary(folder)).toMatchObject({
      state: 'running',
      progress: 0.25,
      samplesPerSecond: 1600,
      etaSeconds: 1.5,
      ended: null,
    });
    const writer = openEventWriter(runPaths(folder).events, { bytes: 1e9, events: 2 }, () => NOON);
    writer.write({ event: 'paused', step: 50 });
    writer.close();
    expect((await runSummary(folder)).state).toBe('paused');
    await release();
    expect((await runSummary(folder)).state).toBe('interrupted');
  });

  it('list newest first, and broken folders with the reason', async () => {
    await made([start], NOON);
    await made([start], NOON + 1000);
    const broken = join(workspace, '.lcprune', 'runs', 'broken');
    await mkdir(broken);
    await writeFile(join(broken, 'plan.json'), '{"name": 3}');
    await writeFile(join(workspace, '.lcprune', 'runs', 'file'), '');
    const runs = await listRuns(workspace);
    expect(runs.map(({ run }) => run)).toEqual(['broken', '2026-01-02T12-00-01-blobs', '2026-01-02T12-00-00-blobs']);
    expect(runs[0]).toMatchObject({ state: 'failed', message: expect.stringContaining('plan.json') });
  });

  it('are none in a workspace without runs', async () => {
    expect(await listRuns(workspace)).toEqual([]);
    expect(await readdir(workspace)).toEqual([]);
  });
});

describe('names', () => {
  const evil = ['..', '.', '', '../..', 'a/b', 'a\\b', '/etc', '.deleted-x', 'a\0b', '__proto__', 'x'.repeat(5000)];

  it('that are not runs are refused by every function that takes one', async () => {
    await made([start]);
    for (const name of evil) {
      await expect(runFolder(workspace, name), name).rejects.toMatchObject({ code: 'run-missing' });
      await expect(deleteRun(workspace, name), name).rejects.toMatchObject({ code: 'run-missing' });
      await expect(renameRun(workspace, name, 'x'), name).rejects.toMatchObject({ code: 'run-missing' });
      await expect(findRun(name, { workspace }), name).rejects.toMatchObject({ code: 'run-missing' });
    }
    expect(await listRuns(workspace)).toHaveLength(1);
  });

  it('that are links are refused, and their targets stay', async () => {
    await made([start]);
    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await writeFile(join(outside, 'plan.json'), JSON.stringify(PLAN));
    await symlink(outside, join(workspace, '.lcprune', 'runs', 'link'));
    await expect(deleteRun(workspace, 'link')).rejects.toMatchObject({ code: 'run-missing' });
    expect(await listRuns(workspace)).toHaveLength(1);
    expect(await readdir(outside)).toEqual(['plan.json']);
    await rm(outside, { recursive: true });
  });

  it('find a run by name or by folder', async () => {
    const folder = await made([start]);
    const name = folder.split('/').at(-1)!;
    expect(await findRun(name, { workspace })).toEqual({ folder, workspace });
    expect(await findRun(folder, { workspace: '/' })).toEqual({ folder, workspace });
    await expect(findRun(join(workspace, 'elsewhere'), { workspace })).rejects.toMatchObject({ code: 'run-missing' });
  });
});

describe('deleting and renaming', () => {
  it('delete a whole run, and no other', async () => {
    const folder = await made([start]);
    await made([start], NOON + 1000);
    await deleteRun(workspace, folder.split('/').at(-1)!);
    expect(await readdir(join(workspace, '.lcprune', 'runs'))).toEqual(['2026-01-02T12-00-01-blobs']);
  });

  it('rename a run whose baselines go on naming it, and reading the reference that it trained', async () => {
    const folder = await made([start]);
    const name = basename(folder);
    const reference = { path: `.lcprune/runs/${name}/reference/model.json` as WorkspacePath };
    const plan = { ...PLAN, method: 'magnitude' as const, baselineOf: name, model: reference };
    const baseline = await createRunFolder(workspace, plan, NOON + 1000);
    const other = await createRunFolder(workspace, { ...PLAN, baselineOf: `${name}-2` }, NOON + 2000);
    const before = await readFile(runPaths(other).plan, 'utf8');
    const release = await takeLock(runPaths(baseline).lock, 'lc-prune');
    await expect(renameRun(workspace, name, 'best')).rejects.toMatchObject({ code: 'run-invalid' });
    expect(await readdir(dirname(folder))).toContain(name);
    await release();
    const renamed = await renameRun(workspace, name, 'best');
    expect(await readRunPlan(baseline)).toEqual({
      ...plan,
      baselineOf: renamed,
      model: { path: `.lcprune/runs/${renamed}/reference/model.json` },
    });
    expect(await readFile(runPaths(other).plan, 'utf8')).toBe(before);
  });

  it('rename a run within its folder, keeping its time, its log and other runs', async () => {
    const folder = await made([start]);
    const other = await made([start], NOON + 1000);
    const name = folder.split('/').at(-1)!;
    const renamed = await renameRun(workspace, name, '../../my best: run');
    expect(renamed).toBe('2026-01-02T12-00-00-my-best-run');
    expect(await runSummary(await runFolder(workspace, renamed))).toMatchObject({ run: renamed, prunable: 80 });
    await expect(renameRun(workspace, other.split('/').at(-1)!, 'blobs')).resolves.toBe('2026-01-02T12-00-01-blobs');
  });

  it('do not touch a run that is being worked on', async () => {
    const folder = await made([start]);
    const name = folder.split('/').at(-1)!;
    const release = await takeLock(runPaths(folder).lock);
    await expect(deleteRun(workspace, name)).rejects.toMatchObject({ code: 'run-invalid' });
    await expect(renameRun(workspace, name, 'x')).rejects.toMatchObject({ code: 'run-invalid' });
    await release();
    await deleteRun(workspace, name);
  });
});

describe('the lock', () => {
  it('has one holder', async () => {
    const lock = join(workspace, 'lock');
    const release = await takeLock(lock);
    expect(await lockHolder(lock)).toBe(process.pid);
    await expect(takeLock(lock)).rejects.toMatchObject({
      code: 'run-invalid',
      message: expect.stringContaining(String(process.pid)),
    });
    await release();
    expect(await lockHolder(lock)).toBeNull();
    await expect(stat(lock)).rejects.toThrow();
    await (
      await takeLock(lock)
    )();
  });

  it('is stale when its process is gone, or when the id is another process now', async () => {
    const lock = join(workspace, 'lock');
    const stale = [
      JSON.stringify({ pid: 2 ** 22 + 1, started: null }),
      JSON.stringify({ pid: process.pid, started: '1' }),
      '',
      'junk',
      '{"pid":-1,"started":null}',
    ];
    for (const content of stale) {
      if (process.platform === 'win32' && content.includes('"1"')) continue;
      await writeFile(lock, content);
      expect(await lockHolder(lock), content).toBeNull();
      await (
        await takeLock(lock)
      )();
    }
  });
});
