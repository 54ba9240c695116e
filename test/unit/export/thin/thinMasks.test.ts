/** Thinning folds constant channels; under a mask some layers make something else of a constant at masked steps. */
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, expect, it } from 'vitest';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import { thin } from '../../../../daemon/export/thin.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { onCpu, toModel } from '../../engine/compiled/tinyModels.js';

const L = tfl.layers;
/** Sequences with gaps, and one sample that is masked throughout. */
const tokens = [
  Float32Array.of(1, 2, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0),
  Float32Array.of(3, 0, 1, 0, 2, 2, 0, 1, 0, 0, 1, 2),
];

/** Two embeddings with masks, each with channels that are one and the same number at every step: 0 and others. */
function network(join: (a: tfl.SymbolicTensor, b: tfl.SymbolicTensor) => tfl.SymbolicTensor): LayersModel {
  const inputs = [0, 1].map((i) => tfl.input({ shape: [4], name: `tokens${i}` }));
  const branches = inputs.map((input, i) => {
    const rows = L.embedding({ inputDim: 5, outputDim: 3, maskZero: true, name: `rows${i}` }).apply(input);
    return L.dense({ units: 4, name: `branch${i}` }).apply(rows) as tfl.SymbolicTensor;
  });
  const joined = L.dense({ units: 3, name: 'behind' }).apply(join(branches[0]!, branches[1]!)) as tfl.SymbolicTensor;
  const model = toModel(tfl.model({ inputs, outputs: L.flatten().apply(joined) as tfl.SymbolicTensor }));
  const constant = new Map([
    ['branch0/bias', [2, 0, -1, 0.5]],
    ['branch1/bias', [3, 0, -1, 0.25]],
  ]);
  const weights = model.weights.map((weight) => {
    const [rows, columns] = weight.shape;
    if (/branch\d\/kernel/.test(weight.name)) {
      const data = weight.data.slice();
      // The last channel of each branch varies.
      for (let i = 0; i < rows!; i++) data.fill(0, i * columns!, i * columns! + columns! - 1);
      return { ...weight, data };
    }
    const bias = constant.get(weight.name);
    return bias ? { ...weight, data: Float32Array.from(bias) } : weight;
  });
  return { ...model, weights };
}

async function outputs(model: LayersModel): Promise<Float32Array> {
  await onCpu();
  const session = await nativeProvider.open(model, { loss: 'meanSquaredError', batchSize: 3, seed: 0, purpose: 'inference' });
  const found = await session.predict(tokens, 3);
  await session.dispose();
  return found;
} // prettier-ignore

beforeEach(onCpu);

const merged = (kind: 'multiply' | 'maximum' | 'minimum' | 'add' | 'average') => (a: tfl.SymbolicTensor, b: tfl.SymbolicTensor) => L[kind]().apply([a, b]) as tfl.SymbolicTensor; // prettier-ignore
const averaged = (a: tfl.SymbolicTensor, b: tfl.SymbolicTensor) =>
  L.concatenate().apply([a, b].map((x) => L.repeatVector({ n: 2 }).apply(L.globalAveragePooling1d({}).apply(x)) as tfl.SymbolicTensor)) as tfl.SymbolicTensor; // prettier-ignore

it.each([
  ['Multiply', merged('multiply')],
  ['Maximum', merged('maximum')],
  ['Minimum', merged('minimum')],
  ['Add', merged('add')],
  ['Average', merged('average')],
  ['GlobalAveragePooling1D', averaged],
] as const)('%s of constant channels', async (_, join) => {
  const model = network(join);
  const thinned = thin(model);
  // The channel of zeros is removed in every case.
  expect(thinned.weights.after).toBeLessThan(thinned.weights.before);
  const [before, after] = [await outputs(model), await outputs(thinned.model)];
  expect(after.length).toBe(before.length);
  before.forEach((value, i) => expect(after[i]).toBeCloseTo(value, 5));
});
