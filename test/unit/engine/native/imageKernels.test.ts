/** Native kernels against plain float64 loops, one graph node at a time: convolutions, their gradients and poolings. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
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

describe.each(levels)('native kernels with %s', (name) => {
  beforeAll(() => useLevel(name));

  it('convolve, and give both gradients, for any window, stride and padding', async () => {
    for (let trial = 0; trial < 25; trial++) {
      const [batch, c, f] = [between(1, 18), between(1, 17), between(1, 35)];
      const [kh, kw] = [between(1, 5), between(1, 5)];
      // As in TensorFlow, strides and dilations exclude each other.
      const dilations = trial % 3 === 0 ? ([between(1, 3), between(1, 3)] as const) : ([1, 1] as const);
      const strides = trial % 3 === 0 ? ([1, 1] as const) : ([between(1, 3), between(1, 3)] as const);
      const pads = [random.below(kh), random.below(kw), random.below(kh), random.below(kw)] as const;
      const [spanH, spanW] = [(kh - 1) * dilations[0] + 1, (kw - 1) * dilations[1] + 1];
      const [h, w] = [between(spanH, 12), between(spanW, 12)].map((n, i) => Math.max(n, [spanH, spanW][i]!)) as [number, number]; // prettier-ignore
      const [oh, ow] = [
        Math.floor((h + pads[0] + pads[2] - spanH) / strides[0]) + 1,
        Math.floor((w + pads[1] + pads[3] - spanW) / strides[1]) + 1,
      ];
      const attrs = { strides: [...strides], dilations: [...dilations], pads: [...pads] };
      const [x, filter, dy] = [
        normal(batch * h * w * c),
        normal(kh * kw * c * f),
        normal(batch * oh * ow * f),
      ] as const;
      const shapes = { x: [batch, h, w, c], filter: [kh, kw, c, f], y: [batch, oh, ow, f] } as const;
      const { y, dx } = convolutionOf(shapes.x, shapes.filter, shapes.y, attrs, { x, filter, dy });
      const scale = Math.sqrt(kh * kw * c);
      const forward = { op: 'Conv2D', shapes: [shapes.x, shapes.filter], attrs, shape: shapes.y } as const;
      expectClose(await computeNode(forward, [x, filter]), y, scale);
      const input = { op: 'Conv2DBackpropInput', shapes: [shapes.y, shapes.filter], attrs, shape: shapes.x } as const;
      expectClose(await computeNode(input, [dy, filter]), dx, Math.sqrt(kh * kw * f));
      const [gradient, bias] = await compute([shapes.x, shapes.y], [x, dy], (graph, [image, given]) => {
        const through = gradientOf(graph, given!, shapes.y);
        const inputs = [image!, through.dy];
        return [graph.add({ op: 'Conv2DBackpropFilter', inputs, attrs, shape: shapes.filter }), through.sum];
      });
      const minus = dy.map((v) => -Math.abs(v));
      const { dw, db } = convolutionOf(shapes.x, shapes.filter, shapes.y, attrs, { x, filter, dy: minus });
      expectClose(gradient!, dw, Math.sqrt(batch * oh * ow));
      expectClose(bias!, db, Math.sqrt(batch * oh * ow));
    }
  }, 120_000);

  it("convolve in Winograd's tiles, and give both gradients, for filters of 3x3 and 5x5", async () => {
    for (let trial = 0; trial < 10; trial++) {
      const k = trial % 2 === 0 ? 3 : 5;
      const [batch, c, f] = [between(1, 40), between(12, 37), between(12, 55)];
      const pads = [0, 0, 0, 0].map(() => random.below(k));
      // Tiles reach over the edge on both axes, and are nearly full.
      const [oh, ow] = k === 3 ? [between(11, 13), between(8, 12)] : [between(7, 10), between(5, 8)];
      const [h, w] = [oh + k - 1 - pads[0]! - pads[2]!, ow + k - 1 - pads[1]! - pads[3]!];
      const attrs = { strides: [1, 1], dilations: [1, 1], pads };
      const shapes = { x: [batch, h, w, c], filter: [k, k, c, f], y: [batch, oh, ow, f] } as const;
      const [x, filter, given, bias] = [normal(batch * h * w * c), normal(k * k * c * f), normal(batch * oh * ow * f), normal(f)] as const; // prettier-ignore
      const dy = given.map((v) => -Math.abs(v));
      const expected = convolutionOf(shapes.x, shapes.filter, shapes.y, attrs, { x, filter, dy });
      const tolerance = 1.5e-5;
      const input = { op: 'Conv2DBackpropInput', shapes: [shapes.y, shapes.filter], attrs, shape: shapes.x } as const;
      expectClose(await computeNode(input, [dy, filter]), expected.dx, Math.sqrt(k * k * f), tolerance);
      const [dw, db] = await compute([shapes.x, shapes.y], [x, given], (graph, [image, gradient]) => {
        const through = gradientOf(graph, gradient!, shapes.y);
        const inputs = [image!, through.dy];
        return [graph.add({ op: 'Conv2DBackpropFilter', inputs, attrs, shape: shapes.filter }), through.sum];
      });
      const scale = Math.sqrt(batch * oh * ow);
      expectClose(dw!, expected.dw, scale, tolerance);
      expectClose(db!, expected.db, scale);
      // Bias, ReLU and pooling are fused.
      const pooled = [batch, oh >> 1, ow >> 1, f];
      const [y, maxima] = await compute([shapes.x, shapes.filter, [f]], [x, filter, bias], (graph, [image, taps, shift]) => {
        const convolved = () => graph.add({ op: 'Add', inputs: [graph.add({ op: 'Conv2D', inputs: [image!, taps!], attrs, shape: shapes.y }), shift!], shape: shapes.y });
        const pool = { window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };
        return [graph.add({ op: 'Relu', inputs: [convolved()], shape: shapes.y }), graph.add({ op: 'MaxPool', inputs: [convolved()], attrs: pool, shape: pooled })];
      }); // prettier-ignore
      const shifted = expected.y.map((v, i) => v + bias[i % f]!);
      expectClose(y!, shifted.map((v) => Math.max(v, 0)), Math.sqrt(k * k * c), tolerance); // prettier-ignore
      const maximum = new Float64Array(sizeOf(pooled)).fill(-Infinity);
      shifted.forEach((v, i) => {
        const [px, py] = [Math.floor(i / f) % ow, Math.floor(i / f / ow) % oh];
        const at = ((Math.floor(i / f / ow / oh) * (oh >> 1) + (py >> 1)) * (ow >> 1) + (px >> 1)) * f + (i % f);
        if (py >> 1 < oh >> 1 && px >> 1 < ow >> 1) maximum[at] = Math.max(maximum[at]!, v);
      });
      expectClose(maxima!, maximum, Math.sqrt(k * k * c), tolerance);
    }
  }, 120_000);

  it('convolve depthwise, and give both gradients, for any window, stride, dilation and padding', async () => {
    for (let trial = 0; trial < 15; trial++) {
      const [batch, c, multiplier] = [between(1, 18), between(1, 19), between(1, 3)];
      const f = c * multiplier;
      const [kh, kw] = [between(1, 4), between(1, 4)];
      const dilation = trial % 3 === 0 ? 2 : 1;
      const stride = dilation > 1 ? 1 : between(1, 3);
      const pads = [random.below(kh), random.below(kw), random.below(kh), random.below(kw)];
      const span = [(kh - 1) * dilation + 1, (kw - 1) * dilation + 1];
      const [h, w] = [between(span[0]!, span[0]! + 4), between(span[1]!, span[1]! + 4)];
      const oh = Math.floor((h + pads[0]! + pads[2]! - span[0]!) / stride) + 1;
      const ow = Math.floor((w + pads[1]! + pads[3]! - span[1]!) / stride) + 1;
      const attrs = { strides: [stride, stride], dilations: [dilation, dilation], pads };
      await compareDepthwise([batch, h, w, c], [kh, kw, c, multiplier], [batch, oh, ow, f], attrs);
    }
  });

  /** Pools values of few kinds by the definition, in float64, and compares result and gradient. */
  async function comparePooling(
    [batch, h, w, c]: readonly [number, number, number, number],
    [window, strides, pads]: readonly [readonly number[], readonly number[], readonly number[]],
  ): Promise<void> {
    const size = (n: number, axis: 0 | 1) =>
      Math.floor((n + pads[axis]! + pads[axis + 2]! - window[axis]!) / strides[axis]!) + 1;
    const [oh, ow] = [size(h, 0), size(w, 1)];
    // Few distinct values, all negative: ties everywhere, and no zero to hide behind.
    const x = Float32Array.from({ length: batch * h * w * c }, () => -1 - random.below(3));
    const dy = normal(batch * oh * ow * c);
    const attrs = { window: [...window], strides: [...strides], pads };
    const [inShape, outShape] = [
      [batch, h, w, c],
      [batch, oh, ow, c],
    ];
    const [y, dx] = await compute([inShape, outShape], [x, dy], (graph, [image, gradient]) => {
      const pooled = graph.add({ op: 'MaxPool', inputs: [image!], attrs, shape: outShape });
      return [pooled, graph.add({ op: 'MaxPoolGrad', inputs: [gradient!, image!, pooled], attrs, shape: inShape })];
    });
    const expected = { y: new Float64Array(dy.length).fill(-Infinity), dx: new Float64Array(x.length) };
    dy.forEach((g, out) => {
      const [i, ox, oy, b] = [
        out % c,
        Math.floor(out / c) % ow,
        Math.floor(out / c / ow) % oh,
        Math.floor(out / c / ow / oh),
      ];
      let place = -1;
      for (let ky = 0; ky < window[0]!; ky++)
        for (let kx = 0; kx < window[1]!; kx++) {
          const [py, px] = [oy * strides[0]! + ky - pads[0]!, ox * strides[1]! + kx - pads[1]!];
          if (py < 0 || py >= h || px < 0 || px >= w) continue;
          const at = ((b * h + py) * w + px) * c + i;
          if (x[at]! > expected.y[out]!) [expected.y[out], place] = [x[at]!, at];
        }
      expected.dx[place]! += g;
    });
    expectClose(y!, expected.y);
    expectClose(dx!, expected.dx);
  }

  it('pool maxima and send the gradient to the first of equal ones, for any window and stride', async () => {
    for (let trial = 0; trial < 40; trial++) {
      const [batch, c] = [between(1, 4), between(1, 27)];
      const [window, strides] = [
        [between(1, 3), between(1, 3)],
        [between(1, 3), between(1, 3)],
      ] as const;
      const [h, w] = [between(window[0]!, 9), between(window[1]!, 9)];
      // Windows must reach the image.
      const pads = trial % 2 === 0 ? [0, 0, 0, 0] : [0, 1, 0, 1].map((axis) => random.below(window[axis]!));
      await comparePooling([batch, h, w, c], [window, strides, pads]);
    }
  });

  it.each<[string, [number, number, number, number], number[], number[], number[]]>([
    ['of 256 pixels', [2, 16, 16, 17], [16, 16], [1, 1], [0, 0, 0, 0]],
    ['of 272 pixels', [2, 16, 17, 17], [16, 17], [1, 1], [0, 0, 0, 0]],
    ['of 400 pixels, apart', [3, 40, 20, 16], [20, 20], [20, 20], [0, 0, 0, 0]],
    ['of 400 pixels, overlapping', [1, 25, 23, 9], [20, 20], [2, 1], [0, 0, 0, 0]],
    ['of 441 pixels, over the edge', [2, 22, 23, 5], [21, 21], [3, 2], [10, 9, 10, 11]],
    ['of 9 pixels, over the edge and overlapping', [2, 13, 15, 32], [3, 3], [2, 2], [1, 1, 1, 1]],
    ['of 9 pixels, over the edge and apart', [2, 13, 15, 16], [3, 3], [3, 3], [1, 2, 1, 2]],
    ['of 35 pixels, overlapping', [1, 13, 15, 16], [5, 7], [2, 2], [2, 3, 2, 3]],
    ['of a whole image', [2, 28, 28, 33], [28, 28], [1, 1], [0, 0, 0, 0]],
    ['of a whole sequence', [4, 300, 1, 8], [300, 1], [300, 1], [0, 0, 0, 0]],
  ])('find the maxima of windows %s, and send the gradient there', async (_, image, window, strides, pads) => {
    await comparePooling(image, [window, strides, pads]);
  });

  it.each([
    ['directly', 5, 7],
    ["in Winograd's tiles", 20, 17],
  ])('give the same bits on one thread and on several: convolution %s', async (_, c, f) => {
    const [shape, result, filter] = [[40, 9, 9, c], [40, 9, 9, f], [3, 3, c, f]]; // prettier-ignore
    const attrs = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
    const values = [normal(sizeOf(shape!)), normal(sizeOf(result!)), normal(sizeOf(filter!))];
    const run = (threads: number) =>
      compute([shape!, result!, filter!], values, (graph, [x, dy, taps]) => [
        graph.add({ op: 'Conv2D', inputs: [x!, taps!], attrs, shape: result! }),
        graph.add({ op: 'Conv2DBackpropInput', inputs: [dy!, taps!], attrs, shape: shape! }),
        graph.add({ op: 'Conv2DBackpropFilter', inputs: [x!, dy!], attrs, shape: filter! }),
        graph.add({ op: 'Sum', inputs: [graph.add({ op: 'Exp', inputs: [x!], shape: shape! })], attrs: { axes: [0, 1, 2], keepDims: false }, shape: [c] }),
      ], threads); // prettier-ignore
    const bits = (results: readonly Float32Array[]) => Buffer.concat(results.map(({ buffer }) => Buffer.from(buffer)));
    const one = bits(await run(1));
    for (const threads of [2, 3, 5]) expect(bits(await run(threads)).equals(one)).toBe(true);
  });
});
