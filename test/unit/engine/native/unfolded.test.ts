import { describe, expect, it } from 'vitest';
import { encode } from '../../../../daemon/engine/native/encode.js';
import { GraphBuilder } from '../../../../daemon/network/builder.js';

interface Layer {
  readonly batch: number;
  readonly side: number;
  readonly c: number;
  readonly f: number;
  readonly k: number;
  readonly stride?: number;
}

/** What the program does for a convolution that keeps its images' size, or halves it, and for both gradients. */
function operations({ batch, side, c, f, k, stride = 1 }: Layer): string[] {
  const graph = new GraphBuilder();
  const [before, out] = [k >> 1, side / stride];
  const attrs = { strides: [stride, stride], dilations: [1, 1], pads: [before, before, before, before] };
  const [images, filter, results] = [[batch, side, side, c], [k, k, c, f], [batch, out, out, f]] as const; // prettier-ignore
  const [x, w, dy] = [images, filter, results].map((shape, i) => graph.input([...shape], { role: 'parameter', name: `p${i}` })); // prettier-ignore
  const nodes = [
    graph.add({ op: 'Conv2D', inputs: [x!, w!], attrs, shape: [...results] }),
    graph.add({ op: 'Conv2DBackpropInput', inputs: [dy!, w!], attrs, shape: [...images] }),
    graph.add({ op: 'Conv2DBackpropFilter', inputs: [x!, dy!], attrs, shape: [...filter] }),
  ];
  const finished = graph.finish(nodes.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
  return encode(finished).operations.map(({ words }) => words);
}

describe('the choice of products for large filters', () => {
  const padding = (name: string) => [`${name}: padding`, `${name}: padding`];

  it('falls on the layers of ResNet-18 that have no tiles', () => {
    const [y, dx, dw] = ['convolution 8x7x7x512 * 3x3x512x512', 'its input gradient 8x7x7x512 * 3x3x512x512', 'its filter gradient 8x7x7x512 -> 3x3x512x512'] as const; // prettier-ignore
    expect(operations({ batch: 8, side: 7, c: 512, f: 512, k: 3 })).toEqual([
      ...padding(y), `${y}: unfolding`, y,
      ...padding(dx), `${dx}: unfolding`, ...new Array<string>(9).fill(`${dx}: turning`), dx,
      ...padding(dw), `${dw}: unfolding`, dw,
    ]); // prettier-ignore
    expect(operations({ batch: 8, side: 14, c: 256, f: 256, k: 3 })).toEqual([
      'convolution 8x14x14x256 * 3x3x256x256: padding',
      'convolution 8x14x14x256 * 3x3x256x256: padding',
      expect.stringContaining('unfolding'),
      'convolution 8x14x14x256 * 3x3x256x256',
      ...new Array<unknown>(13).fill(expect.stringContaining('input')),
      'its filter gradient 8x14x14x256 -> 3x3x256x256',
    ]);
  });

  it('copies nothing for a gradient of single pixels', () => {
    expect(operations({ batch: 8, side: 14, c: 96, f: 576, k: 1 })).toEqual([
      'convolution 8x14x14x96 * 1x1x96x576',
      'its input gradient 8x14x14x576 * 1x1x96x576',
      'its filter gradient 8x14x14x96 -> 1x1x96x576',
    ]);
  });

  it('spreads the gradient of images with strides directly', () => {
    const names = operations({ batch: 8, side: 14, c: 256, f: 512, k: 3, stride: 2 });
    expect(names.filter((name) => name.startsWith('its input gradient'))).toHaveLength(1);
    expect(names.filter((name) => name.includes(': unfolding'))).toHaveLength(2);
  });

  it('falls on the gradient of a large filter whatever the batch, as long as its rows take less than sums in parts', () => {
    const layer = { side: 7, c: 512, f: 512, k: 3 };
    const unfolded = (batch: number) => operations({ ...layer, batch }).some((name) => /^its filter .*: unfolding/.test(name)); // prettier-ignore
    expect([1, 2, 64, 160].map(unfolded)).toEqual([true, true, true, true]);
    expect(unfolded(200)).toBe(false);
  });

  it('does not fall on small filters, on few results, on rows that take too much memory, or on what has tiles', () => {
    for (const layer of [
      { batch: 8, side: 14, c: 128, f: 256, k: 3, stride: 2 },
      { batch: 1, side: 7, c: 256, f: 256, k: 3 },
      { batch: 64, side: 14, c: 256, f: 256, k: 3 },
      { batch: 8, side: 28, c: 128, f: 128, k: 3 },
    ])
      expect(operations(layer)).toHaveLength(3);
  });
});
