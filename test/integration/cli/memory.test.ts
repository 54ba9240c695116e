/** The memory for large images: an evaluation takes no more than computing them, a run no more than a share of the memory. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats, ints, npzFile } from '../../../daemon/export/npyFile.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { savePlain } from '../../unit/model/tfjs.js';

const [SIZE, SAMPLES] = [96, 6];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lcprune-memory-'));
  await tf.setBackend('cpu');
  const block = (filters: number, more: object = {}) => [
    tfl.layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...more }),
    tfl.layers.batchNormalization(),
    tfl.layers.reLU(),
    tfl.layers.maxPooling2d({ poolSize: 2 }),
  ];
  const layers = [
    ...block(16, { inputShape: [SIZE, SIZE, 3] }),
    ...block(32),
    tfl.layers.globalAveragePooling2d({}),
    tfl.layers.dense({ units: 3, activation: 'softmax' }),
  ];
  await savePlain(tfl.sequential({ layers }), folder);
  const x = floats(new Float32Array(SAMPLES * SIZE * SIZE * 3).fill(0.5), [SAMPLES, SIZE, SIZE, 3]);
  await writeFile(join(folder, 'data.npz'), npzFile({ x, y: ints(Int32Array.of(0, 1, 2, 0, 1, 2)) }));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

it.each(['auto', 'native-cpu', 'onnx-cpu'])('evaluate on %s stays below 500 MB', async (engine) => {
  const report = 'data:text/javascript,process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))';
  const args = ['--import', report, resolve('dist', 'cli.mjs'), 'evaluate', 'model.json', '--data', 'data.npz', '--scale', 'none', '--engine', engine]; // prettier-ignore
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((done) =>
    execFile(process.execPath, args, { cwd: folder, timeout: 60_000 }, (_error, out, err) => done({ stdout: out, stderr: err })),
  ); // prettier-ignore
  expect(stdout).toMatch(/on 6 samples/);
  // Kilobytes. Tracing a training step of 256 such images took 2 GB and more.
  expect(Number(/peak (\d+)/.exec(stderr)![1])).toBeLessThan(500_000);
});

describe('a run on images of which sixteen do not fit beside each other', () => {
  const large = 512;
  let runs: string;

  beforeAll(async () => {
    runs = join(folder, 'large');
    const layers = [
      tfl.layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [large, large, 1] }),
      tfl.layers.conv2d({ filters: 8, kernelSize: 1, activation: 'relu' }),
      tfl.layers.globalAveragePooling2d({}),
      tfl.layers.dense({ units: 2, activation: 'softmax' }),
    ]; // prettier-ignore
    await mkdir(runs);
    await savePlain(tfl.sequential({ layers }), runs);
    const bytes = new Uint8Array(20 * large ** 2).map((_, i) => (i * 7) % 251);
    const x = { descr: '|u1', shape: [20, large, large, 1], bytes };
    await writeFile(join(runs, 'data.npz'), npzFile({ x, y: ints(Int32Array.from({ length: 20 }, (_, i) => i % 2)) }));
    await writeFile(join(runs, 'report.mjs'), `import { appendFileSync } from 'node:fs';
      process.on('exit', () => appendFileSync(process.env.PEAKS, process.resourceUsage().maxRSS + '\\n'));`); // prettier-ignore
  });

  it('computes a batch in parts that fit, reports it, and records it', async () => {
    const once = { iterations: 1, epochs: 0.05, firstEpochs: 0.05 };
    const data = { source: 'data.npz', preprocess: { scale: 'unit' } };
    const plan = { model: 'model.json', data, budget: { keep: '50%' }, schedule: once, retrain: { epochs: 0 } };
    await writeFile(join(runs, 'm.prune.json'), JSON.stringify(plan));
    const peaks = join(runs, 'peaks');
    const env = { ...process.env, NODE_OPTIONS: `--import ${join(runs, 'report.mjs')}`, PEAKS: peaks };
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((done) =>
      execFile(process.execPath, [resolve('dist', 'cli.mjs'), 'run', 'm.prune.json'], { cwd: runs, timeout: 110_000, env }, (_error, out, err) => done({ stdout: out, stderr: err })),
    ); // prettier-ignore
    const text = stdout + stderr;
    expect(text).toMatch(/Batches of 16 samples are computed in \d parts of \d, .* for memory/);
    expect(text).toMatch(/kept 280 of 560/);
    const [run] = await readdir(join(runs, '.lcprune', 'runs'));
    const written = JSON.parse(
      await readFile(join(runs, '.lcprune', 'runs', run!, 'plan.json'), 'utf8'),
    ) as ResolvedPlan;
    expect(written.open).toBeUndefined();
    expect(written.training.batchSize).toBe(16);
    expect(16 % written.training.microBatch!).toBe(0);
    const kilobytes = (await readFile(peaks, 'utf8')).trim().split('\n').map(Number);
    // Sixteen at once would be above 4 GB on onnxruntime.
    expect(Math.max(...kilobytes)).toBeLessThan(2_000_000);
  }, 120_000);
});
