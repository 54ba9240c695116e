/** Runs that cannot start, break, or lose their supervisor. */
import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { listRuns } from '../../daemon/runs/list/listRuns.js';
import { runSummary } from '../../daemon/runs/list/registry.js';
import { resumeRun, startRun } from '../../daemon/runs/supervisor.js';
import { bundleTrainer } from './trainer/bundle.js';
import { FakeRuns, plan } from './fakeRuns.js';
import { isAlive } from '../fixtures/isAlive.js';
import { history, theta, untilGone } from './runFiles.js';

const runs = FakeRuns.prepare();
const options = () => runs.options();
const whole = () => runs.whole();

describe('what goes wrong', { timeout: 120_000 }, () => {
  it('bad input fails before anything is left on disk', async () => {
    process.env['FAKE_LOAD_ERROR'] = 'model.json is missing; name one';
    await expect(startRun(plan, options())).rejects.toMatchObject({
      name: 'UserError',
      code: 'model-missing',
      message: 'model.json is missing; name one',
    });
    expect(await readdir(runs.workspace)).toEqual([]);
  });

  it('an engine that breaks is reported in the log, and the run can be resumed', async () => {
    process.env['FAKE_CRASH_AT'] = '100';
    const { handle, last } = await whole();
    expect(last).toMatchObject({ event: 'failed', message: expect.stringContaining('the engine broke') });
    expect((await history(handle.folder)).at(-1)).toEqual(last);
    expect(await runSummary(handle.folder)).toMatchObject({
      state: 'failed',
      message: expect.stringContaining('resume'),
    });
    delete process.env['FAKE_CRASH_AT'];
    const resumed = await resumeRun(handle.folder, options());
    expect((await resumed.done).event).toBe('done');
    expect((await history(handle.folder)).filter(({ event }) => event === 'failed')).toEqual([]);
  });

  it('a supervisor that dies takes its trainer with it, after a checkpoint', async () => {
    process.env['FAKE_STEP_MS'] = '12';
    const script = join(runs.workspace, 'supervisor.mjs');
    const planFile = join(runs.workspace, 'plan.json');
    await writeFile(planFile, JSON.stringify(plan));
    const supervisor = await bundleTrainer('test/integration/trainer/supervise.ts');
    await writeFile(script, `import ${JSON.stringify(supervisor.path)};`);
    const child = spawn(process.execPath, [supervisor.path, planFile, runs.workspace, runs.trainer], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((ready) =>
      child.stdout.on('data', (data: Buffer) => ready(Number(data.toString()))),
    );
    await wait(200);
    child.kill('SIGKILL');
    await untilGone(pid);
    const [run] = await listRuns(runs.workspace);
    expect(run).toMatchObject({ state: 'interrupted' });
    expect((await history(run!.folder)).slice(-2).map(({ event }) => event)).toEqual(['checkpoint', 'stopped']);
    process.env['FAKE_STEP_MS'] = '0';
    expect((await (await resumeRun(run!.run, options())).done).event).toBe('done');
    await supervisor.remove();
  });

  it('Ctrl-C, which reaches every process of the group, still ends in a checkpoint', async () => {
    process.env['FAKE_STEP_MS'] = '12';
    const handle = await startRun(plan, options());
    process.kill(handle.pid, 'SIGINT');
    await wait(50);
    expect(isAlive(handle.pid)).toBe(true);
    process.kill(handle.pid, 'SIGTERM');
    expect(await handle.done).toMatchObject({ event: 'stopped', reason: 'shutdown' });
    expect((await runSummary(handle.folder)).state).toBe('interrupted');
  });

  it('a damaged newest checkpoint is passed over, with a warning', async () => {
    const expected = await theta((await whole()).handle.folder);
    process.env['FAKE_STEP_MS'] = '12';
    const handle = await startRun(plan, options());
    await wait(400);
    await handle.checkpoint();
    process.kill(handle.pid, 'SIGKILL');
    await handle.done;
    const folder = join(handle.folder, 'checkpoints');
    const newest = (await readdir(folder))
      .filter((name) => name.endsWith('.checkpoint'))
      .sort()
      .at(-1)!;
    const content = await readFile(join(folder, newest));
    content[content.length - 100]! ^= 1;
    await writeFile(join(folder, newest), content);
    process.env['FAKE_STEP_MS'] = '0';
    const resumed = await resumeRun(handle.folder, options());
    await resumed.done;
    expect((await history(handle.folder)).filter(({ event }) => event === 'warning')).toMatchObject([
      { code: 'damaged-checkpoint' },
    ]);
    expect(await theta(handle.folder)).toEqual(expected);
  });

  it('no run starts if nothing can be written', async () => {
    const file = join(runs.workspace, 'file');
    await writeFile(file, '');
    await expect(startRun(plan, { ...options(), workspace: join(file, 'sub') })).rejects.toMatchObject({
      name: 'UserError',
    });
    await writeFile(join(runs.workspace, '.lcprune'), '');
    await expect(startRun(plan, options())).rejects.toMatchObject({ name: 'UserError' });
  });

  it('a run that does not start leaves nothing, and installed data as it was', async () => {
    const own = join(runs.workspace, '.lcprune');
    const failing = () =>
      expect(startRun(plan, { ...options(), trainer: join(runs.workspace, 'no-trainer.mjs') })).rejects.toThrow();
    await failing();
    expect(await readdir(runs.workspace)).not.toContain('.lcprune');
    await mkdir(join(own, 'packages'), { recursive: true });
    await writeFile(join(own, '.gitignore'), '*\n');
    await failing();
    expect((await readdir(own)).sort()).toEqual(['.gitignore', 'packages']);
  });

  const root = process.getuid?.() === 0;
  it.skipIf(root)('no run starts in a read-only folder', async () => {
    await chmod(runs.workspace, 0o500);
    await expect(startRun(plan, options())).rejects.toMatchObject({ code: 'disk' });
    await chmod(runs.workspace, 0o700);
  });

  let disk: string | null = null;
  try {
    if (root && process.platform === 'linux') {
      const probe = resolve(tmpdir(), `small-disk-${process.pid}`);
      execFileSync('mkdir', ['-p', probe]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=192k', 'tmpfs', probe], { stdio: 'ignore' });
      disk = probe;
    }
  } catch {
    // Not allowed here: the test below is shown as skipped.
  }
  afterAll(() => {
    if (disk) execFileSync('umount', [disk]);
  });

  it.skipIf(disk === null)(
    'a full disk fails the run clearly; with room again it is resumed to the same bytes',
    async () => {
      const expected = await theta((await whole()).handle.folder);
      const small = await realpath(disk!);
      process.env['FAKE_STEP_MS'] = '3';
      const handle = await startRun(plan, { ...options(), workspace: small });
      await handle.checkpoint();
      const filler = join(small, 'filler');
      await mkdir(small, { recursive: true });
      await writeFile(filler, Buffer.alloc(1 << 20)).catch(() => undefined);
      const last = await handle.done;
      expect(last).toMatchObject({ event: 'failed', code: 'disk' });
      expect(
        (await readdir(join(handle.folder, 'checkpoints'))).filter((name) => !name.endsWith('.checkpoint')),
      ).toEqual([]);
      await rm(filler);
      process.env['FAKE_STEP_MS'] = '0';
      const resumed = await resumeRun(handle.folder, { ...options(), workspace: small });
      expect((await resumed.done).event).toBe('done');
      expect(await theta(handle.folder)).toEqual(expected);
    },
  );
});
