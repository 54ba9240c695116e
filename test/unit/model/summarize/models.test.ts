/** The summary of whole models: nested and shared ones, and their FLOPs. */
import { describe, expect, it } from 'vitest';
import { summarizeLayers } from '../../../../daemon/model/layers/summarizeLayers.js';
import { normaliseTopology } from '../../../../daemon/model/normalise/normalise.js';
import { tfl } from '../tfjs.js';
import { expectAsTfjs, topologyOf } from './againstTfjs.js';

const L = tfl.layers;
type Layer = tfl.layers.Layer;

describe('whole models', () => {
  const encoder = (): tfl.LayersModel => {
    const input = tfl.input({ shape: [8, 8, 2], name: 'image' });
    const conv = L.conv2d({ filters: 3, kernelSize: 3, name: 'inner_conv' }).apply(input);
    return tfl.model({ inputs: input, outputs: L.flatten({ name: 'inner_flatten' }).apply(conv) as tfl.SymbolicTensor, name: 'encoder' });
  };

  it('nested models are flattened and shared ones counted per call', async () => {
    const shared = encoder();
    const [a, b] = [tfl.input({ shape: [8, 8, 2] }), tfl.input({ shape: [8, 8, 2] })];
    const merged = L.concatenate().apply([shared.apply(a), shared.apply(b)] as tfl.SymbolicTensor[]);
    const model = tfl.model({ inputs: [a, b], outputs: L.dense({ units: 4 }).apply(merged) as tfl.SymbolicTensor });
    await expectAsTfjs(model);
    const rows = summarizeLayers({ topology: normaliseTopology(topologyOf(model), 'm', false).topology });
    const conv = rows.find((row) => row.name === 'encoder/inner_conv')!;
    expect(conv.outputShape).toEqual([6, 6, 3]);
    // 3*3*2*3 weights, 36 positions, 2 FLOPs, two calls.
    expect(conv.flops).toBe(54 * 36 * 2 * 2);
    expect(conv.flopsPerWeight).toBe(144);
  });

  it('a Sequential inside a Sequential, and a model over time', async () => {
    const inner = tfl.sequential({ name: 'inner', layers: [L.dense({ units: 5, inputShape: [4], name: 'inner_a' }), L.dense({ units: 3, name: 'inner_b' })] });
    await expectAsTfjs(tfl.sequential({ layers: [inner as unknown as Layer, L.dense({ units: 2 })] }));
    const over = tfl.sequential({ name: 'over', layers: [L.dense({ units: 5, inputShape: [4], name: 'over_a' })] });
    await expectAsTfjs(tfl.sequential({ layers: [L.timeDistributed({ layer: over as unknown as Layer, inputShape: [7, 4] })] }));
  });

  it('FLOPs by hand', () => {
    const model = tfl.sequential({
      layers: [
        L.conv2d({ filters: 20, kernelSize: 5, inputShape: [28, 28, 1] }),
        L.maxPooling2d({ poolSize: 2 }),
        L.depthwiseConv2d({ kernelSize: 3 }),
        L.flatten(),
        L.dense({ units: 10 }),
      ],
    });
    const rows = summarizeLayers({ topology: topologyOf(model) as never });
    expect(rows.map((row) => row.flops)).toEqual([2 * 500 * 576, 0, 2 * 180 * 100, 0, 2 * 20000]);
    expect(rows.map((row) => row.prunable)).toEqual([500, 0, 180, 0, 20000]);
    expect(rows[0]!.flopsPerWeight).toBe(2 * 24 * 24);
  });
}); // prettier-ignore
