/** Native kernels where sizes select another way of computing: wide images, large filters, small batches of large networks. */
import { beforeAll, describe, it } from 'vitest';
import {
  between,
  compareDepthwise,
  compute,
  computeNode,
  convolutionOf,
  expectClose,
  gradientOf,
  levels,
  normal,
  random,
  useLevel,
} from './kernelCases.js';

interface Sizes {
  readonly batch: number;
  readonly c: number;
  readonly f: number;
  readonly k: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly oh: number;
  readonly ow: number;
  readonly pad: number;
}

/** A convolution with a bias, and its gradients, beside the definition. */
async function compareConvolution(sizes: Sizes, tolerance: number): Promise<void> {
  const { batch, c, f, k, stride = 1, dilation = 1, oh, ow, pad } = sizes;
  const side = (n: number) => (n - 1) * stride + (k - 1) * dilation + 1 - 2 * pad;
  const [h, w] = [side(oh), side(ow)];
  const attrs = { strides: [stride, stride], dilations: [dilation, dilation], pads: [pad, pad, pad, pad] };
  const shapes = { x: [batch, h, w, c], filter: [k, k, c, f], y: [batch, oh, ow, f] } as const;
  const [x, filter, given, bias] = [normal(batch * h * w * c), normal(k * k * c * f), normal(batch * oh * ow * f), normal(f)] as const; // prettier-ignore
  const dy = given.map((v) => -Math.abs(v));
  const expected = convolutionOf(shapes.x, shapes.filter, shapes.y, attrs, { x, filter, dy });
  const [y] = await compute([shapes.x, shapes.filter, [f]], [x, filter, bias], (graph, [image, taps, shift]) => {
    const convolved = graph.add({ op: 'Conv2D', inputs: [image!, taps!], attrs, shape: shapes.y });
    const shifted = graph.add({ op: 'Add', inputs: [convolved, shift!], shape: shapes.y });
    return [graph.add({ op: 'Relu', inputs: [shifted], shape: shapes.y })];
  });
  expectClose(y!, expected.y.map((v, i) => Math.max(v + bias[i % f]!, 0)), Math.sqrt(k * k * c), tolerance); // prettier-ignore
  const input = { op: 'Conv2DBackpropInput', shapes: [shapes.y, shapes.filter], attrs, shape: shapes.x } as const;
  const dx = await computeNode(input, [dy, filter]);
  expectClose(dx, expected.dx, Math.sqrt(k * k * f), tolerance);
  const [dw, db] = await compute([shapes.x, shapes.y], [x, given], (graph, [image, gradient]) => {
    const through = gradientOf(graph, gradient!, shapes.y);
    const inputs = [image!, through.dy];
    return [graph.add({ op: 'Conv2DBackpropFilter', inputs, attrs, shape: shapes.filter }), through.sum];
  });
  const scale = Math.sqrt(batch * oh * ow);
  expectClose(dw!, expected.dw, scale, tolerance);
  expectClose(db!, expected.db, scale);
}

describe.each(levels)('native kernels with %s, of large sizes,', (name) => {
  beforeAll(() => useLevel(name));

  it.each<[string, number, number, number]>([
    ['3x3', 3, 1, 1],
    ['3x3, stride 2', 3, 2, 1],
    ['5x5', 5, 1, 1],
    ['5x5, stride 2', 5, 2, 1],
    ['3x3, dilated', 3, 1, 3],
    ['2x2, stride 3', 2, 3, 1],
  ])('convolve depthwise by %s over strips, edges and neighbours', async (_, k, stride, dilation) => {
    for (let trial = 0; trial < 6; trial++) {
      const [batch, f] = [between(1, 3), [8, 16, 32, 21, 40, 5][trial]!];
      const span = (k - 1) * dilation + 1;
      const pads = [0, 0, 0, 0].map(() => random.below(k));
      const [h, w] = [between(span, 9), between(span, 70)];
      const [oh, ow] = [h + pads[0]! + pads[2]!, w + pads[1]! + pads[3]!].map((n) => Math.floor((n - span) / stride) + 1) as [number, number]; // prettier-ignore
      const attrs = { strides: [stride, stride], dilations: [dilation, dilation], pads };
      await compareDepthwise([batch, h, w, f], [k, k, f, 1], [batch, oh, ow, f], attrs);
    }
  });

  it('convolve as products of rows, for filters that no cache holds', async () => {
    // 524,288 weights, a gradient 1,048,576; 128 results.
    await compareConvolution({ batch: 8, c: 310, f: 380, k: 3, oh: 4, ow: 4, pad: 1 }, 3e-6);
    await compareConvolution({ batch: 3, c: 241, f: 256, k: 3, oh: 6, ow: 8, pad: 2 }, 3e-6);
    await compareConvolution({ batch: 5, c: 340, f: 360, k: 3, stride: 2, oh: 6, ow: 5, pad: 1 }, 3e-6);
    await compareConvolution({ batch: 2, c: 261, f: 264, k: 4, dilation: 2, oh: 9, ow: 8, pad: 2 }, 3e-6);
    await compareConvolution({ batch: 6, c: 736, f: 720, k: 1, oh: 5, ow: 5, pad: 0 }, 3e-6);
    await compareConvolution({ batch: 17, c: 149, f: 221, k: 1, oh: 3, ow: 3, pad: 0 }, 3e-6);
    await compareConvolution({ batch: 40, c: 736, f: 720, k: 1, stride: 3, oh: 2, ow: 2, pad: 0 }, 3e-6);
  }, 240_000);
});
