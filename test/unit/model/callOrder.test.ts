/** Layers shared at several depths: which call reads which tensor, against an interpreter of the file itself. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { buildLayers } from '../../../daemon/engine/trace/layersModel.js';
import { createRandom, type Random } from '../../../daemon/lc/random.js';
import type { LayersModel, Topology, WeightTensor } from '../../../daemon/model/model.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { wiringOf } from '../../../daemon/model/normalise/wiring.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { difference, loadPlain, scratch, tf } from './tfjs.js';

const WIDTH = 3;

interface Layer {
  class_name: string;
  name?: string;
  config: unknown;
  inbound_nodes: unknown[];
}

const input = (name: string): Layer => ({
  class_name: 'InputLayer',
  name,
  config: { name, batch_input_shape: [null, WIDTH], dtype: 'float32' },
  inbound_nodes: [],
});
const dense = (name: string, nodes: unknown[], config: object = {}): Layer => ({
  class_name: 'Dense',
  name,
  config: { name, units: WIDTH, activation: 'tanh', use_bias: false, ...config },
  inbound_nodes: nodes,
});
const ref = (name: string, node = 0) => [name, node, 0, {}];

const topologyOf = (layers: Layer[], outputs: unknown[]): Topology => ({
  class_name: 'Model',
  config: { name: 'net', layers, input_layers: [['x', 0, 0]], output_layers: outputs },
});

const kernelsOf = (names: readonly string[], random: Random): WeightTensor[] =>
  names.map((name) => ({
    name: `${name}/kernel`,
    shape: [WIDTH, WIDTH],
    dtype: 'float32',
    data: Float32Array.from({ length: WIDTH * WIDTH }, () => random.normal()),
  }));

/** The value of a tensor of the file, by the file's own numbers: float64, straight from the definition. */
function interpret(topology: Topology, weights: readonly WeightTensor[], x: readonly number[]): number[] {
  const { layers, output_layers } = topology.config as { layers: Layer[]; output_layers: [string, number, number][] };
  const value = (name: string, node: number): number[] => {
    const layer = layers.find((candidate) => candidate.name === name)!;
    if (layer.class_name === 'InputLayer') return [...x];
    const given = (layer.inbound_nodes[node] as [string, number][]).map(([from, i]) => value(from, i));
    if (layer.class_name === 'Concatenate') return given.flat();
    const { data } = weights.find((weight) => weight.name === `${name}/kernel`)!;
    return Array.from({ length: WIDTH }, (_, j) =>
      Math.tanh(given[0]!.reduce((sum, v, i) => sum + v * data[i * WIDTH + j]!, 0)),
    );
  };
  return output_layers.flatMap(([name, node]) => value(name, node));
}

/** The predictions of plain TensorFlow.js with the model that the product writes. */
async function predicted(model: LayersModel, x: readonly number[]): Promise<number[]> {
  const folder = await scratch();
  await writeTfjsModel(model, join(folder, 'm.json'));
  const plain = await loadPlain(join(folder, 'm.json'));
  const outputs = [plain.predict(tf.tensor([...x], [1, WIDTH]))].flat();
  return outputs.flatMap((output) => [...output.dataSync()]);
}

const asModel = (topology: Topology, weights: readonly WeightTensor[]): LayersModel => ({
  kind: 'layers',
  format: 'tfjs-layers',
  path: 'net.json',
  topology,
  weights,
  notes: [],
});

/** The first call of "s" waits for "r", so TensorFlow.js makes it second. */
const waiting = () =>
  topologyOf(
    [
      input('x'),
      dense('s', [[ref('r')], [ref('x')]]),
      dense('r', [[ref('x')]]),
      { class_name: 'Concatenate', name: 'c', config: { name: 'c', axis: -1 }, inbound_nodes: [[ref('s'), ref('s', 1)]] }, // prettier-ignore
    ],
    [['c', 0, 0]],
  );

describe('a layer shared at several depths', () => {
  it('reads in each call the tensors of the file', async () => {
    const random = createRandom(1);
    const weights = kernelsOf(['s', 'r'], random);
    const x = [0.3, -1.1, 0.7];
    const raw = waiting();
    const { topology, notes } = normaliseTopology(raw, 'net.json', true);
    expect(notes.join('\n')).toMatch(/calls of a shared layer.*: s/);
    const answer = await predicted(asModel(topology, weights), x);
    expect(difference(answer, interpret(raw, weights, x))).toBeLessThan(1e-6);
  });

  it('so it is in networks drawn at random', async () => {
    let reordered = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const random = createRandom(seed);
      const names = ['a', 'b', 'd', 'e'];
      const weights = kernelsOf(names, random);
      // Calls in a topological order first; then each layer's are listed, and the layers, in orders drawn anew.
      const calls = Array.from({ length: 9 }, (_, i) => ({ layer: names[i % 4]!, from: random.below(i + 1) - 1 }));
      const shuffled = <T>(list: T[]): T[] => {
        const order = Uint32Array.from(list.keys());
        random.shuffle(order);
        return [...order].map((i) => list[i]!);
      };
      const own = new Map(names.map((name) => [name, shuffled([...calls.keys()].filter((i) => calls[i]!.layer === name))])); // prettier-ignore
      const tensor = (i: number) => (i < 0 ? ref('x') : ref(calls[i]!.layer, own.get(calls[i]!.layer)!.indexOf(i)));
      const raw = topologyOf(
        [input('x'), ...shuffled(names.map((name) => dense(name, own.get(name)!.map((i) => [tensor(calls[i]!.from)]))))],
        calls.map((_, i) => tensor(i).slice(0, 3)),
      ); // prettier-ignore
      const { topology, notes } = normaliseTopology(raw, 'net.json', true);
      if (/calls of a shared layer/.test(notes.join())) reordered++;
      const x = Array.from({ length: WIDTH }, () => random.normal());
      const answer = await predicted(asModel(topology, weights), x);
      expect(difference(answer, interpret(raw, weights, x)), `seed ${seed}`).toBeLessThan(1e-5);
      // The product's own walk agrees on what there is.
      expect(wiringOf(topology).outputs).toHaveLength(calls.length);
    }
    expect(reordered).toBeGreaterThan(10);
  });

  it('is refused by name where TensorFlow.js built it otherwise', async () => {
    const model = asModel(waiting(), kernelsOf(['s', 'r'], createRandom(1)));
    await expect(buildLayers(model)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringMatching(/net\.json: .*call 1 of layer "s"/) as string,
    });
  });
});

