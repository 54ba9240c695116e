/** Real trainers of the real command, ended by a signal: the line that names the way on, and that way. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeAll(async () => {
  const schedule = { ...TINY_PLAN.schedule, iterations: 12, epochs: 400, tolerance: 0 };
  ws = await tinyWorkspace({ ...TINY_PLAN, engine: 'onnx-cpu', schedule });
});
afterAll(() => ws.remove());

/** Runs the command and ends its trainer once the third LC iteration is done. */
async function crashing(args: readonly string[], signal: NodeJS.Signals, cwd: string) {
  const child = spawn(process.execPath, [resolve('dist', 'cli.mjs'), ...args], { cwd });
  let [stdout, stderr] = ['', ''];
  let killed: Promise<unknown> | null = null;
  const look = () => {
    if (!/^ +3\/12/m.test(stderr) || killed) return;
    killed = (async () => {
      const runs = ws.path('.lcprune', 'runs');
      for (const run of await readdir(runs)) {
        const lock = await readFile(join(runs, run, 'lock'), 'utf8').catch(() => null);
        if (lock) process.kill((JSON.parse(lock) as { pid: number }).pid, signal);
      }
    })();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  const code = await new Promise((done) => child.on('close', done));
  return { code, stdout, stderr };
}

it('reports in one line what happened and how to go on; that command finishes the run, and the report names it', async () => {
  const cwd = ws.folder;
  const { code, stderr, stdout } = await crashing(['run', 'tiny.prune.json', '--json'], 'SIGSEGV', cwd);
  expect({ code, stderr }).toMatchObject({ code: 1 });
  const errors = stderr.split('\n').filter((line) => line.startsWith('error:'));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/engine onnx-cpu\) was ended by SIGSEGV at iteration \d+;.*the last checkpoint is \S+\d{6}\.checkpoint; continue with: lc-prune resume /); // prettier-ignore
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { ending: { next: string }; folder: string };
  expect(last).toMatchObject({ event: 'error', code: 'engine-failed', ending: { how: 'SIGSEGV', engine: 'onnx-cpu' } });

  const listed = await lcPrune(['runs'], { cwd });
  expect(listed.stdout).toContain('crashed (SIGSEGV, onnx-cpu)');
  const [, run, engine] = /lc-prune resume (\S+) --engine (\S+)$/.exec(errors[0]!)!;
  expect(engine).toBe(last.ending.next);

  const nonsense = await lcPrune(['resume', run!, '--engine', 'abacus'], { cwd });
  expect(nonsense.code).toBe(2);
  expect(nonsense.stderr).toMatch(/there is no engine "abacus"; engines: auto,.*onnx-cpu/);

  const finished = await lcPrune(['resume', run!, '--engine', engine!], { cwd, timeout: 120_000 });
  expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
  const change = `engine changed from onnx-cpu to ${engine}`;
  expect(finished.stdout).toContain(change);
  expect(await readFile(join(last.folder, 'result', 'report.md'), 'utf8')).toContain(change);
  const plan = JSON.parse(await readFile(join(last.folder, 'plan.json'), 'utf8')) as object;
  expect(plan).toMatchObject({ engine, continuations: [{ from: 'onnx-cpu', to: engine }] });
}, 240_000);

it('after a kill from outside advises a smaller batch, and resuming finishes the run on its own engine', async () => {
  const cwd = ws.folder;
  const { code, stderr } = await crashing(['run', 'tiny.prune.json'], 'SIGKILL', cwd);
  expect({ code, stderr }).toMatchObject({ code: 1 });
  expect(stderr).toMatch(/ended by SIGKILL.*perhaps for want of memory.*"training.batchSize"/);
  const [, run] = /continue with: lc-prune resume (\S+)$/m.exec(stderr)!;
  const finished = await lcPrune(['resume', run!], { cwd, timeout: 120_000 });
  expect({ code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
  expect(finished.stdout).not.toContain('engine changed');
}, 240_000);
