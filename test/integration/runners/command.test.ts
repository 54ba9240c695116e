/** Runs that a command line executes, in place of another machine. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import { lcPrune } from '../../fixtures/cli.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

const PLAN = { ...TINY_PLAN, engine: 'native-cpu' };
const LONG = { ...PLAN, schedule: { ...PLAN.schedule, iterations: 30, epochs: 900, tolerance: 0 } };
const ON = 'env LC_PRUNE_THREADS=1 {cmd}';

let ws: TinyWorkspace;
beforeAll(async () => {
  ws = await tinyWorkspace({ ...PLAN, runOn: { command: ON } });
  await writeFile(ws.path('long.prune.json'), JSON.stringify({ ...LONG, runOn: { command: ON } }));
});
afterAll(() => ws.remove());
const cli = (...args: string[]) => lcPrune([...args, '--json'], { cwd: ws.folder, timeout: 200_000 });
const folderOf = ({ lines }: Awaited<ReturnType<typeof cli>>) =>
  lines.findLast(({ event }) => event === 'done')!['folder'] as string;
const weightsOf = (folder: string) => readFile(join(folder, 'result', 'model.lcp'));

describe.skipIf(process.platform === 'win32')('a run by a command', () => {
  it('has the numbers of a run here, and its baselines', { timeout: 240_000 }, async () => {
    const there = await cli('run', 'tiny.prune.json', '--compare', 'magnitude');
    expect(there, there.stderr).toMatchObject({ code: 0 });
    const events = there.lines.map(({ event }) => event);
    expect(events.slice(0, 2)).toEqual(['submitted', 'place']);
    expect(events).toContain('baseline');
    const here = await cli('run', 'tiny.prune.json', '--on', 'local');
    expect(here, here.stderr).toMatchObject({ code: 0 });
    expect(await weightsOf(folderOf(there))).toEqual(await weightsOf(folderOf(here)));
    expect(await readdir(ws.path('.lcprune', 'jobs'))).toEqual([]);
    expect(await readFile(join(folderOf(there), 'output.txt'), 'utf8')).toContain('iteration 1 of 6');
  });

  /** Follows a run until it has made progress, then leaves it to its job. @returns its output. */
  async function followAWhile(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [resolve('dist', 'cli.mjs'), ...args, '--json'], { cwd: ws.folder });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    while (!output.includes('"event":"iteration"') && child.exitCode === null) await wait(50);
    child.kill('SIGINT');
    expect(await new Promise((done) => child.on('close', done))).toBe(130);
    return output;
  }

  let whole: Promise<Buffer> | undefined;
  const uninterrupted = () =>
    (whole ??= cli('run', 'long.prune.json', '--on', 'local').then((result) => weightsOf(folderOf(result))));

  // There, the job takes up a run that a queue has: its own.
  it.each([
    ['here', ['--on', 'local']],
    ['there', []],
    ['there, by settings', ['--on', JSON.stringify({ command: ON })]],
  ])('goes on when nobody follows it, is stopped with a checkpoint, and continues %s', { timeout: 240_000 }, async (_, place) => {
    const output = await followAWhile('run', 'long.prune.json');
    const { folder } = JSON.parse(output.split('\n')[0]!) as { folder: string };
    const { lines } = await cli('runs');
    expect(lines.find((run) => run['folder'] === folder)).toMatchObject({ state: 'running', job: { on: 'command' } });
    const moved = await cli('resume', folder, '--on', 'local');
    expect(moved.code).toBe(2);
    expect(moved.stderr).toContain('is in a queue; stop it first, then it can go on in another place');
    const stopped = await cli('stop', folder);
    expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
    const after = (await cli('runs')).lines.find((run) => run['folder'] === folder)!;
    expect(after).toMatchObject({ state: 'stopped' });
    expect(after['progress']).toBeGreaterThan(0);
    const resumed = await cli('resume', folder, ...place);
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(await weightsOf(folder)).toEqual(await uninterrupted());
  });

  it('is stopped at any moment of its start, and continues to the same result', { timeout: 240_000 }, async () => {
    const output = await followAWhile('run', 'long.prune.json');
    const { folder } = JSON.parse(output.split('\n')[0]!) as { folder: string };
    await cli('stop', folder);
    const random = createRandom(27);
    for (let i = 0; i < 6; i++) {
      const resumed = spawn(process.execPath, [resolve('dist', 'cli.mjs'), 'resume', folder, '--json'], { cwd: ws.folder });
      let said = '';
      resumed.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
      while (!said.includes('"event":"submitted"') && resumed.exitCode === null) await wait(10);
      await wait(1200 * random.next());
      const stopped = await cli('stop', folder);
      expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
      resumed.kill('SIGINT');
      const after = (await cli('runs')).lines.find((run) => run['folder'] === folder)!;
      expect(after, said).toMatchObject({ state: 'stopped' });
    }
    const resumed = await cli('resume', folder);
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(await weightsOf(folder)).toEqual(await uninterrupted());
  });

  it('that fails at once is explained', { timeout: 60_000 }, async () => {
    const refused = await cli('run', 'tiny.prune.json', '--on', 'echo no such box: {cmd} >&2; exit 255');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/command job \S+ ended before the run began: no such box: sh \S+job\.sh; all of its output is in/); // prettier-ignore
    const unknown = await cli('run', 'tiny.prune.json', '--on', 'mars');
    expect(unknown.stderr).toContain('"mars" is none of local, slurm, command, and no command line with {cmd} in it');
  });
}); // prettier-ignore
