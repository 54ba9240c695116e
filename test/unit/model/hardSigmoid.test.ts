import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asInKeras3, asInTfjs } from '../../../daemon/model/normalise/hardSigmoid.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeKeras, writeKerasH5 } from '../../../daemon/model/files/writeKeras.js';
import { builtModel } from '../export/builtModel.js';
import { expectSame } from '../export/expectSame.js';
import { predict } from '../export/randomNetworks.js';
import { scratch } from './tfjs.js';

type Json = Record<string, unknown>;
const first = { batch_input_shape: [null, 4, 3] };
const net = (class_name: string, config: Json): LayersModel =>
  builtModel({ class_name: 'Sequential', config: { name: 'net', layers: [{ class_name, config: { name: 'x', trainable: true, ...first, ...config } }] } }, false); // prettier-ignore

/** Keras 3's, relu6(x + 3) / 6. */
const hard3 = (x: number): number => Math.min(Math.max(x + 3, 0), 6) / 6;
const [STEPS, FEATURES, UNITS, SAMPLES] = [4, 3, 2, 2];
const inputs = Float32Array.from({ length: SAMPLES * STEPS * FEATURES }, (_, i) => Math.sin(1.7 * i) * 1.5);

type Cell = (gates: (of: 'x' | 'h', gate: number, unit: number, scaleH?: readonly number[]) => number, h: number[], c: number[]) => [h: number[], c: number[]]; // prettier-ignore

/** The last output of a recurrent layer by plain loops over Keras's equations. */
function recurrent(model: LayersModel, gates: number, cell: Cell): Float32Array {
  const [kernel, recurrentKernel, bias] = model.weights.map(({ data }) => data) as [Float32Array, Float32Array, Float32Array];
  const width = gates * UNITS;
  const out: number[] = [];
  for (let b = 0; b < SAMPLES; b++) {
    let [h, c] = [new Array<number>(UNITS).fill(0), new Array<number>(UNITS).fill(0)];
    for (let t = 0; t < STEPS; t++) {
      const before = h;
      const sum = (of: 'x' | 'h', gate: number, unit: number, scaleH: readonly number[] = [1, 1]): number => {
        const column = gate * UNITS + unit;
        if (of === 'h') return before.reduce((total, value, i) => total + value * scaleH[i]! * recurrentKernel[i * width + column]!, 0);
        let total = bias[column]!;
        for (let f = 0; f < FEATURES; f++) total += inputs[(b * STEPS + t) * FEATURES + f]! * kernel[f * width + column]!;
        return total;
      };
      [h, c] = cell(sum, h, c);
    }
    out.push(...h);
  }
  return Float32Array.from(out);
} // prettier-ignore

const units = Array.from({ length: UNITS }, (_, unit) => unit);
const lstm: Cell = (gates, _h, c) => {
  const gate = (k: number, unit: number) => gates('x', k, unit) + gates('h', k, unit);
  const next = units.map((u) => hard3(gate(1, u)) * c[u]! + hard3(gate(0, u)) * Math.tanh(gate(2, u)));
  return [units.map((u) => hard3(gate(3, u)) * Math.tanh(next[u]!)), next];
};
const gru: Cell = (gates, h, c) => {
  const gate = (k: number, unit: number) => hard3(gates('x', k, unit) + gates('h', k, unit));
  const reset = units.map((u) => gate(1, u));
  return [
    units.map((u) => gate(0, u) * h[u]! + (1 - gate(0, u)) * hard3(gates('x', 2, u) + gates('h', 2, u, reset))),
    c,
  ];
};

