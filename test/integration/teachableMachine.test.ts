/** A Sequential of a Sequential of a functional model, as Teachable Machine saves: every command, against TensorFlow.js. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats, ints, npzFile } from '../../daemon/export/npyFile.js';
import { createRandom } from '../../daemon/lc/random.js';
import { modelGraph } from '../../daemon/model/layers/layerGraph.js';
import { readLayers } from '../fixtures/readLayers.js';
import { lcPrune } from '../fixtures/cli.js';
import { CLASSES, SIZE, teachableMachine } from '../fixtures/teachableMachine.js';

const SAMPLES = 96;
let folder: string;
/** The error in float64 from the outputs of TensorFlow.js itself. */
let expected: { loss: number; error: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lcprune-tm-'));
  const { model, json, weights } = await teachableMachine(5);
  await writeFile(join(folder, 'model.json'), JSON.stringify(json));
  await writeFile(join(folder, 'weights.bin'), weights);
  const random = createRandom(6);
  const x = Float32Array.from({ length: SAMPLES * SIZE * SIZE * 3 }, () => random.normal());
  const output = (model.predict(tf.tensor(x, [SAMPLES, SIZE, SIZE, 3])) as tf.Tensor).dataSync();
  const rows = Array.from({ length: SAMPLES }, (_, i) => [...output.subarray(i * CLASSES, (i + 1) * CLASSES)]);
  // Mostly the network's own answers, so that there is something to lose.
  const labels = rows.map((row, i) => (i % 8 === 0 ? i % CLASSES : row.indexOf(Math.max(...row))));
  expected = {
    loss: rows.reduce((sum, row, i) => sum - Math.log(row[labels[i]!]!), 0) / SAMPLES,
    error: rows.filter((row, i) => row.indexOf(Math.max(...row)) !== labels[i]).length / SAMPLES,
  };
  await writeFile(
    join(folder, 'data.npz'),
    npzFile({ x: floats(x, [SAMPLES, SIZE, SIZE, 3]), y: ints(Int32Array.from(labels)) }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

describe('a model in the form of Teachable Machine', () => {
  it('has the input of the functional model inside', async () => {
    const model = await readLayers('model.json', { workspace: folder });
    expect(modelGraph(model.topology).inputShapes).toEqual([[SIZE, SIZE, 3]]);
    const { code, lines } = await lcPrune(['inspect', 'model.json', '--json'], { cwd: folder });
    expect(code).toBe(0);
    const outputs = lines.filter(({ event }) => event === 'layer').map(({ name, outputShape }) => [name, outputShape]);
    expect(outputs).toContainEqual([expect.stringMatching(/Conv1_pad$/), [SIZE + 1, SIZE + 1, 3]]);
  });

  it.each(['native-cpu', 'onnx-cpu', 'tfjs-cpu', 'auto'])(
    'evaluates to the loss of TensorFlow.js on %s',
    async (engine) => {
      const { code, lines, stderr } = await lcPrune(
        ['evaluate', 'model.json', '--data', 'data.npz', '--scale', 'none', '--engine', engine, '--json'],
        { cwd: folder },
      );
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { loss, error, samples } = lines.at(-1) as { loss: number; error: number; samples: number };
      expect(samples).toBe(SAMPLES);
      expect(loss).toBeCloseTo(expected.loss, 4);
      expect(error).toBeCloseTo(expected.error, 6);
    },
  );

  it('is pruned by a run, and exported to formats that are read again', async () => {
    const plan = {
      model: 'model.json',
      data: { source: 'data.npz', test: 'data.npz', preprocess: { scale: 'none' } },
      budget: { keep: '60%' },
      schedule: { iterations: 2, epochs: 1, firstEpochs: 1 },
      training: { batchSize: 32, learningRate: 0.01 },
      retrain: { epochs: 1, batchSize: 32 },
    };
    await writeFile(join(folder, 'tm.prune.json'), JSON.stringify(plan));
    const { code, lines, stderr } = await lcPrune(['run', 'tm.prune.json', '--json'], { cwd: folder });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const done = lines.at(-1) as { event: string; kept: number; prunable: number; folder: string };
    expect(done.event).toBe('done');
    expect(done.kept).toBe(Math.ceil(0.6 * done.prunable));
    const loss = async (file: string) => {
      const { lines, stderr } = await lcPrune(
        ['evaluate', file, '--data', 'data.npz', '--scale', 'none', '--json'],
        { cwd: folder },
      ); // prettier-ignore
      expect(stderr).not.toMatch(/error:/);
      return (lines.at(-1) as { loss: number }).loss;
    };
    const pruned = await loss(join(done.folder, 'result', 'model.json'));
    for (const [format, file] of [
      ['tfjs-layers', 'out.json'],
      ['keras', 'out.keras'],
      ['keras-h5', 'out.h5'],
    ] as const) {
      // prettier-ignore
      const exported = await lcPrune(['export', join(done.folder, 'result', 'model.json'), '--format', format, '--out', file], { cwd: folder }); // prettier-ignore
      expect(exported).toMatchObject({ code: 0 });
      expect(await loss(file)).toBeCloseTo(pruned, 5);
    }
    const onnx = await lcPrune(['export', join(done.folder, 'result', 'model.json'), '--format', 'onnx', '--out', 'out.onnx'], { cwd: folder }); // prettier-ignore
    expect(onnx).toMatchObject({ code: 0 });
    expect((await readFile(join(folder, 'out.onnx'))).length).toBeGreaterThan(1000);
  });
});
