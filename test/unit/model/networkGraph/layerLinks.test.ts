/** The inputs of each layer, and its removable units, for networks small enough for hand calculation. */
import { expect, it, test } from 'vitest';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { layerLinks } from '../../../../daemon/model/networkGraph/layerLinks.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import { builtModel } from '../../export/builtModel.js';
import { tfl } from '../tfjs.js';

const L = tfl.layers;
type Symbolic = tfl.SymbolicTensor;
const conv = (name: string, filters = 4) => L.conv2d({ name, filters, kernelSize: 3, padding: 'same' });
const on = (x: Symbolic | Symbolic[], ...layers: tfl.layers.Layer[]): Symbolic =>
  layers.reduce((at, layer) => layer.apply(at) as Symbolic, x as Symbolic);

function network(shape: number[], build: (x: Symbolic) => Symbolic | Symbolic[]): LayersModel {
  const input = tfl.input({ shape, name: 'picture' });
  return builtModel(tfl.model({ inputs: input, outputs: build(input) }).toJSON(null, false) as object, false, 3);
}

const residual = () =>
  network([8, 8, 3], (x) => {
    const a = on(x, conv('a'), L.activation({ activation: 'relu', name: 'relu' }));
    const b = on(a, conv('b', 6), conv('c'));
    const sum = on([a, b], L.add({ name: 'sum' }));
    return on(sum, L.globalAveragePooling2d({ name: 'pool' }), L.dense({ units: 5, activation: 'softmax', name: 'answer' })); // prettier-ignore
  });

test('an addition ties its operands; the output stays; a layer in between can be removed alone', () => {
  const links = layerLinks(residual());
  expect(links.get('sum')).toEqual({ reads: ['relu', 'c'], units: null });
  expect(links.get('picture')).toEqual({ reads: [], units: null });
  expect(links.get('b')).toEqual({ reads: ['relu'], units: { count: 6, staying: 0, causes: [], goWith: [], tiedBy: [] } }); // prettier-ignore
  expect(links.get('a')!.units).toEqual({ count: 4, staying: 0, causes: [], goWith: ['c'], tiedBy: ['sum'] });
  expect(links.get('c')!.units).toEqual({ count: 4, staying: 0, causes: [], goWith: ['a'], tiedBy: ['sum'] });
  expect(links.get('answer')!.units).toEqual({
    count: 5,
    staying: 5,
    causes: [{ why: 'output', layer: null }],
    goWith: [],
    tiedBy: [],
  });
});

test('a concatenation leaves some units free, and those that the input needs stay; a unit of an LSTM is one of each gate', () => {
  const links = layerLinks(
    network([6, 3], (x) => {
      const free = on(x, L.conv1d({ name: 'free', filters: 2, kernelSize: 1 }));
      const bound = on(x, L.conv1d({ name: 'bound', filters: 3, kernelSize: 1 }));
      const sum = on([bound, x], L.add({ name: 'sum' }));
      return [
        on([free, sum], L.concatenate({ name: 'both' }), L.conv1d({ name: 'last', filters: 2, kernelSize: 1 })),
        on(
          free,
          L.conv1d({ name: 'before', filters: 4, kernelSize: 1 }),
          L.lstm({ units: 3, name: 'lstm' }),
          L.dense({ units: 2 }),
        ),
      ];
    }),
  );
  expect(links.get('free')!.units).toMatchObject({ count: 2, staying: 0, causes: [] });
  expect(links.get('bound')!.units).toMatchObject({ count: 3, staying: 3, causes: [{ why: 'input', layer: null }] });
  expect(links.get('before')!.units).toMatchObject({ count: 4, staying: 0, causes: [] });
  expect(links.get('lstm')!.units).toMatchObject({ count: 3, staying: 0, causes: [] });
  expect(links.get('both')).toEqual({ reads: ['free', 'sum'], units: null });
});

test('what a layer without operations reads stays, and so does what it makes', () => {
  const links = layerLinks(
    network([3, 4, 4, 2], (x) => {
      const frames = on(x, L.timeDistributed({ name: 'frames', layer: L.conv2d({ filters: 5, kernelSize: 1 }) }));
      const last = on(frames, L.convLstm2d({ name: 'mixing', filters: 3, kernelSize: 2 }) as never, L.flatten());
      return on(last, L.dense({ units: 2 }));
    }),
  );
  const causes = [{ why: 'mixes', layer: 'mixing' }];
  expect(links.get('frames')!.units).toMatchObject({ count: 5, staying: 5, causes });
  expect(links.get('mixing')!.units).toMatchObject({ count: 3, staying: 3, causes });
});

test('a layer that is used twice ties what it reads, and reads both', () => {
  const links = layerLinks(
    network([5], (x) => {
      const [a, b] = ['a', 'b'].map((name) => on(x, L.dense({ units: 4, name })));
      const shared = L.dense({ units: 3, name: 'shared' });
      return on([on(a!, shared), on(b!, shared)], L.add({ name: 'sum' }), L.dense({ units: 1, name: 'answer' }));
    }),
  );
  expect(links.get('shared')!.reads).toEqual(['a', 'b']);
  expect(links.get('a')!.units).toEqual({ count: 4, staying: 0, causes: [], goWith: ['b'], tiedBy: [] });
  expect(links.get('shared')!.units).toMatchObject({ count: 3, staying: 0 });
});

test('a layer with a size in its settings and no weights keeps what its calls read and make', () => {
  const links = layerLinks(
    network([5], (x) => {
      const square = L.reshape({ targetShape: [2, 3], name: 'square' });
      const [a, b] = ['a', 'b'].map((name) => on(x, L.dense({ units: 6, name }), square));
      return on([a!, b!], L.add({ name: 'sum' }), L.flatten(), L.dense({ units: 2, name: 'answer' }));
    }),
  );
  const causes = [{ why: 'shared', layer: 'square' }];
  expect(links.get('a')!.units).toMatchObject({ count: 6, staying: 6, causes });
});

test('a depthwise filter is removed with the filter whose output it reads', () => {
  const links = layerLinks(
    network([8, 8, 3], (x) =>
      on(x, conv('a'), L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, name: 'deep' }), conv('b', 2)),
    ),
  );
  expect(links.get('a')!.units).toMatchObject({ count: 4, staying: 0, goWith: ['deep'], tiedBy: [] });
  expect(links.get('deep')!.units).toMatchObject({ count: 4, staying: 0, goWith: ['a'] });
});

it.each(['lenet300', 'lenet5', 'resnet20'] as const)('%s: as many units stay as neuron budgets leave out', (name) => {
  const model = buildArchitecture(name, 0);
  const links = layerLinks(model);
  for (const { name: layer, weights } of summarizeModel(model)) {
    const groups = weights.find(({ prunable, groups }) => prunable && groups)?.groups;
    if (groups) expect(links.get(layer)!.units!.staying, layer).toBe(groups.filter((group) => group < 0).length);
  }
  expect([...links.values()].filter(({ units }) => units).length).toBeGreaterThan(2);
});
