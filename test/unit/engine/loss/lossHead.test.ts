import { describe, expect, it } from 'vitest';
import { withoutHead, withoutHeads } from '../../../../daemon/engine/loss/lossHead.js';

const dense = (name: string, activation: string, inbound?: string) => ({
  class_name: 'Dense',
  config: { name, units: 2, activation },
  name,
  ...(inbound ? { inbound_nodes: [[[inbound, 0, 0, {}]]] } : {}),
});
const sequential = (...layers: object[]) => ({ class_name: 'Sequential', config: { name: 'm', layers } });
const functional = (layers: object[], outputs: unknown) => ({
  class_name: 'Model',
  config: { name: 'm', layers, output_layers: outputs },
});
const activations = (topology: { config: unknown } | null) =>
  (topology?.config as { layers: { config: { activation?: string } }[] } | undefined)?.layers.map(
    (l) => l.config.activation,
  );

describe('output activation', () => {
  it('is taken off the last layer of a Sequential, and off that one only', () => {
    const topology = sequential(dense('a', 'softmax'), dense('b', 'softmax'));
    expect(activations(withoutHead(topology, 'softmax', 'b'))).toEqual(['softmax', 'linear']);
    expect(activations(topology)).toEqual(['softmax', 'softmax']);
  });

  it('is taken off Activation and Softmax layers', () => {
    const activation = { class_name: 'Activation', config: { name: 's', activation: 'softmax' } };
    const softmax = { class_name: 'Softmax', config: { name: 's', axis: -1 } };
    for (const last of [activation, softmax]) {
      const changed = withoutHead(sequential(dense('a', 'relu'), last), 'softmax', 's');
      expect(changed!.config).toMatchObject({
        layers: [{}, { class_name: 'Activation', config: { activation: 'linear' } }],
      });
    }
    // TensorFlow.js throws on entries that are undefined.
    const bare = withoutHead(sequential(dense('a', 'relu'), softmax), 'softmax', 's');
    expect(bare!.config).toStrictEqual(JSON.parse(JSON.stringify(bare!.config)));
    const otherAxis = { class_name: 'Softmax', config: { name: 's', axis: 1 } };
    expect(withoutHead(sequential(dense('a', 'relu'), otherAxis), 'softmax', 's')).toBeNull();
  });

  it('is found by the name of the output in a functional model, whatever the order', () => {
    const layers = [dense('out', 'softmax', 'x'), dense('x', 'relu')];
    expect(activations(withoutHead(functional(layers, [['out', 0, 0]]), 'softmax', 'out'))).toEqual(['linear', 'relu']);
    const two = [dense('a', 'sigmoid', 'x'), dense('b', 'sigmoid', 'x')];
    const outputs = [
      ['a', 0, 0],
      ['b', 0, 0],
    ];
    expect(activations(withoutHead(functional(two, outputs), 'sigmoid', 'b'))).toEqual(['sigmoid', 'linear']);
  });

  it('stays where it is another one, where there is none, and where the layer is called twice', () => {
    expect(withoutHead(sequential(dense('a', 'sigmoid')), 'softmax', 'a')).toBeNull();
    expect(withoutHead(sequential({ class_name: 'Flatten', config: { name: 'f' } }), 'softmax', 'f')).toBeNull();
    const twice = { ...dense('a', 'softmax'), inbound_nodes: [[['x', 0, 0, {}]], [['y', 0, 0, {}]]] };
    expect(withoutHead(functional([twice], [['a', 0, 0]]), 'softmax', 'a')).toBeNull();
  });

  it('stays in a recurrent layer, where it acts at each step', () => {
    const cell = { class_name: 'SimpleRNN', config: { name: 'r', units: 2, activation: 'softmax' } };
    expect(withoutHead(sequential(cell), 'softmax', 'r')).toBeNull();
  });

  it('stays where another layer reads it and several outputs are computed; a single one loses it', () => {
    const read = functional([dense('out', 'softmax', 'x'), dense('y', 'softmax', 'out')], []);
    const loss = 'categoricalCrossentropy' as const;
    const [out, y] = ['out', 'y'].map((path) => ({ path, loss }));
    expect(withoutHeads(read, [out!, y!]).heads).toEqual(['none', 'softmax']);
    expect(activations(withoutHeads(read, [out!, y!]).topology)).toEqual(['softmax', 'linear']);
    expect(activations(withoutHeads(read, [out!]).topology)).toEqual(['linear', 'softmax']);
    const logits = { ...y!, fromLogits: true };
    expect(withoutHeads(read, [logits])).toEqual({ topology: read, heads: ['softmax'] });
  });

  it('is taken off the inner output of a nested model', () => {
    const nested = sequential(dense('a', 'relu'), {
      ...sequential(dense('b', 'relu'), dense('c', 'softmax')),
      config: { name: 'inner', layers: [dense('b', 'relu'), dense('c', 'softmax')] },
    });
    const changed = withoutHead(nested, 'softmax', 'inner/c');
    expect(JSON.stringify(changed)).not.toContain('softmax');
    expect(JSON.stringify(nested)).toContain('softmax');
  });
});
