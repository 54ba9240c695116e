/** A small table with defaults alone: `init`, `run`, `resume`, `export`. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import type { MeasuredExports } from '../../../daemon/protocol/exports.js';
import { percent } from '../../../daemon/protocol/format.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { savePlain } from '../../unit/model/tfjs.js';

let folder: string;

/** Data like Fisher's irises: four lengths of each of fifty flowers of three kinds, sorted by kind, with their means and deviations. */
function irises(): string {
  const random = createRandom(3);
  const kinds = { setosa: [5.0, 3.4, 1.5, 0.2], versicolor: [5.9, 2.8, 4.3, 1.3], virginica: [6.6, 3.0, 5.6, 2.0] };
  const deviations = [0.4, 0.3, 0.35, 0.2];
  const rows = Object.entries(kinds).flatMap(([kind, means]) =>
    Array.from({ length: 50 }, () => {
      const lengths = means.map((mean, i) => Math.max(0.1, mean + deviations[i]! * random.normal()).toFixed(1));
      return [...lengths, `Iris-${kind}`].join();
    }),
  );
  return `sepal_length,sepal_width,petal_length,petal_width,species\n${rows.join('\n')}\n`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lcprune-few-'));
  await tf.setBackend('cpu');
  let seed = 5;
  const dense = (units: number, activation: 'relu' | 'softmax', more = {}) =>
    tfl.layers.dense({
      units,
      activation,
      kernelInitializer: tfl.initializers.glorotUniform({ seed: seed++ }),
      ...more,
    });
  await savePlain(
    tfl.sequential({ layers: [dense(16, 'relu', { inputShape: [4] }), dense(16, 'relu'), dense(3, 'softmax')] }),
    folder,
  );
  await writeFile(join(folder, 'iris.csv'), irises());
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

const cli = (...args: string[]) =>
  new Promise<{ code: number; text: string }>((done) =>
    execFile(process.execPath, [resolve('dist', 'cli.mjs'), ...args], { cwd: folder, timeout: 100_000 }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: out + err }),
    ),
  ); // prettier-ignore

it('150 rows train with defaults, a note names the batch, and only a batch of the plan is refused', async () => {
  expect(await cli('init', 'model.json', '--keep', '30%')).toMatchObject({ code: 0 });
  const { code, text } = await cli('run', 'model.prune.json');
  expect(code, text).toBe(0);
  expect(text).toMatch(/Batches have 16 samples, not 256 as usual, as there are 120 to train on/);
  expect(text).toMatch(/30 of 150 samples .*held out to test/);
  // The kinds are apart but for a few flowers; guessing is 66.7%.
  expect(Number(/after retraining: .*error ([\d.]+)%/.exec(text)![1])).toBeLessThan(15);
  const runs = join(folder, '.lcprune', 'runs');
  const [run] = await readdir(runs);
  const written = JSON.parse(await readFile(join(runs, run!, 'plan.json'), 'utf8')) as ResolvedPlan;
  expect(written.open).toBeUndefined();
  expect([written.training.batchSize, written.retrain.batchSize]).toEqual([16, 16]);
  expect(await cli('export', join('.lcprune', 'runs', run!), '--format', 'onnx')).toMatchObject({ code: 0 });
  // The list has the error of each file, as it was measured when the run ended.
  const list = await cli('export', join('.lcprune', 'runs', run!));
  const exports = join(runs, run!, 'result', 'exports.json');
  const { formats } = JSON.parse(await readFile(exports, 'utf8')) as MeasuredExports;
  expect(formats.filter(({ error }) => typeof error === 'number').length).toBeGreaterThan(5);
  for (const { format, error } of formats) {
    const row = list.text.split('\n').find((line) => line.startsWith(`${format} `))!;
    if (typeof error === 'number') expect(row).toMatch(new RegExp(`x +${percent(error).replace('.', '\\.')}$`));
    else expect(list.text).toContain(`note: no error of ${format}: `);
  }

  const plan = { model: 'model.json', data: 'iris.csv', budget: { keep: '30%' }, training: { batchSize: 256 } };
  await writeFile(join(folder, 'named.prune.json'), JSON.stringify(plan));
  const refused = await cli('run', 'named.prune.json');
  expect(refused.code).toBe(2);
  expect(refused.text).toMatch(/120 samples, fewer than one batch of 256/);
}, 120_000);
