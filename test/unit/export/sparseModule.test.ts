import { afterEach, expect, it, vi } from 'vitest';
import { sparseModule } from '../../../daemon/export/sparse/sparseModule.js';
import { thin } from '../../../daemon/export/thin.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { expectSame } from './expectSame.js';
import { keepShare } from './prunedModels.js';
import { predict, randomNetwork } from './randomNetworks.js';

interface Module {
  readonly inputSize: number;
  readonly outputSize: number;
  predict(inputs: Float32Array): Float32Array;
}
/** @param note makes it a separate module. */
const load = (model: LayersModel, note = '') =>
  import(
    /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(sparseModule(model) + note).toString('base64')}`
  ) as Promise<Module>;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it.each(['lenet300', 'lenet300-tanh'] as const)(
  'computes what TensorFlow.js does: %s, dense and thinned',
  async (name) => {
    const model = keepShare(buildArchitecture(name, 1), 0.02, 1);
    const random = createRandom(4);
    const inputs = Float32Array.from({ length: 6 * 784 }, () => random.normal());
    const expected = await predict(model, inputs, [6, 784]);
    for (const one of [model, thin(model).model]) {
      const module = await load(one);
      expect([module.inputSize, module.outputSize]).toEqual([784, 10]);
      expectSame(module.predict(inputs), expected, name);
      expect(() => module.predict(inputs.subarray(1))).toThrow(RangeError);
    }
  },
);

it('computes every random network that it accepts, and names the layer of every other', async () => {
  let accepted = 0;
  for (let seed = 0; seed < 300; seed++) {
    const { model, inputs, shape } = randomNetwork(seed);
    try {
      sparseModule(model);
    } catch (error) {
      expect((error as Error).message).toMatch(
        /^layer ".+" \(\w+\) .*; the sparse module computes dense layers in a row$/,
      );
      continue;
    }
    accepted++;
    expectSame((await load(model)).predict(inputs), await predict(model, inputs, shape), `network ${seed}`, 2e-6);
  }
  expect(accepted).toBeGreaterThan(8);
});

it.each([
  ['WebAssembly', {}],
  ['its own loops where there is no WebAssembly', { WebAssembly: undefined }],
  [
    'its own loops where a policy forbids WebAssembly',
    { WebAssembly: { ...WebAssembly, Module: () => expect.fail() } },
  ],
] as const)('gives a sample the same outputs alone and among others: %s', async (name, globals) => {
  const compiled = vi.spyOn(WebAssembly, 'Module');
  for (const [key, value] of Object.entries(globals)) vi.stubGlobal(key, value);
  const model = keepShare(buildArchitecture('lenet300-tanh', 1), 0.05, 1);
  const random = createRandom(5);
  // Two blocks of 16, a third that is not full; 3 go one by one.
  for (const samples of [1, 3, 4, 37, 51]) {
    const inputs = Float32Array.from({ length: samples * 784 }, () => random.normal());
    const { predict: run } = await load(model, `// ${name}, ${samples}`);
    const together = run(inputs);
    expectSame(together, await predict(model, inputs, [samples, 784]), `${samples} samples`, 5e-6);
    for (let s = 0; s < samples; s++) {
      const alone = run(inputs.subarray(784 * s, 784 * (s + 1)));
      expectSame(alone, together.subarray(10 * s, 10 * (s + 1)), `sample ${s} of ${samples}`, 5e-6);
    }
  }
  expect(compiled).toHaveBeenCalledTimes(name === 'WebAssembly' ? 5 : 0);
});