describe('files of Keras 3.15', () => {
  const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'shared');

  it.each(['model.keras', 'model.h5'])(
    '%s, with a layer at three depths, has the outputs that Keras gave',
    async (file) => {
      const folder = await scratch();
      await writeTfjsModel(await readLayers(file, { workspace: fixtures }), join(folder, 'm.json'));
      const plain = await loadPlain(join(folder, 'm.json'));
      const arrays = unzipSync(await readFile(join(fixtures, 'data.npz')));
      // Version 1.0 of the format, float32: bytes 8 and 9 have the length of the header.
      const values = (name: string) => {
        const bytes = arrays[`${name}.npy`]!;
        return new Float32Array(bytes.slice(10 + bytes[8]! + 256 * bytes[9]!).buffer);
      };
      for (const part of ['train', 'test']) {
        const given = ['a', 'b'].map((name) => tf.tensor(values(`${name}_${part}`), [64, 6]));
        const output = (plain.predict(given) as tf.Tensor).dataSync();
        expect(difference(output, values(`y_${part}`))).toBeLessThan(2e-6);
      }
    },
  );

  it.each(['multi-depth', 'nested-two-out', 'same-names', 'td-model', 'nest3', 'nest-twice'])(
    '%s is built as its wiring says',
    async (name) => {
      const model = await readLayers(`${name}.keras`, { workspace: fixtures });
      const built = await buildLayers(model);
      expect(built.weights.map((weight) => weight.name).sort()).toEqual(model.weights.map((w) => w.name).sort());
      built.dispose();
    },
  );
});

describe('nested Sequentials of Keras before 2.2.3, whose config is their list of layers', () => {
  const branch = (name: string, inner: string, from: string) => ({
    class_name: 'Sequential',
    name,
    config: [
      {
        class_name: 'Dense',
        config: {
          name: inner,
          units: WIDTH,
          activation: 'tanh',
          use_bias: false,
          batch_input_shape: [null, WIDTH],
        },
      },
    ],
    inbound_nodes: [[ref(from)]],
  });
  // The names have another order than the places.
  const raw = topologyOf(
    [
      input('x'),
      branch('sequential_2', 'p', 'x') as Layer,
      branch('sequential_1', 'q', 'x') as Layer,
      dense('last', [[ref('sequential_1', 1)]]),
    ],
    [
      ['sequential_2', 1, 0],
      ['last', 0, 0],
    ],
  );

  it('keep the names that the wiring calls them by', async () => {
    const folder = await scratch();
    const weights = kernelsOf(['p', 'q', 'last'], createRandom(4));
    const json = {
      modelTopology: raw,
      weightsManifest: [{ paths: ['w.bin'], weights: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })) }],
    }; // prettier-ignore
    await writeFile(join(folder, 'model.json'), JSON.stringify(json));
    await writeFile(join(folder, 'w.bin'), Buffer.concat(weights.map(({ data }) => Buffer.from(data.buffer))));
    const model = await readLayers('model.json', { workspace: folder });
    const x = [0.5, 0.1, -0.9];
    const through = (v: readonly number[], name: string) => {
      const { data } = weights.find((weight) => weight.name === `${name}/kernel`)!;
      return Array.from({ length: WIDTH }, (_, j) =>
        Math.tanh(v.reduce((sum, value, i) => sum + value * data[i * WIDTH + j]!, 0)),
      );
    };
    const expected = [...through(x, 'p'), ...through(through(x, 'q'), 'last')];
    expect(difference(await predicted(model, x), expected)).toBeLessThan(1e-6);
  });

  it('get unique names if they have none', () => {
    const anonymous = (inner: string) => {
      const { class_name, config } = branch('', inner, 'x');
      return { class_name, config };
    };
    const { topology } = normaliseTopology(
      {
        class_name: 'Sequential',
        config: {
          name: 'net',
          layers: [
            anonymous('p'),
            { class_name: 'Dense', config: { name: 'sequential_1', units: WIDTH } },
            anonymous('q'),
          ],
        },
      },
      'net.json',
      true,
    );
    const names = (topology.config as { layers: { config: { name: string } }[] }).layers.map(
      ({ config }) => config.name,
    );
    expect(new Set(names).size).toBe(3);
    expect(names[1]).toBe('sequential_1');
  });
});
