/** What an evaluation of a few large images costs: no more than computing them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { floats, ints, npzFile } from '../../../daemon/export/npyFile.js';
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
afterAll(() => rm(folder, { recursive: true, force: true }));

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
