/** A model's own regularizers, on every executor and on TensorFlow.js itself, against l1 |w| + l2 w² and its derivative. */
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { normals, onCpu, toModel } from './tinyModels.js';

const L = tfl.layers;
const l1l2 = (l1: number, l2: number) => tfl.regularizers.l1l2({ l1, l2 });
/** The penalty of each weight; all other weights have none. */
const charges: Record<string, [l1: number, l2: number]> = {
  'twice/kernel': [0.02, 0.3],
  'twice/bias': [0.1, 0],
  'memory/recurrent_kernel': [0, 0.5],
  'inner/kernel': [0.05, 0],
};

/** A layer called twice, a recurrent one, one inside a model, a frozen one. */
function model(): tfl.LayersModel {
  const input = tfl.input({ shape: [3, 4] });
  const twice = L.dense({ name: 'twice', units: 4, kernelRegularizer: l1l2(0.02, 0.3), biasRegularizer: l1l2(0.1, 0) });
  const memory = L.lstm({
    name: 'memory',
    units: 2,
    recurrentInitializer: 'zeros',
    recurrentRegularizer: l1l2(0, 0.5),
  });
  const frozen = L.dense({ name: 'frozen', units: 3, kernelRegularizer: l1l2(1, 1), trainable: false });
  const nested = tfl.sequential({ name: 'nested', layers: [L.dense({ name: 'inner', units: 2, kernelRegularizer: l1l2(0.05, 0), inputShape: [3] })] }); // prettier-ignore
  const output = [twice, twice, memory, frozen, nested].reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input); // prettier-ignore
  return tfl.model({ inputs: input, outputs: output });
}

const withoutRegularizers = (given: LayersModel): LayersModel => ({
  ...given,
  topology: JSON.parse(
    JSON.stringify(given.topology, (key, value: unknown) => (/regularizer$/i.test(key) ? null : value)),
  ) as LayersModel['topology'],
});

const providers: EngineProvider[] = [
  compiledProvider('cpu'),
  nativeProvider,
  directProviders([process.cwd()]).find(({ id }) => id === 'tfjs-cpu')!,
];

describe('regularizers of the model', () => {
  for (const provider of providers)
    it(`are part of the loss and its gradient: ${provider.id}`, async ({ skip }) => {
      if (!(await provider.probe()).available) skip();
      await onCpu();
      const given = toModel(model());
      const inputs = [normals(2 * 12, 5)];
      const target = normals(2 * 2, 6);
      const on = async (of: LayersModel) => {
        const session = await provider.open(of, { loss: 'meanSquaredError', batchSize: 2, seed: 1 });
        const result = { ...(await session.gradient(inputs, target)), parameters: session.parameters };
        await session.dispose();
        return result;
      };
      const [charged, plain] = [await on(given), await on(withoutRegularizers(given))];
      let penalty = 0;
      for (const { name, offset, size } of charged.parameters) {
        const w = given.weights.find((weight) => weight.name === name)!.data;
        const [l1, l2] = charges[name] ?? [0, 0];
        w.forEach((v) => (penalty += l1 * Math.abs(v) + l2 * v * v));
        for (let i = 0; i < size; i++) {
          const expected = plain.gradient[offset + i]! + l1 * Math.sign(w[i]!) + 2 * l2 * w[i]!;
          expect(charged.gradient[offset + i]).toBeCloseTo(expected, 5);
        }
      }
      expect(penalty).toBeGreaterThan(0.5);
      expect(charged.loss - plain.loss).toBeCloseTo(penalty, 4);
    });
});
