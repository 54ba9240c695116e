import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readOnnx } from '../../../../daemon/onnx/file/readOnnx.js';
import { networkOfOnnx } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { fileOutputs, inferenceGraph, networkOutputs, randomSamples, relativeError } from '../../../zoo/forward.js';

/** PyTorch's exports: the network computes the same as onnxruntime on the file, for any batch of the export. */

const folder = 'test/fixtures/onnx/zoo';
const read = (name: string) => {
  const path = `${folder}/${name}.onnx`;
  const bytes = readFileSync(path);
  return { path, bytes, model: readOnnx(bytes, { path }) };
};

/** The files of each network; all have the weights of the first, which onnxruntime computes. */
const files: Readonly<Record<string, readonly string[]>> = {
  mlp: ['eval', 'train'],
  lenet5: ['eval'],
  unet: ['eval', 'train.fixed'],
  transformer: ['eval', 'train.fixed', 'eval.fixed'],
  bilstm: ['eval', 'eval.fixed'],
  gru: ['eval', 'train.fixed'],
  depthwise: ['eval', 'eval.fixed'],
  conv1d: ['eval', 'train'],
};

describe.each(Object.entries(files))('%s', (name, kinds) => {
  test.each(kinds)('exported as %s gives what onnxruntime gives', async (kind) => {
    const oracle = read(`${name}.eval`);
    const { model, path } = read(`${name}.${kind}`);
    const network = networkOfOnnx(model, path);
    for (const batch of [1, 2, 5]) {
      const samples = randomSamples(network, model, batch, 11 + batch);
      const graph = inferenceGraph(network, batch);
      const expected = await fileOutputs(oracle.bytes, oracle.model, samples);
      expect(relativeError(await networkOutputs(network, graph, samples, batch), expected)).toBeLessThan(2e-6);
    }
  });
});

test('images come as [height, width, channels], and no tensor is transposed between convolutions', () => {
  const { model, path } = read('unet.train.fixed');
  const network = networkOfOnnx(model, path);
  expect(network.inputs).toEqual([{ name: 'input0', shape: [16, 16, 3], fileAxes: [2, 0, 1] }]);
  expect(network.outputs).toEqual([{ name: 'output', shape: [16, 16, 2], fileAxes: [2, 0, 1] }]);
  expect(inferenceGraph(network, 4).nodes.filter(({ op }) => op === 'Transpose')).toEqual([]);
});

test('as in the file, images keep their axes', () => {
  const { model, path } = read('unet.train.fixed');
  const network = networkOfOnnx(model, path, { images: 'asFile' });
  expect(network.inputs).toEqual([{ name: 'input0', shape: [3, 16, 16] }]);
  expect(network.outputs).toEqual([{ name: 'output', shape: [2, 16, 16] }]);
});
