/** Settings that a file has of its loss and of its layers' modes, on every engine, against float64 loops. */
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineProvider, EngineSession, Loss, SessionSpec } from '../../../daemon/engine/engine.js';
import type { LossSettings } from '../../../daemon/model/setup/lossSettings.js';
import { batches, cnn, mlp, samples, source, type Net } from './nets.js';
import * as oracle from './oracle.js';

const batchSize = 5;
const double = (values: Float32Array) => Float64Array.from(values);

/** Keras's definitions once more: losses.py of 3.15. */
function settledLoss(
  kind: Loss,
  { delta = 1, labelSmoothing = 0 }: LossSettings,
  output: Float64Array,
  target: Float64Array,
  rows: number,
) {
  const width = output.length / rows;
  if (kind === 'huber') {
    let sum = 0;
    output.forEach((p, i) => {
      const e = Math.abs(target[i]! - p);
      sum += e <= delta ? 0.5 * e * e : delta * e - 0.5 * delta * delta;
    });
    return sum / output.length;
  }
  const even = kind === 'binaryCrossentropy' ? 0.5 : 1 / width;
  const smoothed = target.map((y) => y * (1 - labelSmoothing) + labelSmoothing * even);
  // Keras divides by the row's sum if the output is not a softmax.
  const sums = Float64Array.from({ length: rows }, (_, r) =>
    output.subarray(r * width, (r + 1) * width).reduce((a, b) => a + b, 0),
  );
  const p = kind === 'binaryCrossentropy' ? output : output.map((x, i) => x / sums[Math.floor(i / width)]!);
  return oracle.loss(kind, p, smoothed, rows);
}

const functional = (net: Net, training: Readonly<Record<string, boolean>>): Net => {
  const { layers } = net.model.topology.config as { layers: { class_name: string; config: { name: string } }[] };
  const input = { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_input_shape: [null, ...net.inputShapes[0]!], dtype: 'float32' }, inbound_nodes: [] };
  const chained = layers.map((layer, i) => {
    const { name } = layer.config;
    const kwargs = name in training ? { training: training[name] } : {};
    return { ...layer, name, inbound_nodes: [[[i === 0 ? 'in' : layers[i - 1]!.config.name, 0, 0, kwargs]]] };
  });
  const config = { name: 'net', layers: [input, ...chained], input_layers: [['in', 0, 0]], output_layers: [[layers.at(-1)!.config.name, 0, 0]] };
  return { ...net, model: { ...net.model, topology: { class_name: 'Model', config } } };
}; // prettier-ignore

/** The network with a layer's config changed. */
const changed = (net: Net, name: string, more: object): Net => {
  const { layers, ...config } = net.model.topology.config as { layers: { config: { name: string } }[] };
  const others = layers.map((layer) => (layer.config.name === name ? { ...layer, config: { ...layer.config, ...more } } : layer));
  return { ...net, model: { ...net.model, topology: { ...net.model.topology, config: { ...config, layers: others } } } };
}; // prettier-ignore

const distance = (actual: ArrayLike<number>, expected: ArrayLike<number>) =>
  Array.from(expected).reduce((worst, x, i) => Math.max(worst, Math.abs(actual[i]! - x) / (1 + Math.abs(x))), 0);

