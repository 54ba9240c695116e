import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inKerasOrder } from '../../../daemon/model/keras3/layerOrder.js';
import { layerName, layersOf } from '../../../daemon/model/layers/layerConfig.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeKeras, writeKerasH5 } from '../../../daemon/model/files/writeKeras.js';
import { builtModel } from '../export/builtModel.js';
import { scratch } from '../model/tfjs.js';
import { checkKeras, checkKerasH5 } from './checker.js';
import type { Json } from './config.js';

const fixtures = join(import.meta.dirname, '..', 'model', 'fixtures');
const entry = (class_name: string, name: string, config: Json, ...from: string[][]) => ({ class_name, name, config: { name, ...config }, inbound_nodes: from.map((names) => names.map((one) => [one, 0, 0, {}])) }); // prettier-ignore
const names = (topology: { class_name: string; config: unknown }) => layersOf(topology).map(layerName);

describe("Keras's order of layers", () => {
  it('is the one in which Keras itself saved its files', async () => {
    for (const name of ['cnn.keras', 'nested.keras', 'rnn.keras', 'misc.keras']) {
      const { topology } = await readLayers(name, { workspace: fixtures });
      expect(names(inKerasOrder(topology)), name).toEqual(names(topology));
    }
  });

  it('puts layers of one depth as a walk from the outputs meets them, and leaves out what no output needs', async () => {
    const layers = [
      entry('Dense', 'b', { units: 4 }, ['in']),
      entry('Dense', 'unused', { units: 9 }, ['in']),
      entry('Add', 'sum', {}, ['a', 'c']),
      entry('Dense', 'a', { units: 4 }, ['in']),
      entry('Dense', 'c', { units: 4 }, ['b']),
      entry('InputLayer', 'in', { batch_input_shape: [null, 4] }),
    ];
    const model = builtModel({ class_name: 'Model', config: { name: 'net', layers, input_layers: [['in', 0, 0]], output_layers: [['sum', 0, 0]] } }); // prettier-ignore
    // "a" and "c" feed the sum, one step from the output; "b" feeds "c".
    expect(names(inKerasOrder(model.topology))).toEqual(['in', 'b', 'a', 'c', 'sum']);
    const folder = await scratch();
    await writeKeras(model, join(folder, 'm.keras'));
    await writeKerasH5(model, join(folder, 'm.h5'));
    await checkKeras(join(folder, 'm.keras'));
    await checkKerasH5(join(folder, 'm.h5'));
    for (const file of ['m.keras', 'm.h5']) {
      const read = new Map(
        (await readLayers(file, { workspace: folder })).weights.map(({ name, data }) => [name, data]),
      );
      const kept = model.weights.filter(({ name }) => !name.startsWith('unused'));
      expect([...read.keys()].sort()).toEqual(kept.map(({ name }) => name).sort());
      for (const { name, data } of kept) expect(read.get(name), name).toEqual(data);
    }
  });
});
