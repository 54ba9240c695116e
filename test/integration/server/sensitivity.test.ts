/** lc/sensitivity over a real daemon: its errors are those of the network computed here by hand. Needs `npm run build`. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clusterCsv, tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';
import { Client, Daemon } from './harness.js';

let ws: TinyWorkspace;
let daemon: Daemon;
let client: Client;
beforeAll(async () => {
  // Without a part that is held out, every row counts.
  const data = { ...TINY_PLAN.data, validation: 0, test: 'data.csv' };
  ws = await tinyWorkspace({ ...TINY_PLAN, data, budget: { keep: '50%', layers: { fc2: { floor: '25%', cap: '90%' } } } });
  daemon = await Daemon.start('dist/daemon.mjs');
  client = await daemon.client([ws.folder]);
}); // prettier-ignore
afterAll(async () => {
  await client.close();
  await daemon.close();
  await ws.remove();
});

/** Share of the rows that the 4-8-3 network with these weights gets wrong. Labels are classes in the order of the alphabet. */
function errorOf(weights: Float32Array): number {
  const [k1, b1, k2, b2] = [weights.subarray(0, 32), weights.subarray(32, 40), weights.subarray(40, 64), weights.subarray(64)];
  const rows = clusterCsv().split('\n').slice(1).map((row) => row.split(','));
  const wrong = rows.filter((row) => {
    const x = row.slice(0, 4).map(Number);
    const hidden = Array.from({ length: 8 }, (_, j) => Math.max(0, b1![j]! + x.reduce((sum, v, i) => sum + v * k1![i * 8 + j]!, 0)));
    const answer = Array.from({ length: 3 }, (_, c) => b2![c]! + hidden.reduce((sum, h, j) => sum + h * k2![j * 3 + c]!, 0));
    return answer.indexOf(Math.max(...answer)) !== ['blue', 'green', 'red'].indexOf(row[4]!);
  });
  return wrong.length / rows.length;
} // prettier-ignore

/** Keeps the largest weights of [from, to), rounded up from the share. */
function cut(weights: Float32Array, from: number, to: number, share: number): Float32Array {
  const kept = [...weights.subarray(from, to)].map((value, i) => [Math.abs(value), i] as const).sort(([a], [b]) => b - a);
  const out = weights.slice();
  for (const [, i] of kept.slice(Math.ceil(share * (to - from)))) out[from + i] = 0;
  return out;
} // prettier-ignore

it('gives the errors of each layer pruned alone, the floors of the plan, and floors that its budget takes', async () => {
  const planPath = ws.path('tiny.prune.json');
  const found = await client.ask('lc/sensitivity', { planPath, progress: 'mine' });
  const file = await readFile(ws.path('weights.bin'));
  const weights = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  expect(found).toMatchObject({ set: 'train', samples: 240, floors: { fc2: 0.25 } });
  expect(found.reference).toBeCloseTo(errorOf(weights), 10);
  expect(found.layers.map(({ layer, weights }) => [layer, weights])).toEqual([
    ['fc1', 32],
    ['fc2', 24],
  ]);
  for (const [i, [from, to]] of [[0, 32], [40, 64]].entries())
    for (const { share, error } of found.layers[i]!.points)
      expect(error, `${found.layers[i]!.layer} ${share}`).toBeCloseTo(errorOf(cut(weights, from!, to!, share)), 10); // prettier-ignore
  const layers = Object.fromEntries(Object.entries(found.suggested!).map(([layer, floor]) => [layer, { floor }]));
  const [task] = await client.ask('lc/previewPlan', { planPath, budget: { keep: '50%', layers } });
  expect(task!.preview.problem).toBeNull();
}, 120_000);

it('refuses a plan that trains its reference first, with the way out', async () => {
  await writeFile(
    ws.path('new.prune.json'),
    JSON.stringify({ ...TINY_PLAN, model: { architecture: 'lenet300' }, data: 'mnist' }),
  );
  const error = await client.refused('lc/sensitivity', { planPath: ws.path('new.prune.json') });
  expect(error.message).toMatch(/trains its reference first; "lc-prune sensitivity" does so too/);
}, 60_000);
