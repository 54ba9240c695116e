import { expect, it } from 'vitest';
import { openEngine, probeEngines } from '../../../daemon/engine/registry.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';

it('an unknown engine is an error that lists the known ones', async () => {
  const spec = { loss: 'categoricalCrossentropy', batchSize: 4, seed: 1 } as const;
  await expect(openEngine('abacus', buildArchitecture('lenet300', 1), spec)).rejects.toMatchObject({
    code: 'engine-unavailable',
    message: expect.stringMatching(/"abacus".*onnx-cpu.*tfjs-cpu/) as string,
  });
});

it('the order of "auto": GPUs, the compiled graph on the CPU, TensorFlow.js', async () => {
  expect((await probeEngines({ folders: [] })).map(({ id }) => id)).toEqual([
    'tfjs-node-gpu',
    'onnx-cuda',
    'onnx-dml',
    'onnx-webgpu',
    'native-cpu',
    'onnx-cpu',
    'tfjs-webgpu',
    'tfjs-node',
    'tfjs-cpu',
  ]);
});
