import { describe, expect, it } from 'vitest';
import { layersOf, type LayerJson } from '../../../daemon/model/layers/layerConfig.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';

const tensor = (name: string) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 4], keras_history: [name, 0, 0] },
});
const layer = (class_name: string, name: string, config: object, args: unknown[], kwargs: object = {}) => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes: args.length > 0 ? [{ args, kwargs }] : [],
});

/** Two embeddings of the same tokens, added, into a GRU with a mask argument. */
function model(maskZero: boolean, value = 0, more: object = {}) {
  const embedding = (name: string) =>
    layer('Embedding', name, { input_dim: 5, output_dim: 2, mask_zero: maskZero }, [tensor('in')]);
  const layers = [
    layer('InputLayer', 'in', { batch_shape: [null, 4] }, []),
    embedding('a'),
    embedding('b'),
    layer('NotEqual', 'not_equal', {}, [tensor('in'), 0]),
    layer('NotEqual', 'not_equal_1', {}, [tensor('in'), value]),
    layer('LogicalOr', 'or', {}, [tensor('not_equal'), tensor('not_equal_1')]),
    layer('Add', 'sum', {}, [[tensor('a'), tensor('b')]]),
    layer('GRU', 'gru', { units: 2, reset_after: false }, [tensor('sum')], { mask: tensor('or'), ...more }),
  ];
  const config = { name: 'm', layers, input_layers: ['in', 0, 0], output_layers: ['gru', 0, 0] };
  return normaliseTopology({ class_name: 'Functional', config }, 'model.keras', true);
}

describe('masks that Keras 3 wrote as tensors', () => {
  it('are dropped where they say what the input carries, with the operations that made them', () => {
    const { topology, notes } = model(true);
    expect(layersOf(topology as LayerJson).map(({ class_name }) => class_name)).toEqual(['InputLayer', 'Embedding', 'Embedding', 'Add', 'GRU']); // prettier-ignore
    expect(notes.join()).toContain('a mask that Keras 3 wrote as a tensor is that of the input');
  });

  it('are refused where the input carries none, or another', () => {
    expect(() => model(false)).toThrow(
      /layer "gru" takes a mask that is not the one its input carries; give the Embedding/,
    );
    expect(() => model(true, 1)).toThrow(/layer "gru" takes a mask that is not the one its input carries/);
    // Of calls with initial states Keras applies a mask that is given, and no other.
    expect(() => model(true, 0, { initial_state: [tensor('a')] })).toThrow(/layer "gru" takes a mask as an argument beside initial states/); // prettier-ignore
  });
});
