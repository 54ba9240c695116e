/** The table of operations and the picture of the network: which units there are, and why they stay. */
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import { frontEndOf } from '../../../../daemon/model/frontEnds/frontEndOf.js';
import { layerViews } from '../../../../daemon/model/layers/layerViews.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';

const NEURONS = { neurons: 1 } as const;
const fixtures = resolve('test/fixtures/onnx');
const open = (name: string) => readModel(join(fixtures, `${name}.onnx`), { workspace: fixtures });

describe('a CNN with BatchNorm and a residual addition', () => {
  it('groups filters with their BatchNorm, and those that the addition ties', async () => {
    const weights = new Map(summarizeModel(await open('mnist-cnn')).flatMap((row) => row.weights.map((one) => [one.name, one] as const)));
    const first = weights.get('c1.weight')!.groups!;
    expect(new Set(first).size).toBe(8);
    for (const name of ['c1.bias', 'b1.weight', 'b1.bias']) expect(weights.get(name)!.groups, name).toEqual(first);
    // Statistics are not trained: they need not be 0 for a filter to go.
    expect(weights.get('b1.running_mean')!.groups).toBeUndefined();
    expect(weights.get('c3.weight')!.groups).toEqual(weights.get('c2.weight')!.groups);
    expect(weights.get('fc.weight')!.groups).toEqual(new Array(10).fill(-1));
  }); // prettier-ignore

  it('says what goes together through which addition, and what stays for the output', async () => {
    const links = frontEndOf(await open('mnist-cnn')).links();
    expect(links.get('c1')!.units).toEqual({ count: 8, staying: 0, causes: [], goWith: [], tiedBy: [] });
    expect(links.get('c2')!.units).toEqual({ count: 16, staying: 0, causes: [], goWith: ['c3'], tiedBy: ['/Add'] });
    expect(links.get('fc')!.units).toMatchObject({ count: 10, staying: 10, causes: [{ why: 'output', layer: null }] });
    expect(links.get('/Relu')!.units).toBeNull();
    expect(links.get('c2')!.reads).toEqual(['/MaxPool']);
  });

  it('gives a budget of neurons kernels with the vectors that go along', async () => {
    const layers = summarizeModel(await open('mnist-cnn'));
    const views = layerViews(layers, ['c1', 'c2', 'c3', 'fc'], NEURONS);
    expect(views[0]!.weights).toEqual(['c1.weight', 'c1.bias', 'b1.weight', 'b1.bias']);
    expect(views[0]!.view).toMatchObject({ units: 8, unitVectors: 3, size: 72 });
  });
});

it('a depthwise filter that is not pruned keeps no channel: it maps 0 to 0', async () => {
  const all = summarizeModel(await open('zoo/depthwise.eval')).flatMap(({ weights }) => weights);
  expect(all.filter(({ keepsZero }) => keepsZero).map(({ name, unitAxes }) => [name, unitAxes])).toEqual([['dw.weight', [2, 4]]]); // prettier-ignore
  expect(all.find(({ name }) => name === 'up.weight')!.unitAxes).toEqual([2, 3]);
  const row = (name: string, keepsZero: boolean) => ({
    name,
    className: 'Conv',
    outputShape: null,
    weights: [{ name: `${name}.weight`, shape: [1, 2], size: 2, prunable: true, trainable: true, groups: [0, 1], ...(keepsZero && { keepsZero: true as const }) }],
    params: 2,
    prunable: 2,
    flops: 4,
    flopsPerWeight: 2,
  }); // prettier-ignore
  const groupsBeside = (keepsZero: boolean) => layerViews([row('a', false), row('dw', keepsZero)], ['a'], NEURONS)[0]!.view.groups; // prettier-ignore
  expect(groupsBeside(true)).toEqual([0, 1]);
  expect(groupsBeside(false)).toEqual([-1, -1]);
});

it('what LayerNorm takes a mean over stays, with the operation that does', async () => {
  const links = frontEndOf(await open('zoo/transformer.eval.fixed')).links();
  const stays = [...links.values()].flatMap(({ units }) => units?.causes ?? []);
  expect(stays).toContainEqual({ why: 'mixes', layer: expect.stringMatching(/norm1\/ReduceMean|norm1/) as string });
  const mlp = [...links].flatMap(([name, { units }]) => (name.includes('linear1') && units ? [units] : []));
  expect(mlp.length).toBeGreaterThan(0);
  for (const { staying } of mlp) expect(staying).toBe(0);
});
