/**
 * Run folders on a disk that becomes full, and on one that cannot be written: the real command on a small file system of its own. Needs
 * `npm run build`, and the right to mount.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lcPrune } from '../fixtures/cli.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';
import { theta } from './runFiles.js';

const mount = (folder: string, options: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder], { stdio: 'ignore' }).status === 0;
const unmount = (folder: string) => spawnSync('umount', ['-l', folder], { stdio: 'ignore' });

function mayMount(): boolean {
  if (process.platform !== 'linux') return false;
  const folder = mkdtempSync(join(tmpdir(), 'lcprune-mount-'));
  const may = mount(folder, 'size=64k');
  if (may) unmount(folder);
  rmdirSync(folder);
  return may;
}
const canMount = mayMount();
if (!canMount) console.log('skipped: file systems cannot be mounted here');

const SIZE = 8 << 20;
/** Long enough that the disk is full before its end, on any machine. */
const LONG = { ...TINY_PLAN, schedule: { ...TINY_PLAN.schedule, iterations: 8, epochs: 500, tolerance: 0 } };

describe.runIf(canMount)('a run folder on a full or read-only share', { timeout: 180_000 }, () => {
  let whole: TinyWorkspace;
  let folder: string;
  const at = (...parts: string[]) => join(folder, ...parts);
  const ballast = () => at('ballast');

  /** Leaves no byte for others. */
  async function fill(): Promise<void> {
    const { bavail, bsize } = await statfs(folder);
    await writeFile(ballast(), Buffer.alloc(bavail * bsize)).catch(() => undefined);
  }
  const empty = () => rm(ballast());

  beforeAll(async () => {
    whole = await tinyWorkspace(LONG);
    const { code, stderr } = await lcPrune(['run', 'tiny.prune.json', '--json'], { cwd: whole.folder });
    expect(code, stderr).toBe(0);
  }, 120_000);
  afterAll(() => whole.remove());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lcprune-share-'));
    expect(mount(folder, `size=${SIZE}`)).toBe(true);
    for (const name of ['model.json', 'weights.bin', 'data.csv', 'tiny.prune.json'])
      await cp(whole.path(name), at(name));
  });
  afterEach(async () => {
    unmount(folder);
    await rmdir(folder);
  });

  const resultOf = async (workspace: string) => {
    const [run] = await readdir(join(workspace, '.lcprune', 'runs'));
    return theta(join(workspace, '.lcprune', 'runs', run!));
  };

  /** Starts a command and fills the disk as soon as its output has this. */
  async function filledDuring(args: readonly string[], when: RegExp): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, [resolve('dist', 'cli.mjs'), ...args], { cwd: folder });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const ended = new Promise<number | null>((done) => child.on('close', done));
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!when.test(output) && !isOver) await wait(20);
    expect(isOver, output).toBe(false);
    await fill();
    return { code: await ended, output };
  }

  it('says that the disk is full, and continues to the same result when there is room', async () => {
    const { code, output } = await filledDuring(['run', 'tiny.prune.json', '--json'], /"iteration":3\b/);
    expect(code).not.toBe(0);
    expect(output).toMatch(/"code":"disk","message":"[^"]*the disk is full[^"]*resume/);
    // Still no room: refused with the reason, and nothing is lost.
    const [run] = await readdir(at('.lcprune', 'runs'));
    const refused = await lcPrune(['resume', `.lcprune/runs/${run}`], { cwd: folder });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/the disk is full/);
    await empty();
    const resumed = await lcPrune(['resume', `.lcprune/runs/${run}`, '--json'], { cwd: folder });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await resultOf(folder)).toEqual(await resultOf(whole.folder));
  });

  it('writes no part of a plan, of a run or of an export on a full disk', async () => {
    await fill();
    const listing = async () => (await readdir(folder, { recursive: true })).sort();
    const before = await listing();
    const init = await lcPrune(['init', 'model.json', '--data', 'data.csv', '--out', 'new/other.prune.json'], {
      cwd: folder,
    });
    expect(init.code).not.toBe(0);
    expect(init.stderr).toMatch(/other\.prune\.json was not written: the disk is full/);
    expect(await listing()).toEqual(before);
    const run = await lcPrune(['run', 'tiny.prune.json'], { cwd: folder });
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(/the disk is full/);
    const [own] = await readdir(whole.path('.lcprune', 'runs'));
    const exported = await lcPrune(['export', `.lcprune/runs/${own}`, '--format', 'sparse', '--out', at('net.lcp')], {
      cwd: whole.folder,
    });
    expect(exported.code).not.toBe(0);
    expect(exported.stderr).toMatch(/net\.lcp was not written: the disk is full/);
    expect((await listing()).filter((name) => !name.startsWith('.lcprune'))).toEqual(before);
  });

  it('lists, compares and exports runs of a share that cannot be written, and refuses to start or resume one', async () => {
    await cp(whole.path('.lcprune'), at('.lcprune'), { recursive: true });
    expect(spawnSync('mount', ['-o', 'remount,ro', folder]).status).toBe(0);
    const [run] = await readdir(at('.lcprune', 'runs'));
    const listed = await lcPrune(['runs'], { cwd: folder });
    expect(listed.code, listed.stderr).toBe(0);
    expect(listed.stdout).toContain(run);
    const out = await mkdtemp(join(tmpdir(), 'lcprune-out-'));
    const exported = await lcPrune(
      ['export', `.lcprune/runs/${run}`, '--format', 'sparse', '--out', join(out, 'net.lcp')],
      { cwd: folder },
    );
    expect(exported.code, exported.stderr).toBe(0);
    expect((await readFile(join(out, 'net.lcp'))).length).toBeGreaterThan(0);
    await rm(out, { recursive: true });
    for (const args of [
      ['run', 'tiny.prune.json'],
      ['sweep', 'tiny.prune.json', '--over', 'seed=0..1'],
      ['init', 'model.json', '--data', 'data.csv', '--out', 'other.prune.json'],
      ['export', `.lcprune/runs/${run}`, '--format', 'sparse', '--out', 'net.lcp'],
      ['mark', run!, '--star'],
    ]) {
      const refused = await lcPrune(args, { cwd: folder });
      expect(refused.code, args.join(' ')).not.toBe(0);
      expect(refused.stderr, args.join(' ')).toMatch(/the folder is read-only/);
    }
  });

  it('ends a sweep at once when its record cannot be written; later it goes on', async () => {
    const args = ['sweep', 'tiny.prune.json', '--over', 'seed=0..2', '--parallel', '2'];
    const { code, output } = await filledDuring([...args, '--json'], /"state":"done"/);
    expect(code).not.toBe(0);
    expect(output).toMatch(/the disk is full/);
    await empty();
    const [sweep] = await readdir(at('.lcprune', 'sweeps'));
    const resumed = await lcPrune(['sweep', `.lcprune/sweeps/${sweep}`], { cwd: folder });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await readFile(at('.lcprune', 'sweeps', sweep!, 'results.csv'), 'utf8')).toMatch(/\n/);
  });
});
