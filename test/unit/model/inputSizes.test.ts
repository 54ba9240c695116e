import { describe, expect, it } from 'vitest';
import { withInputSizes } from '../../../daemon/model/setup/inputSizes.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { trainingSetup } from '../../../daemon/model/setup/trainingSetup.js';

const model = (class_name: string, config: Record<string, unknown>): LayersModel => ({
  kind: 'layers',
  format: 'tfjs-layers',
  path: 'm.json',
  topology: { class_name, config },
  weights: [],
  notes: [],
});
const shapesOf = ({ topology }: LayersModel) => modelGraph(topology).inputShapes;

const lstm = { class_name: 'LSTM', config: { name: 'rnn', units: 4 } };
const dense = { class_name: 'Dense', config: { name: 'out', units: 2, activation: 'softmax' } };
const embedding = { class_name: 'Embedding', config: { name: 'words', input_dim: 9, output_dim: 3 } };

describe('sizes that a model leaves open are those of the data', () => {
  it('a text of any length into an Embedding that declares nothing', () => {
    const open = model('Sequential', { name: 'm', layers: [embedding, lstm, dense] });
    expect(shapesOf(open)).toEqual([[null]]);
    const sized = withInputSizes(open, [[12]]);
    expect(shapesOf(sized)).toEqual([[12]]);
    // The original model still accepts any length.
    expect(shapesOf(open)).toEqual([[null]]);
    expect(trainingSetup(sized).outputShape).toEqual([2]);
  });

  it('a nested model that comes first, and one input of two', () => {
    const inner = { class_name: 'Sequential', config: { name: 'inner', layers: [{ ...lstm, config: { ...lstm.config, batch_input_shape: [null, null, 5] } }] } }; // prettier-ignore
    const outer = model('Sequential', { name: 'm', layers: [inner, dense] });
    expect(shapesOf(withInputSizes(outer, [[7, 5]]))).toEqual([[7, 5]]);
    const input = (name: string, shape: (number | null)[]) => ({ class_name: 'InputLayer', name, config: { name, batch_input_shape: [null, ...shape] }, inbound_nodes: [] }); // prettier-ignore
    const two = model('Functional', {
      name: 'm',
      layers: [
        input('a', [null, 3]),
        input('b', [4]),
        { ...lstm, name: 'rnn', inbound_nodes: [[['a', 0, 0, {}]]] },
        { class_name: 'Concatenate', name: 'both', config: { name: 'both' }, inbound_nodes: [[['rnn', 0, 0, {}], ['b', 0, 0, {}]]] }, // prettier-ignore
      ],
      input_layers: [['a', 0, 0], ['b', 0, 0]],
      output_layers: [['both', 0, 0]],
    }); // prettier-ignore
    expect(shapesOf(withInputSizes(two, [[6, 3], [4]]))).toEqual([[6, 3], [4]]); // prettier-ignore
  });

  it('a model of fixed sizes is returned as it is', () => {
    const fixed = model('Sequential', { name: 'm', layers: [{ ...dense, config: { ...dense.config, batch_input_shape: [null, 3] } }] }); // prettier-ignore
    expect(withInputSizes(fixed, [[3]])).toBe(fixed);
  });
});