/** Holds an engine to what files set. @param here whether it can run; if not, its tests are skipped by name. */
export function describeFileSettings(provider: EngineProvider, here: boolean): void {
  describe.skipIf(!here)(`what a file sets, on engine ${provider.id}`, () => {
    const open: EngineSession[] = [];
    const session = async (net: Net, more: Partial<SessionSpec> = {}) => {
      const opened = await provider.open(net.model, { loss: net.loss, batchSize, seed: 1, ...more });
      open.push(opened);
      return opened;
    };
    afterEach(async () => {
      for (const opened of open.splice(0)) await opened.dispose();
    });
    const named = (net: Net, s: EngineSession, flat: Float64Array) => {
      const weights = new Map(net.model.weights.map(({ name, data }) => [name, double(data)]));
      for (const { name, offset, size } of s.parameters) weights.set(name, flat.slice(offset, offset + size));
      return weights;
    };

    it.each<[Loss, string, number, LossSettings]>([
      ['huber', 'linear', 3, { delta: 0.1 }],
      ['huber', 'tanh', 3, { delta: 1.7 }],
      ['categoricalCrossentropy', 'softmax', 3, { labelSmoothing: 0.1 }],
      ['categoricalCrossentropy', 'sigmoid', 3, { labelSmoothing: 0.3 }],
      ['binaryCrossentropy', 'sigmoid', 1, { labelSmoothing: 0.2 }],
      ['binaryCrossentropy', 'sigmoid', 3, { labelSmoothing: 0.2 }],
    ])('%s of %s, %d, with %o: training, its gradient and evaluation', async (loss, activation, outputs, lossSettings) => {
      const net = mlp(loss, activation, outputs);
      const s = await session(net, { lossSettings });
      const { inputs, target } = samples(net, batchSize, 3);
      const flat = double(await s.getWeights());
      const value = (w: Float64Array) =>
        settledLoss(loss, lossSettings, oracle.forward(net.model, named(net, s, w), inputs.map(double), batchSize, true).output, double(target), batchSize);
      const told = await s.gradient(inputs, target);
      expect(told.loss).toBeCloseTo(value(flat), 5);
      expect(distance(told.gradient, oracle.differences(value, flat))).toBeLessThan(1e-5);
      const many = samples(net, 23, 4);
      const { output } = oracle.forward(net.model, named(net, s, flat), many.inputs.map(double), 23, false);
      const { loss: evaluated } = await s.evaluate(source(net, many, 23));
      expect(evaluated).toBeCloseTo(settledLoss(loss, lossSettings, output, double(many.target), 23), 5);
      expect(Math.abs(evaluated - (await (await session(net)).evaluate(source(net, many, 23))).loss)).toBeGreaterThan(1e-3);
    }); // prettier-ignore

    it.each([true, false])('errors of the binary cross-entropy over 3 outputs, one of them being right: %s', async (one) => {
      const net = mlp('binaryCrossentropy', 'sigmoid', 3);
      const s = await session(net);
      const many = samples(net, 23, 4);
      // A row of two 1s among others makes all of them yes-no answers.
      for (let row = 0; row < 23; row++) many.target.set([0, 1, 2].map((i) => Number(i === row % 3 || (!one && row === 7))), 3 * row);
      const { output } = oracle.forward(net.model, named(net, s, double(await s.getWeights())), many.inputs.map(double), 23, false);
      let [rows, elements] = [0, 0];
      for (let row = 0; row < 23; row++) {
        const [p, y] = [output.subarray(3 * row, 3 * row + 3), many.target.subarray(3 * row, 3 * row + 3)];
        rows += Number(p.indexOf(Math.max(...p)) !== y.indexOf(1));
        p.forEach((v, i) => (elements += Number(v > 0.5 !== y[i]! > 0.5)));
      }
      expect(rows / 23).not.toBeCloseTo(elements / 69, 3);
      const { error } = await s.evaluate(source(net, many, 23));
      if (one || provider.id !== 'tfjs-cpu') expect(error).toBeCloseTo(one ? rows / 23 : elements / 69, 6);
      const { error: again } = await (await session(net, { batchSize: 23 })).evaluate(source(net, many, 23));
      expect(again).toBeCloseTo(one ? rows / 23 : elements / 69, 6);
    }); // prettier-ignore

    it('class weights are those of the labels, also under label smoothing', async () => {
      const net = mlp('categoricalCrossentropy', 'softmax');
      const lossSettings = { labelSmoothing: 0.2 };
      const classWeights = [0.25, 3, 1];
      const s = await session(net, { lossSettings, classWeights });
      const { inputs, target } = samples(net, batchSize, 6);
      const { output } = oracle.forward(net.model, named(net, s, double(await s.getWeights())), inputs.map(double), batchSize, true);
      let expected = 0;
      for (let row = 0; row < batchSize; row++) {
        const [p, y] = [output.subarray(row * 3, row * 3 + 3), double(target.subarray(row * 3, row * 3 + 3))];
        expected += (classWeights[y.indexOf(1)]! * settledLoss('categoricalCrossentropy', lossSettings, p, y, 1)) / batchSize;
      }
      expect((await s.gradient(inputs, target)).loss).toBeCloseTo(expected, 5);
    }); // prettier-ignore

    it('trains an output inside a nested model, whatever its place: the activation that its loss takes over is its own', async () => {
      const dense = (name: string, units: number, activation: string, from: string) => ({
        class_name: 'Dense', name, config: { name, units, activation, use_bias: true, dtype: 'float32', trainable: true }, inbound_nodes: [[[from, 0, 0, {}]]],
      });
      const input = (name: string, size: number) => ({ class_name: 'InputLayer', name, config: { name, batch_input_shape: [null, size], dtype: 'float32' }, inbound_nodes: [] });
      const head = {
        class_name: 'Functional', name: 'head', inbound_nodes: [[['trunk', 0, 0, {}]]],
        config: { name: 'head', layers: [input('x', 4), dense('o1', 3, 'softmax', 'x'), dense('o2', 3, 'softmax', 'x')], input_layers: [['x', 0, 0]], output_layers: [['o1', 0, 0], ['o2', 0, 0]] },
      };
      const config = { name: 'two', layers: [input('in', 7), dense('trunk', 4, 'tanh', 'in'), head], input_layers: [['in', 0, 0]], output_layers: [['head', 1, 0], ['head', 1, 1]] };
      const values = (n: number, from: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(from + 2 * i));
      const weight = (name: string, shape: number[], from: number) => ({ name, shape, dtype: 'float32' as const, data: values(shape.reduce((a, b) => a * b, 1), from) });
      const net: Net = {
        loss: 'categoricalCrossentropy', inputShapes: [[7]], outputs: 3,
        model: { kind: 'layers', format: 'tfjs-layers', path: '/nets/two.json', notes: [], topology: { class_name: 'Functional', config }, weights: [weight('trunk/kernel', [7, 4], 1), weight('trunk/bias', [4], 2), weight('o1/kernel', [4, 3], 3), weight('o1/bias', [3], 4), weight('o2/kernel', [4, 3], 5), weight('o2/bias', [3], 6)] },
      };
      const many = samples(net, 23, 4);
      for (const output of ['head/o1', 'o1', 'head/o2']) {
        const s = await session(net, { output });
        const name = output.split('/').at(-1)!;
        const [w, b] = [`${name}/kernel`, `${name}/bias`].map((one) => net.model.weights.find((each) => each.name === one)!.data);
        const [k, c] = ['trunk/kernel', 'trunk/bias'].map((one) => net.model.weights.find((each) => each.name === one)!.data);
        const p: number[] = [];
        for (let row = 0; row < 23; row++) {
          const hidden = Array.from({ length: 4 }, (_, u) => Math.tanh(c![u]! + Array.from({ length: 7 }, (_, i) => many.inputs[0]![row * 7 + i]! * k![i * 4 + u]!).reduce((a, x) => a + x, 0)));
          const z = Array.from({ length: 3 }, (_, o) => b![o]! + hidden.reduce((sum, x, u) => sum + x * w![u * 3 + o]!, 0));
          const total = z.reduce((sum, x) => sum + Math.exp(x), 0);
          p.push(...z.map((x) => Math.exp(x) / total));
        }
        expect(distance(await s.predict(many.inputs, 23), p)).toBeLessThan(1e-5);
        const { loss } = await s.evaluate(source(net, many, 23));
        expect(loss).toBeCloseTo(oracle.loss(net.loss, Float64Array.from(p), double(many.target), 23), 5);
      }
    }); // prettier-ignore

    it.each<[string, Net, string[]]>([
      ['a frozen BatchNormalization', changed(cnn(), 'norm', { trainable: false }), ['conv1', 'conv2', 'conv3', 'scores']],
      ['a BatchNormalization called with training=False', functional(cnn(), { norm: false }), ['conv1', 'conv2', 'norm', 'conv3', 'scores']],
    ])('%s normalises by its moving averages in training and leaves them', async (_, net, trained) => {
      const s = await session(net);
      expect(new Set(s.parameters.map(({ layer }) => layer))).toEqual(new Set(trained));
      const { inputs, target } = samples(net, batchSize, 3);
      const flat = double(await s.getWeights());
      const value = (w: Float64Array) =>
        oracle.loss(net.loss, oracle.forward(net.model, named(net, s, w), inputs.map(double), batchSize, false).output, double(target), batchSize);
      const told = await s.gradient(inputs, target);
      expect(told.loss).toBeCloseTo(value(flat), 5);
      expect(distance(told.gradient, oracle.differences(value, flat))).toBeLessThan(1e-5);
      const state = await s.getState();
      expect(state.length).toBeGreaterThan(0);
      await s.train({ batches: batches(net, batchSize, 7), steps: 3, learningRate: () => 0.05, momentum: 0.9, nesterov: true, weightDecay: 0 });
      expect(await s.getState()).toEqual(state);
      expect(distance(await s.getWeights(), flat)).toBeGreaterThan(1e-4);
    }); // prettier-ignore
  });
}
