/** The summary of each layer class: shapes, weights and which of them are trainable. */
import { describe, expect, it } from 'vitest';
import { summarizeLayers } from '../../../../daemon/model/layers/summarizeLayers.js';
import { KNOWN_CLASSES } from '../../../../daemon/model/layerClasses/registry.js';
import { tf, tfl } from '../tfjs.js';
import { expectAsTfjs, topologyOf } from './againstTfjs.js';
import { layerCases } from './layerCases.js';

const L = tfl.layers;
type Layer = tfl.layers.Layer;

const functional = (shapes: number[] | number[][], layer: Layer): tfl.LayersModel => {
  const list = Array.isArray(shapes[0]) ? (shapes as number[][]) : [shapes as number[]];
  const inputs = list.map((shape) => tfl.input({ shape }));
  return tfl.model({ inputs, outputs: layer.apply(inputs.length > 1 ? inputs : inputs[0]!) as tfl.SymbolicTensor });
};

describe('shapes and weights of every layer class, against TensorFlow.js', () => {
  for (const [name, variants] of Object.entries(layerCases)) {
    variants.forEach(([shapes, layer], i) =>
      it(`${name} ${i + 1}`, async () => {
        await expectAsTfjs(functional(shapes, layer()));
      }),
    );
  }

  it('covers every class with a rule, and TensorFlow.js has each of them', async () => {
    const tested = new Set(
      Object.entries(layerCases)
        .filter(([, list]) => list.length > 0)
        .map(([name]) => name),
    );
    // CenterCrop, RandomCrop and Resizing are dropped or refused before TensorFlow.js sees them.
    const rest = [...KNOWN_CLASSES].filter((name) => !tested.has(name));
    // Operations have tests of their own (operations/); layers of several inputs are in test/matrix.
    const attention = ['AdditiveAttention', 'Attention', 'GroupedQueryAttention', 'MultiHeadAttention'];
    expect(rest.sort()).toEqual([...attention, 'CenterCrop', 'Operation', 'RandomCrop', 'Resizing'].sort());
    const registered = tf.serialization.SerializationMap.getMap().classNameMap;
    for (const name of KNOWN_CLASSES)
      if (name !== 'Operation' && name !== 'RandomCrop') expect(name in registered, name).toBe(true);
  });

  it('recurrent layers that return their states', async () => {
    for (const layer of [
      L.lstm({ units: 4, returnState: true, returnSequences: true }),
      L.gru({ units: 3, returnState: true }),
      L.bidirectional({ layer: L.lstm({ units: 4 }) as tfl.RNN, mergeMode: null as never }),
    ]) {
      const input = tfl.input({ shape: [6, 3] });
      await expectAsTfjs(tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor[] }));
    }
  });

  it('a frozen layer has no trainable weights', async () => {
    await expectAsTfjs(functional([4], L.dense({ units: 3, trainable: false })));
  });

  it('unknown sizes stay unknown and settle by the weights', () => {
    const model = tfl.sequential({
      layers: [L.embedding({ inputDim: 9, outputDim: 4 }), L.lstm({ units: 5 }) as Layer, L.dense({ units: 2 })],
    });
    const rows = summarizeLayers({ topology: topologyOf(model) as never });
    expect(rows.map((row) => row.outputShape)).toEqual([[null, 4], [5], [2]]);
    expect(rows.at(-1)!.weights[0]!.shape).toEqual([5, 2]);
  });
});
