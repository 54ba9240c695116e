/** The network that TensorFlow.js built is compared with the file. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { checkWiring } from '../../../daemon/engine/builtWiring.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';

/** "d" is called on the input's later layers in the file's order: first deep, then shallow. */
const topology = (calls: readonly (readonly [string, number])[]) => ({
  class_name: 'Functional',
  config: {
    name: 'net',
    layers: [
      { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_input_shape: [null, 3] }, inbound_nodes: [] },
      { class_name: 'Dense', name: 'd', config: { name: 'd', units: 3 }, inbound_nodes: calls.map(([name, node]) => [[name, node, 0, {}]]) },
      { class_name: 'Activation', name: 'deep', config: { name: 'deep', activation: 'tanh' }, inbound_nodes: [[['in', 0, 0, {}]]] },
      { class_name: 'Add', name: 'sum', config: { name: 'sum' }, inbound_nodes: [[['d', 0, 0, {}], ['d', 1, 0, {}]]] },
    ],
    input_layers: [['in', 0, 0]],
    output_layers: [['sum', 0, 0]],
  },
}); // prettier-ignore

const built = (model: object) => tfl.models.modelFromJSON({ modelTopology: model } as never);

describe('a layer that is shared at several depths', () => {
  it('is refused by name where TensorFlow.js reads other tensors than the file', async () => {
    const file = topology([['deep', 0], ['in', 0]]); // prettier-ignore
    // TensorFlow.js makes the call on the input first, and takes it for the file's first.
    const model = await built(file);
    expect(() => checkWiring(model, file, 'net.json')).toThrow(/connects call 1 of layer "d" to other tensors/);
  });

  it('passes as the reader orders its calls', async () => {
    const { topology: read } = normaliseTopology(topology([['deep', 0], ['in', 0]]), 'net.json', true); // prettier-ignore
    const model = await built(read);
    expect(() => checkWiring(model, read, 'net.json')).not.toThrow();
  });
});
