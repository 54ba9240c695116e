/** `lc-prune runs` and `lc-prune mark`: what the editor's table shows, in a terminal. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRunFolder, runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { lcPrune } from '../../fixtures/cli.js';
import { tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { PLAN } from '../../unit/trainer/fakeRun.js';

let ws: TinyWorkspace;
let names: string[];
beforeAll(async () => {
  ws = await tinyWorkspace();
  const evaluation = { loss: 0.5, error: 0.25, samples: 100 };
  names = [];
  for (const [i, state] of ['done', 'failed'].entries()) {
    const folder = await createRunFolder(ws.folder, { ...PLAN, name: `net${i}` }, Date.UTC(2026, 0, 2, 12, i));
    const last =
      state === 'done'
        ? { event: 'done', reference: { ...evaluation, error: 0.2 }, theta: evaluation, retrained: evaluation, kept: 8, prunable: 80, perLayer: [], seconds: 60, folder: '.' }
        : { event: 'failed', code: 'internal', message: 'no' }; // prettier-ignore
    await writeFile(runPaths(folder).events, `${JSON.stringify({ time: 2, ...last })}\n`);
    names.push(basename(folder));
  }
});
afterAll(() => ws?.remove());

const runs = async (...args: string[]) => (await lcPrune(['runs', ...args], { cwd: ws.folder })).stdout;

it('notes star, tags and a note of a run, adds and takes away, and lists by them', async () => {
  const [done, failed] = names as [string, string];
  const mark = (...args: string[]) => lcPrune(['mark', ...args], { cwd: ws.folder });
  expect((await mark(done, '--star', '--tag', 'a, best of', '--note', 'for the paper')).stdout).toContain('★  a, best of  for the paper'); // prettier-ignore
  expect((await mark(done, '--untag', 'a', '--tag', 'b')).stdout).toContain('★  best of, b  for the paper');
  expect(await runs()).toMatch(new RegExp(`${done} .*★ .*Finished.*\\+5.00%.*best of, b`));
  for (const filter of [['--starred'], ['--tag', 'b'], ['--state', 'done'], ['--filter', 'PAPER net0']]) {
    expect(await runs(...filter), filter.join(' ')).toContain(done);
    expect(await runs(...filter), filter.join(' ')).not.toContain(failed);
  }
  expect(await runs('--filter', 'nowhere')).toContain('none of the 2 runs here is asked for');
  expect((await runs('--as', 'csv')).split('\n')[0]).toMatch(/^Run,Star,Plan,State,/);
});

it('refuses unknown states, forms, tags and runs, in one line', async () => {
  for (const [args, why] of [
    [['runs', '--state', 'asleep'], /"asleep" is none of queued, running/],
    [['runs', '--as', 'xml'], /neither csv nor markdown/],
    [['mark', names[0]!, '--tag', 'x'.repeat(51)], /up to 50 characters/],
    [['mark', names[0]!, '--star', '--unstar'], /contradict/],
    [['mark', 'gone', '--star'], /there is no run "gone"/],
  ] as const) {
    const { code, stderr } = await lcPrune([...args], { cwd: ws.folder });
    expect([code, stderr], args.join(' ')).toEqual([2, expect.stringMatching(why)]);
  }
});
