import { appendFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { comparisonOf } from '../../../daemon/runs/comparison.js';
import { PLAN } from '../trainer/fakeRun.js';

let runs: string;
beforeEach(async () => {
  runs = await realpath(await mkdtemp(join(tmpdir(), 'comparison-')));
});
afterEach(() => rm(runs, { recursive: true }));

const DONE = { error: 0.1, loss: 1, samples: 9 };
const done = (folder: string) =>
  appendFile(
    join(folder, 'events.jsonl'),
    `${JSON.stringify({ time: 1, event: 'done', reference: DONE, theta: DONE, retrained: DONE, kept: 1, prunable: 2, perLayer: [], seconds: 1, folder, budget: [] })}\n`,
  );
async function made(name: string, plan: Partial<ResolvedPlan>): Promise<string> {
  const folder = join(runs, name);
  await mkdir(folder);
  await writeFile(join(folder, 'plan.json'), JSON.stringify({ ...PLAN, ...plan }));
  return folder;
}

test('what is to do after a run, and after each of its baselines', async () => {
  const lc = await made('1-lc', { compare: ['magnitude', 'gradual'] });
  await made('0-else', { method: 'magnitude', baselineOf: 'of-another' });
  await mkdir(join(runs, 'no-run'));
  await done(lc);
  expect(await comparisonOf(lc)).toEqual({ subject: lc, finished: [], next: { method: 'magnitude', folder: null } });

  const magnitude = await made('2-m', { method: 'magnitude', baselineOf: basename(lc) });
  const begun = { subject: lc, finished: [], next: { method: 'magnitude', folder: magnitude } };
  expect(await comparisonOf(lc)).toEqual(begun);
  expect(await comparisonOf(magnitude)).toEqual(begun);

  await done(magnitude);
  const finished = [{ method: 'magnitude', folder: magnitude }];
  const expected = { subject: lc, finished, next: { method: 'gradual', folder: null } };
  expect(await comparisonOf(magnitude)).toEqual(expected);

  const gradual = await made('3-g', { method: 'gradual', baselineOf: basename(lc) });
  await done(gradual);
  expect(await comparisonOf(lc)).toEqual({
    subject: lc,
    finished: [...finished, { method: 'gradual', folder: gradual }],
    next: null,
  });
});

test('a run without baselines, and a baseline whose run is gone, stand for themselves', async () => {
  const alone = await made('alone', {});
  expect(await comparisonOf(alone)).toEqual({ subject: alone, finished: [], next: null });
  for (const gone of ['deleted', '../../elsewhere', '']) {
    const folder = await made(`baseline-${gone.length}`, { method: 'magnitude', baselineOf: gone });
    expect(await comparisonOf(folder)).toEqual({ subject: folder, finished: [], next: null });
  }
});