describe("hard_sigmoid of Keras 3, which is TensorFlow.js's of 1.2 x", () => {
  it('LSTM: the scaled weights, with the gates of Keras 3, give what TensorFlow.js gives', async () => {
    // TensorFlow.js's default without a setting.
    const model = net('LSTM', { units: UNITS });
    const outputs = await predict(model, inputs, [SAMPLES, STEPS, FEATURES]);
    expectSame(recurrent(asInKeras3(model, 'm'), 4, lstm), outputs, 'LSTM', 1e-5);
    expect(() => expectSame(recurrent(model, 4, lstm), outputs, 'unscaled', 1e-3)).toThrow();
  });

  it('GRU, its candidate included', async () => {
    const model = net('GRU', { units: UNITS, activation: 'hard_sigmoid', recurrent_activation: 'hard_sigmoid' });
    const outputs = await predict(model, inputs, [SAMPLES, STEPS, FEATURES]);
    expectSame(recurrent(asInKeras3(model, 'm'), 3, gru), outputs, 'GRU', 1e-5);
  });

  it('cells of an RNN, stacked ones too, are scaled as the layers are', () => {
    const cell = (class_name: string, more: Json = {}) => ({
      class_name,
      config: { name: class_name, units: UNITS, ...more },
    });
    const values = (model: LayersModel) => model.weights.map(({ data }) => [...data]);
    const layer = net('LSTM', { units: UNITS });
    const alone = net('RNN', { cell: cell('LSTMCell') });
    expect(values(asInKeras3(alone, 'm'))).toEqual(values(asInKeras3(layer, 'm')));
    const stacked = net('RNN', { cell: { class_name: 'StackedRNNCells', config: { name: 's', cells: [cell('SimpleRNNCell', { use_bias: false }), cell('GRUCell', { reset_after: false })] } } }); // prettier-ignore
    const ratios = asInKeras3(stacked, 'm').weights.map(({ data }, k) => [...data].map((x, i) => x / stacked.weights[k]!.data[i]!)); // prettier-ignore
    const gates = [1.2, 1.2, 1.2, 1.2, 1, 1];
    const expected = [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1], [...gates, ...gates], [...gates, ...gates], gates];
    ratios.forEach((ratio, k) => ratio.forEach((one, i) => expect(one).toBeCloseTo(expected[k]![i]!, 6)));
  });

  it('Dense and a lone Activation, by a Rescaling in front of it', async () => {
    const dense = net('Dense', { units: UNITS, activation: 'hard_sigmoid' });
    const [kernel, bias] = asInKeras3(dense, 'm').weights.map(({ data }) => data);
    const expected = await predict(dense, inputs, [SAMPLES, STEPS, FEATURES]);
    const rows = Array.from({ length: SAMPLES * STEPS }, (_, row) => units.map((u) => hard3([0, 1, 2].reduce((sum, f) => sum + inputs[row * FEATURES + f]! * kernel![f * UNITS + u]!, bias![u]!)))); // prettier-ignore
    expectSame(Float32Array.from(rows.flat()), expected, 'Dense', 1e-6);
    const lone = net('Activation', { activation: 'hardSigmoid' });
    const [rescaling, activation] = modelGraph(asInKeras3(lone, 'm').topology).layers.map(({ layer }) => layer);
    expect(rescaling).toMatchObject({
      class_name: 'Rescaling',
      config: { name: 'x', scale: 1.2, offset: 0, ...first },
    });
    expect(activation).toMatchObject({ class_name: 'Activation', config: { activation: 'hard_sigmoid' } });
    const values = inputs.map((x) => hard3(1.2 * x));
    expectSame(await predict(lone, inputs, [SAMPLES, STEPS, FEATURES]), values, 'Activation', 1e-6);
  });

  it('both Keras formats read back compute the same, and zeros stay zeros', async () => {
    const folder = await scratch();
    const model = net('Bidirectional', { merge_mode: 'sum', layer: { class_name: 'LSTM', config: { name: 'inner', units: UNITS, recurrent_activation: 'hard_sigmoid' } } }); // prettier-ignore
    const pruned: LayersModel = { ...model, weights: model.weights.map((w) => ({ ...w, data: w.data.map((x, i) => (i % 3 ? x : 0)) })) }; // prettier-ignore
    const outputs = await predict(pruned, inputs, [SAMPLES, STEPS, FEATURES]);
    await writeKeras(pruned, join(folder, 'm.keras'));
    await writeKerasH5(pruned, join(folder, 'm.h5'));
    for (const file of ['m.keras', 'm.h5']) {
      const read = await readLayers(file, { workspace: folder });
      read.weights.forEach(({ data }, k) =>
        data.forEach((x, i) => expect(x === 0).toBe(pruned.weights[k]!.data[i] === 0)),
      );
      expectSame(await predict(read, inputs, [SAMPLES, STEPS, FEATURES]), outputs, file, 1e-5);
      expect(read.notes.join()).toMatch(/hard_sigmoid were scaled/);
    }
  });

  it('leaves a model without it as it is, and refuses by name what no weight scales', () => {
    const plain = net('LSTM', { units: UNITS, recurrent_activation: 'sigmoid' });
    expect(asInKeras3(plain, 'm')).toBe(plain);
    expect(asInTfjs(plain, { keras3: true })).toBe(plain);
    const state = net('LSTM', { units: UNITS, activation: 'hard_sigmoid', recurrent_activation: 'sigmoid' });
    expect(() => asInKeras3(state, 'm.h5')).toThrow(
      /^m\.h5: layer "x" has hard_sigmoid as its activation, which Keras 3/,
    );
    const wrapped = net('TimeDistributed', { layer: { class_name: 'Activation', config: { name: 'inner', activation: 'hard_sigmoid' } } }); // prettier-ignore
    expect(() => asInKeras3(wrapped, 'm.h5')).toThrow(/layer "x" wraps an Activation of hard_sigmoid/);
  });
});
