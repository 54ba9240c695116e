import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { toModel } from './tinyModels.js';

it('AlphaDropout keeps mean 0 and variance 1, as it is defined for', async () => {
  await tf.setBackend('cpu');
  const width = 2000;
  const L = tfl.layers;
  const ones = tfl.initializers.ones();
  const layers = [
    // One weight, 1: what is trained needs one.
    L.conv1d({ filters: 1, kernelSize: 1, useBias: false, kernelInitializer: ones, inputShape: [width, 1] }),
    L.alphaDropout({ rate: 0.4 }),
    L.flatten(),
  ];
  const session = await compiledProvider('cpu').open(toModel(tfl.sequential({ layers })), { loss: 'meanSquaredError', batchSize: 8, seed: 3 }); // prettier-ignore
  try {
    const random = createRandom(4);
    const x = Float32Array.from({ length: 8 * width }, () => random.normal());
    // Against targets of t the loss is variance + (mean - t)^2.
    const lossAt = async (t: number) => {
      session.setRandomState(createRandom(5).state);
      return (await session.gradient([x], new Float32Array(x.length).fill(t))).loss;
    };
    const [zero, one] = [await lossAt(0), await lossAt(1)];
    const mean = (zero - one + 1) / 2;
    expect(mean).toBeCloseTo(0, 1);
    expect(zero - mean ** 2).toBeCloseTo(1, 1);
  } finally {
    await session.dispose();
  }
});
