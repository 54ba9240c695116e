/** A border of zeros in front and a "valid" convolution are read as causal padding if they equal it; export/openElsewhere compares what they compute. */
import { expect, it } from 'vitest';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import { normaliseTopology } from '../../../../daemon/model/normalise/normalise.js';

type Json = Record<string, unknown>;
const layer = (class_name: string, name: string, config: Json): Json => ({ class_name, config: { name, ...config } });
const conv1d = (config: Json = {}): Json => layer('Conv1D', 'c', { filters: 2, kernel_size: [3], dilation_rate: [2], padding: 'valid', ...config }); // prettier-ignore

/** The two layers as in an export for TensorFlow.js. */
function bordered({ padding = [[4, 0], [0, 0]], names = ['c_image', 'c_front', 'c_sequence'], conv = conv1d(), aside = false }: { padding?: unknown; names?: string[]; conv?: Json; aside?: boolean } = {}): Json {
  const layers = [
    layer('Reshape', names[0]!, { target_shape: [8, 3, 1], batch_input_shape: [null, 8, 3] }),
    layer('ZeroPadding2D', names[1]!, { padding, data_format: 'channels_last' }),
    layer('Reshape', names[2]!, { target_shape: [12, 3] }),
    conv,
  ];
  if (!aside) return { class_name: 'Sequential', config: { name: 'm', layers } };
  const input = layer('InputLayer', 'in', { batch_input_shape: [null, 8, 3] });
  const flat = layer('Flatten', 'f', {});
  const chain = [input, ...layers, flat].map((own, i, all) => {
    const from = i === 0 ? [] : own === flat ? ['c_front'] : [(all[i - 1]!.config as Json).name as string];
    return { ...own, name: (own.config as Json).name, inbound_nodes: from.map((name) => [[name, 0, 0, {}]]) };
  });
  return { class_name: 'Functional', config: { name: 'm', layers: chain, input_layers: [['in', 0, 0]], output_layers: [['c', 0, 0], ['f', 0, 0]] } };
} // prettier-ignore

const read = (topology: Json) => modelGraph(normaliseTopology(topology, 'm.json', false).topology);
const classes = (topology: Json) => read(topology).layers.map(({ layer: own }) => own.class_name);

it('is one layer again, with the input that the first of them declared', () => {
  const { layers, inputShapes, outputShapes } = read(bordered());
  expect(layers.map(({ layer: own }) => own.config)).toMatchObject([{ name: 'c', padding: 'causal', batch_input_shape: [null, 8, 3] }]); // prettier-ignore
  expect([inputShapes, outputShapes]).toEqual([[[8, 3]], [[8, 2]]]);
});

it.each([
  ['zeros behind', bordered({ padding: [[0, 4], [0, 0]] })],
  ['another number of zeros', bordered({ padding: [[3, 0], [0, 0]] })],
  ['names of its own', bordered({ names: ['a', 'b', 'd'] })],
  ['a convolution of padding same', bordered({ conv: conv1d({ padding: 'same' }) })],
])('%s stay what they are', (_name, topology) => {
  expect(classes(topology)).toEqual(['Reshape', 'ZeroPadding2D', 'Reshape', 'Conv1D']);
}); // prettier-ignore

it('a border that another layer reads stays', () => {
  expect(classes(bordered({ aside: true }))).toEqual(['InputLayer', 'Reshape', 'ZeroPadding2D', 'Reshape', 'Conv1D', 'Flatten']); // prettier-ignore
});
