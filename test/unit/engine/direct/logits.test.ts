import { describe, expect, it } from 'vitest';
import { withoutOutputActivation } from '../../../../daemon/engine/direct/logits.js';

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
    expect(activations(withoutOutputActivation(topology, 'softmax'))).toEqual(['softmax', 'linear']);
    expect(activations(topology)).toEqual(['softmax', 'softmax']);
  });

  it('is taken off Activation and Softmax layers', () => {
    const activation = { class_name: 'Activation', config: { name: 's', activation: 'softmax' } };
    const softmax = { class_name: 'Softmax', config: { name: 's', axis: -1 } };
    for (const last of [activation, softmax]) {
      const changed = withoutOutputActivation(sequential(dense('a', 'relu'), last), 'softmax');
      expect(changed!.config).toMatchObject({
        layers: [{}, { class_name: 'Activation', config: { activation: 'linear' } }],
      });
    }
    const otherAxis = { class_name: 'Softmax', config: { name: 's', axis: 1 } };
    expect(withoutOutputActivation(sequential(dense('a', 'relu'), otherAxis), 'softmax')).toBeNull();
  });

  it('is found by the name of the output in a functional model, whatever the order', () => {
    const layers = [dense('out', 'softmax', 'x'), dense('x', 'relu')];
    expect(activations(withoutOutputActivation(functional(layers, [['out', 0, 0]]), 'softmax'))).toEqual([
      'linear',
      'relu',
    ]);
    expect(activations(withoutOutputActivation(functional(layers, ['out', 0, 0]), 'softmax'))).toEqual([
      'linear',
      'relu',
    ]);
    const two = [dense('a', 'sigmoid', 'x'), dense('b', 'sigmoid', 'x')];
    const outputs = [
      ['a', 0, 0],
      ['b', 0, 0],
    ];
    expect(activations(withoutOutputActivation(functional(two, outputs), 'sigmoid', 'b'))).toEqual([
      'sigmoid',
      'linear',
    ]);
  });

  it('stays where another layer reads it, where it is another one, where there is none', () => {
    const read = [dense('out', 'softmax', 'x'), dense('y', 'relu', 'out')];
    expect(withoutOutputActivation(functional(read, [['out', 0, 0]]), 'softmax')).toBeNull();
    expect(withoutOutputActivation(sequential(dense('a', 'sigmoid')), 'softmax')).toBeNull();
    expect(withoutOutputActivation(sequential({ class_name: 'Flatten', config: { name: 'f' } }), 'softmax')).toBeNull();
  });

  it('is taken off the inner output of a nested model', () => {
    const nested = sequential(dense('a', 'relu'), sequential(dense('b', 'relu'), dense('c', 'softmax')));
    const changed = withoutOutputActivation(nested, 'softmax');
    expect(JSON.stringify(changed)).not.toContain('softmax');
    expect(JSON.stringify(nested)).toContain('softmax');
  });
});
