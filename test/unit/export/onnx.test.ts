import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { thin } from '../../../daemon/export/thin.js';
import { onnxFile } from '../../../daemon/export/writeOnnx.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { expectSame } from './expectSame.js';
import { keepShare } from './prunedModels.js';
import { predict, randomNetwork } from './randomNetworks.js';

async function run(file: Uint8Array, inputs: Float32Array, shape: readonly number[]) {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const result = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', inputs, shape) });
  return { output: result[session.outputNames[0]!]!, session };
}

const normals = (size: number) => {
  const random = createRandom(1);
  return Float32Array.from({ length: size }, () => random.normal());
};

describe('ONNX files', () => {
  it('compute what TensorFlow.js computes, for random networks of an open batch', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const { model, inputs, shape } = randomNetwork(seed);
      const { output, session } = await run(await onnxFile(model), inputs, shape);
      expectSame(output.data as Float32Array, await predict(model, inputs, shape), `network ${seed}`, 2e-5);
      expect((session.inputMetadata[0] as unknown as { shape: unknown[] }).shape[0], `network ${seed}`).toBe('batch');
    }
  });

  it.each<[string, (model: LayersModel) => LayersModel]>([
    ['dense', (model) => model],
    ['thinned', (model) => thin(model).model],
  ])('LeNet5 and LeNet300 (%s)', async (_name, change) => {
    for (const [name, sample] of [
      ['lenet5', [28, 28, 1]],
      ['lenet300', [784]],
    ] as const) {
      const model = keepShare(buildArchitecture(name, 1), 0.02, 3);
      const shape = [5, ...sample];
      const inputs = normals(5 * 784);
      const { output } = await run(await onnxFile(change(model)), inputs, shape);
      expect(output.dims).toEqual([5, 10]);
      expectSame(output.data as Float32Array, await predict(model, inputs, shape), name, 1e-6);
    }
  });
});
