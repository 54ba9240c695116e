/** The heads, logarithms and outputs of an ONNX file determine its loss. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../../daemon/engine/registry.js';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import type { Model } from '../../../../daemon/model/model.js';
import { trainingSetup } from '../../../../daemon/model/setup/trainingSetup.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import { encodeOnnx, type OnnxNode } from '../../../../daemon/onnx/emit/protobuf.js';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-heads-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const kernel = (seed: number) => Float32Array.from({ length: 12 }, (_, i) => Math.sin(seed + i));

/** x [batch, 4] times "w" is "z" [batch, 3]; more nodes behind it. */
async function net(name: string, nodes: readonly OnnxNode[], outputs: readonly string[]): Promise<Model> {
  const value = (name: string, size: number) => ({ name, type: 'float32' as const, dims: ['batch', size] });
  const bytes = encodeOnnx(
    {
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['z'], attrs: {} }, ...nodes],
      initializers: new Map([
        ['w', { type: 'float32', dims: [4, 3], data: kernel(1) }],
        ['v', { type: 'float32', dims: [4, 3], data: kernel(2) }],
      ]),
      inputs: [value('x', 4)],
      outputs: outputs.map((output) => value(output, 3)),
    },
    { '': 17 },
  );
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, bytes);
  return readModel(path, { workspace: folder });
}

const head = (op: string) => net(op, [{ op, inputs: ['z'], outputs: ['y'], attrs: {} }], ['y']);

const x = Float32Array.from({ length: 8 }, (_, i) => Math.cos(i));
const target = Float32Array.of(0, 1, 0, 1, 0, 0);

/** Loss of the training step, its gradient, and what is predicted. */
async function trained(model: Model) {
  const { loss, fromLogits } = trainingSetup(model);
  const session = await openEngine('onnx-cpu', model, { loss, fromLogits, batchSize: 2, seed: 1 });
  try {
    return { ...(await session.gradient([x], target)), predicted: await session.predict([x], 2) };
  } finally {
    await session.dispose();
  }
}

describe('the loss of a file that does not hold it', () => {
  it.each([
    ['Softmax', { loss: 'categoricalCrossentropy', fromLogits: false, classification: true, mayBeLogits: false }, /a softmax, it is the cross-entropy of classes/],
    ['Sigmoid', { loss: 'binaryCrossentropy', fromLogits: false, classification: true, mayBeLogits: false }, /a sigmoid, it is the cross-entropy of yes and no/],
    ['LogSoftmax', { loss: 'categoricalCrossentropy', fromLogits: true, classification: true, mayBeLogits: false }, /a LogSoftmax, it is the cross-entropy of classes/],
    ['Identity', { loss: 'meanSquaredError', fromLogits: false, classification: false, mayBeLogits: true }, /^$/],
  ])('%s', async (op, expected, note) => {
    const setup = trainingSetup(await head(op));
    expect(setup).toMatchObject(expected);
    expect(setup.notes.join()).toMatch(note);
  }); // prettier-ignore

  it('a softmax and a LogSoftmax train alike, and predict what their files give', async () => {
    const [probable, logarithms] = [await trained(await head('Softmax')), await trained(await head('LogSoftmax'))];
    expect(logarithms.loss).toBeCloseTo(probable.loss, 6);
    probable.gradient.forEach((g, i) => expect(logarithms.gradient[i]).toBeCloseTo(g, 6));
    // By the definition: -log p of the class, of the two samples' mean.
    const z = (n: number, k: number) => [0, 1, 2, 3].reduce((sum, i) => sum + x[4 * n + i]! * kernel(1)[3 * i + k]!, 0);
    const p = (n: number, k: number) => Math.exp(z(n, k)) / [0, 1, 2].reduce((sum, j) => sum + Math.exp(z(n, j)), 0);
    expect(probable.loss).toBeCloseTo(-(Math.log(p(0, 1)) + Math.log(p(1, 0))) / 2, 5);
    for (let n = 0; n < 2; n++)
      for (let k = 0; k < 3; k++) {
        expect(probable.predicted[3 * n + k]).toBeCloseTo(p(n, k), 6);
        expect(logarithms.predicted[3 * n + k]).toBeCloseTo(Math.log(p(n, k)), 5);
      }
  });
});

it('the first of several outputs is trained by default, and the table marks the operations that it needs', async () => {
  const side = { op: 'MatMul', inputs: ['x', 'v'], outputs: ['aux'], attrs: {} };
  const model = await net('several', [side], ['z', 'aux']);
  expect(trainingSetup(model)).toMatchObject({ output: 'z', outputNames: ['z', 'aux'] });
  expect(trainingSetup(model).notes.join()).toContain('the first one is trained on');
  expect(trainingSetup(model, 'aux').output).toBe('aux');
  const needs = (weight: string) => summarizeModel(model).find(({ weights }) => weights.some(({ name }) => name === weight))!.outputs; // prettier-ignore
  expect(needs('w')).toEqual([{ name: 'z', depends: true, main: true }, { name: 'aux', depends: false }]); // prettier-ignore
  expect(needs('v')).toEqual([{ name: 'z', depends: false, main: true }, { name: 'aux', depends: true }]); // prettier-ignore
});
