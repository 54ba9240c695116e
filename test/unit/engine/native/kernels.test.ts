/** Native kernels against plain float64 loops, over random sizes and settings, one graph node at a time. */
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../../daemon/engine/graph/builder.js';
import { type Attributes, type Node, type Op } from '../../../../daemon/engine/graph/ir.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../../daemon/engine/native/units.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';

const found = loadAddon();
const levels = 'addon' in found ? found.addon.levels() : [];
/** The level under test. */
let level = '';
const random = createRandom(4);
const between = (low: number, high: number) => low + random.below(high - low + 1);
const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());

interface Case {
  readonly op: Op;
  readonly shapes: readonly (readonly number[])[];
  readonly attrs?: Attributes;
  readonly shape: readonly number[];
}

/** Runs one node, or what `build` makes of the inputs, on given values. */
async function compute(
  shapes: readonly (readonly number[])[],
  values: readonly Float32Array[],
  build: (graph: GraphBuilder, inputs: Node[]) => Node[],
  threads = 2,
): Promise<Float32Array[]> {
  if ('reason' in found) throw new Error(found.reason);
  const builder = new GraphBuilder();
  const nodes = shapes.map((shape, i) => builder.input(shape, { role: 'parameter', name: `p${i}` }));
  const outputs = build(builder, nodes);
  const graph = builder.finish(outputs.map((node, i) => ({ role: 'gradient', name: `p${i}`, node })));
  const buffers = graph.inputs.map((input) => values[nodes.indexOf(input.node)]!);
  const results = outputs.map((node) => new Float32Array(sizeOf(node.shape)).fill(NaN));
  const native = NativeGraph.create(found.addon, graph, buffers, results, { threads, level });
  await native.run();
  await native.release();
  return results;
}

async function computeNode(
  { op, shapes, attrs = {}, shape }: Case,
  values: readonly Float32Array[],
): Promise<Float32Array> {
  const [result] = await compute(shapes, values, (graph, inputs) => [graph.add({ op, inputs, attrs, shape })]);
  return result!;
}

function expectClose(actual: Float32Array, expected: Float64Array, scale = 1, tolerance = 3e-6): void {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce((w, x, i) => Math.max(w, Math.abs(x - actual[i]!) / (scale + Math.abs(x))), 0);
  expect(worst).toBeLessThan(tolerance);
}

/** A convolution by the definition, in float64: its result, and what a gradient dy of it gives. */
function convolutionOf(
  [batch, h, w, c]: readonly [number, number, number, number],
  [kh, kw, , f]: readonly [number, number, number, number],
  [, oh, ow]: readonly [number, number, number, number],
  { strides, dilations, pads }: Record<'strides' | 'dilations' | 'pads', readonly number[]>,
  { x, filter, dy }: Record<'x' | 'filter' | 'dy', Float32Array>,
) {
  const y = new Float64Array(dy.length);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(filter.length);
  const db = new Float64Array(f);
  for (let b = 0; b < batch; b++)
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++)
        for (let o = 0; o < f; o++) {
          const out = ((b * oh + oy) * ow + ox) * f + o;
          db[o]! += dy[out]!;
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const py = oy * strides[0]! + ky * dilations[0]! - pads[0]!;
              const px = ox * strides[1]! + kx * dilations[1]! - pads[1]!;
              if (py < 0 || py >= h || px < 0 || px >= w) continue;
              for (let i = 0; i < c; i++) {
                const [at, tap] = [((b * h + py) * w + px) * c + i, ((ky * kw + kx) * c + i) * f + o];
                y[out]! += x[at]! * filter[tap]!;
                dx[at]! += dy[out]! * filter[tap]!;
                dw[tap]! += dy[out]! * x[at]!;
              }
            }
        }
  return { y, dx, dw, db };
}

/** -|dy|: a tensor of the graph, as gradients are in training, and its sums, which are fused into the filter's gradient. */
function gradientOf(graph: GraphBuilder, given: Node, shape: readonly number[]) {
  const negative = graph.add({ op: 'Neg', inputs: [given], shape });
  const magnitude = graph.add({ op: 'Abs', inputs: [negative], shape });
  const dy = graph.add({ op: 'Neg', inputs: [magnitude], shape });
  const attrs = { axes: [0, 1, 2], keepDims: false };
  return { dy, sum: graph.add({ op: 'Sum', inputs: [dy], attrs, shape: [shape[3]!] }) };
}

describe.each(levels)('native kernels with %s', (name) => {
  beforeAll(() => {
    level = name;
  });

  it('multiply matrices of any size, transposed or not', async () => {
    for (let trial = 0; trial < 40; trial++) {
      const [m, k] = [
        trial % 5 === 0 ? between(64, 70) : between(1, 63),
        trial % 7 === 0 ? between(500, 1500) : between(1, 60),
      ];
      // Rows of B a page apart are copied first, if there are rows of A enough.
      const n = m >= 64 ? 256 : between(1, 90);
      const [transposeA, transposeB] = [random.below(2) === 1, random.below(2) === 1];
      const shapes = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
      const [a, b] = shapes.map((shape) => normal(sizeOf(shape))) as [Float32Array, Float32Array];
      const actual = await computeNode({ op: 'MatMul', shapes, attrs: { transposeA, transposeB }, shape: [m, n] }, [
        a,
        b,
      ]);
      const expected = new Float64Array(m * n);
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++)
          for (let l = 0; l < k; l++) {
            expected[i * n + j]! += a[transposeA ? l * m + i : i * k + l]! * b[transposeB ? j * k + l : l * n + j]!;
          }
      expectClose(actual, expected, Math.sqrt(k));
    }
  });

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

  it.each<[string, number[], number[], number[]]>([
    ['the same number of each', [3, 4, 5, 7], [3, 4, 7, 6], [3, 4, 5, 6]],
    ['one of the left side', [1, 5, 7], [4, 7, 3], [4, 5, 3]],
    ['leading axes that broadcast', [2, 1, 5, 7], [3, 7, 17], [2, 3, 5, 17]],
    ['a matrix for all, turned on the left', [3, 7, 5], [7, 2], [3, 5, 2]],
    ['vectors', [8, 1, 9], [8, 9, 1], [8, 1, 1]],
  ])('multiply batches of matrices: %s', async (name, a, b, shape) => {
    const plain = { transposeA: name.endsWith('left') && name.includes('turned'), transposeB: false };
    for (const transposeB of [false, true]) {
      const turnedB = transposeB ? [...b.slice(0, -2), b.at(-1)!, b.at(-2)!] : b;
      const [x, y] = [normal(sizeOf(a)), normal(sizeOf(b))] as const;
      const expected = new Float64Array(sizeOf(shape));
      const [m, n] = shape.slice(-2) as [number, number];
      const k = plain.transposeA ? a.at(-2)! : a.at(-1)!;
      /** Number of the matrix of a tensor at a place of the result's leading axes. */
      const matrixOf = (own: number[], place: number) => {
        let [at, step, left] = [0, 1, place];
        for (let axis = 1; axis <= shape.length - 2; axis++) {
          const [size, i] = [own.at(-2 - axis) ?? 1, left % shape.at(-2 - axis)!];
          left = Math.floor(left / shape.at(-2 - axis)!);
          at += step * (size === 1 ? 0 : i);
          step *= size;
        }
        return at;
      };
      expected.forEach((_, i) => {
        const [column, row, place] = [i % n, Math.floor(i / n) % m, Math.floor(i / n / m)];
        const [left, right] = [matrixOf(a, place) * m * k, matrixOf(b, place) * k * n];
        for (let l = 0; l < k; l++)
          expected[i]! +=
            x[left + (plain.transposeA ? l * m + row : row * k + l)]! *
            y[right + (transposeB ? column * k + l : l * n + column)]!;
      });
      const attrs = { ...plain, transposeB };
      expectClose(
        await computeNode({ op: 'MatMul', shapes: [a, turnedB], attrs, shape }, [x, y]),
        expected,
        Math.sqrt(k),
      );
    }
  });

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
      const [x, filter, dy] = [normal(batch * h * w * c), normal(kh * kw * f), normal(batch * oh * ow * f)] as const;
      const [y, dx, dw] = [dy, x, filter].map(({ length }) => new Float64Array(length)) as Float64Array[];
      for (let out = 0; out < dy.length; out++) {
        const [o, ox] = [out % f, Math.floor(out / f) % ow];
        const [oy, b] = [Math.floor(out / f / ow) % oh, Math.floor(out / f / ow / oh)];
        for (let ky = 0; ky < kh; ky++)
          for (let kx = 0; kx < kw; kx++) {
            const [py, px] = [oy * stride + ky * dilation - pads[0]!, ox * stride + kx * dilation - pads[1]!];
            if (py < 0 || py >= h || px < 0 || px >= w) continue;
            const [at, tap] = [((b * h + py) * w + px) * c + Math.floor(o / multiplier), (ky * kw + kx) * f + o];
            y![out]! += x[at]! * filter[tap]!;
            dx![at]! += dy[out]! * filter[tap]!;
            dw![tap]! += dy[out]! * x[at]!;
          }
      }
      const attrs = { strides: [stride, stride], dilations: [dilation, dilation], pads };
      const [image, taps, result] = [[batch, h, w, c], [kh, kw, c, multiplier], [batch, oh, ow, f]]; // prettier-ignore
      const forward = { op: 'DepthwiseConv2D', shapes: [image!, taps!], attrs, shape: result! } as const;
      expectClose(await computeNode(forward, [x, filter]), y!, Math.sqrt(kh * kw));
      const input = { op: 'DepthwiseConv2DBackpropInput', shapes: [result!, taps!], attrs, shape: image! } as const;
      expectClose(await computeNode(input, [dy, filter]), dx!, Math.sqrt(kh * kw * multiplier));
      const weights = { op: 'DepthwiseConv2DBackpropFilter', shapes: [image!, result!], attrs, shape: taps! } as const;
      expectClose(await computeNode(weights, [x, dy]), dw!, Math.sqrt(batch * oh * ow));
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
    ['of a whole image', [2, 28, 28, 33], [28, 28], [1, 1], [0, 0, 0, 0]],
    ['of a whole sequence', [4, 300, 1, 8], [300, 1], [300, 1], [0, 0, 0, 0]],
  ])('find the maxima of windows %s, and send the gradient there', async (_, image, window, strides, pads) => {
    await comparePooling(image, [window, strides, pads]);
  });

  it('compute every element-wise operation to float32 accuracy, over the whole range', async () => {
    const logistic = (x: number) => 1 / (1 + Math.exp(-x));
    const functions: [Op, (x: number) => number, ((x: number) => boolean)?, Attributes?][] = [
      ['Relu', (x) => Math.max(x, 0)],
      ['Relu6', (x) => Math.min(Math.max(x, 0), 6)],
      ['Elu', (x) => (x < 0 ? Math.expm1(x) : x)],
      ['Selu', (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x)],
      ['LeakyRelu', (x) => (x < 0 ? Math.fround(0.3) * x : x), () => true, { alpha: 0.3 }],
      ['Step', (x) => (x > 0 ? 1 : 0.25), () => true, { alpha: 0.25 }],
      ['ClipByValue', (x) => Math.min(Math.max(x, -2), 3), () => true, { min: -2, max: 3 }],
      ['Neg', (x) => -x],
      ['Abs', Math.abs],
      ['Sign', Math.sign],
      ['Floor', Math.floor],
      ['Square', (x) => x * x],
      ['Sqrt', Math.sqrt, (x) => x >= 0],
      ['Rsqrt', (x) => 1 / Math.sqrt(x), (x) => x > 1e-30],
      ['Reciprocal', (x) => 1 / x, (x) => Math.abs(x) > 1e-30],
      ['Exp', Math.exp, (x) => Math.abs(x) < 87],
      ['Expm1', Math.expm1, (x) => x < 87],
      ['Log', Math.log, (x) => x > 1e-37],
      ['Log1p', Math.log1p, (x) => x > -0.999],
      ['Tanh', Math.tanh],
      ['Sigmoid', logistic, (x) => x > -80],
      ['Softplus', (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
    ];
    const points = Float32Array.from({ length: 4000 }, (_, i) => {
      const magnitude = 10 ** (-6 + (8 * (i >> 1)) / 2000);
      return i % 2 === 0 ? magnitude : -magnitude;
    });
    for (const [op, f, within = () => true, attrs] of functions) {
      const x = points.filter(within);
      const y = await computeNode({ op, shapes: [[x.length]], shape: [x.length], ...(attrs ? { attrs } : {}) }, [x]);
      x.forEach((point, i) => {
        const expected = f(point);
        // Relative, but for what cancels: softplus' logarithm and tanh's difference are absolute near 0.
        const tolerance = 1e-6 * Math.abs(expected) + (op === 'Softplus' ? 2e-7 : 1e-30);
        if (!(Math.abs(y[i]! - expected) <= tolerance)) expect.fail(`${op}(${point}) = ${y[i]}, not ${expected}`);
      });
      if (op === 'Sign' || op === 'Floor') continue;
      const special = await computeNode({ op, shapes: [[3]], shape: [3], ...(attrs ? { attrs } : {}) }, [
        Float32Array.of(NaN, 0, NaN),
      ]);
      expect([special[0], special[2]], `${op} of NaN`).toEqual([NaN, NaN]);
      // Bits of a NaN are added to nothing: as signed numbers these overflow, which the sanitizers report.
      const bits = Uint32Array.of(0x7fc00000, 0xffc00000, 0xffc00100, 0xffc001ff, 0xffffffff, 0x7fffff00);
      const nans = await computeNode({ op, shapes: [[6]], shape: [6], ...(attrs ? { attrs } : {}) }, [new Float32Array(bits.buffer)]); // prettier-ignore
      expect([...nans], `${op} of every NaN`).toEqual(new Array(6).fill(NaN));
    }
  });

  it('broadcast columns, rows, numbers and groups of rows', async () => {
    for (let trial = 0; trial < 12; trial++) {
      const [b, h, w, c] = [between(1, 6), between(1, 9), between(1, 9), between(2, 40)] as const;
      const shape = [b, h, w, c];
      const others = [[c], [1, 1, 1, c], [b, h, w, 1], [], [b, 1, 1, c], shape];
      const x = normal(sizeOf(shape));
      for (const other of others) {
        const y = normal(sizeOf(other));
        const aligned = [...new Array<number>(4 - other.length).fill(1), ...other];
        const at = (i: number) => {
          const position = [Math.floor(i / (h * w * c)), Math.floor(i / (w * c)) % h, Math.floor(i / c) % w, i % c];
          return aligned.reduce((index, n, axis) => index * n + (n === 1 ? 0 : position[axis]!), 0);
        };
        const actual = await computeNode({ op: 'Sub', shapes: [shape, other], shape }, [x, y]);
        expectClose(
          actual,
          Float64Array.from(x, (v, i) => v - y[at(i)]!),
        );
      }
    }
  });

  it('broadcast what a reshape made broadcastable, beside the same tensor unreshaped', async () => {
    const [b, h, w, c] = [3, 4, 2, 5] as const;
    const [x, y] = [normal(b * h * w * c), normal(b * c)];
    const [sum, square] = await compute([[b, h, w, c], [b, c]], [x, y], (graph, [image, flat]) => {
      const twice = graph.add({ op: 'Add', inputs: [flat!, flat!], shape: [b, c] });
      const pixel = graph.add({ op: 'Reshape', inputs: [twice], shape: [b, 1, 1, c] });
      return [
        graph.add({ op: 'Add', inputs: [image!, pixel], shape: [b, h, w, c] }),
        graph.add({ op: 'Square', inputs: [twice], shape: [b, c] }),
      ];
    }); // prettier-ignore
    expectClose(
      sum!,
      Float64Array.from(x, (v, i) => v + 2 * y[Math.floor(i / (h * w * c)) * c + (i % c)]!),
    );
    expectClose(
      square!,
      Float64Array.from(y, (v) => 4 * v * v),
    );
  });

  it('sum and average over rows, in long chains with many readers', async () => {
    for (let trial = 0; trial < 12; trial++) {
      const [rows, c] = [between(2, 1500), between(1, 50)];
      const shape = [rows, c];
      const [x, y] = [normal(rows * c), normal(c)];
      // Batch normalisation: mean, centred, variance, scaled; all of them outputs.
      const [mean, centred, variance, scaled] = await compute([shape, [c]], [x, y], (graph, [input, gamma]) => {
        const mean = graph.add({ op: 'Mean', inputs: [input!], attrs: { axes: [0], keepDims: false }, shape: [c] });
        const centred = graph.add({ op: 'Sub', inputs: [input!, mean], shape });
        const square = graph.add({ op: 'Square', inputs: [centred], shape });
        const variance = graph.add({ op: 'Mean', inputs: [square], attrs: { axes: [0], keepDims: false }, shape: [c] });
        const factor = graph.add({
          op: 'Multiply',
          inputs: [graph.add({ op: 'Rsqrt', inputs: [variance], shape: [c] }), gamma!],
          shape: [c],
        });
        return [mean, centred, variance, graph.add({ op: 'Multiply', inputs: [centred, factor], shape })];
      });
      const m = Float64Array.from({ length: c }, (_, j) => x.reduce((s, v, i) => (i % c === j ? s + v : s), 0) / rows);
      const d = Float64Array.from(x, (v, i) => v - m[i % c]!);
      const s2 = Float64Array.from(
        { length: c },
        (_, j) => d.reduce((s, v, i) => (i % c === j ? s + v * v : s), 0) / rows,
      );
      expectClose(mean!, m);
      expectClose(centred!, d);
      expectClose(variance!, s2);
      expectClose(
        scaled!,
        d.map((v, i) => (v / Math.sqrt(s2[i % c]!)) * y[i % c]!),
        3,
      );
    }
  });

  it('reduce over any axes that lie together, and take the softmax of rows', async () => {
    for (let trial = 0; trial < 20; trial++) {
      const [outer, middle, inner] = [between(1, 40), between(1, 30), between(1, 40)];
      const x = normal(outer * middle * inner);
      const place = (o: number, m: number, i: number) => x[(o * middle + m) * inner + i]!;
      const reduced = (f: (values: number[]) => number) =>
        Float64Array.from({ length: outer * inner }, (_, at) =>
          f(Array.from({ length: middle }, (_, m) => place(Math.floor(at / inner), m, at % inner))),
        );
      const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
      const functions = {
        Max: (v: number[]) => Math.max(...v),
        Min: (v: number[]) => Math.min(...v),
        Sum: sum,
        Mean: (v: number[]) => sum(v) / middle,
      };
      for (const [op, f] of Object.entries(functions)) {
        const attrs = { axes: [1], keepDims: false };
        const spec = { op: op as Op, shapes: [[outer, middle, inner]], attrs, shape: [outer, inner] };
        expectClose(await computeNode(spec, [x]), reduced(f), Math.sqrt(middle));
      }
      const shape = [outer * middle, inner];
      for (const op of ['Softmax', 'LogSoftmax'] as const) {
        const expected = Float64Array.from(x, (v, at) => {
          const row = x.subarray(at - (at % inner), at - (at % inner) + inner);
          const log = v - Math.log(row.reduce((s, w) => s + Math.exp(w), 0));
          return op === 'Softmax' ? Math.exp(log) : log;
        });
        expectClose(await computeNode({ op, shapes: [shape], shape }, [x]), expected);
      }
    }
  });

  it('lose no digits over the pixels of a large image', async () => {
    const [side, c] = [512, 2];
    const [image, pixels] = [[1, side, side, c], side * side];
    // All of one sign: each addition to a running sum is rounded the same way.
    const one = Math.fround(0.1);
    const x = new Float32Array(pixels * c).fill(one);
    const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
    const whole = { window: [side, side], strides: [1, 1], pads: [0, 0, 0, 0] };
    const sums: [Case, Float32Array[], number][] = [
      [{ op: 'Sum', shapes: [image], attrs: { axes: [0, 1, 2], keepDims: false }, shape: [c] }, [x], pixels * one],
      [{ op: 'Mean', shapes: [image], attrs: { axes: [1, 2], keepDims: false }, shape: [1, c] }, [x], one],
      [{ op: 'AvgPool', shapes: [image], attrs: whole, shape: [1, 1, 1, c] }, [x], one],
      [{ op: 'Conv2DBackpropFilter', shapes: [image, image], attrs: window, shape: [1, 1, c, c] }, [x, x], pixels * one ** 2],
      [{ op: 'DepthwiseConv2DBackpropFilter', shapes: [image, image], attrs: window, shape: [1, 1, c, 1] }, [x, x], pixels * one ** 2],
    ]; // prettier-ignore
    for (const [spec, values, expected] of sums)
      for (const value of await computeNode(spec, values))
        expect(Math.abs(value / expected - 1), spec.op).toBeLessThan(5e-5);
    const [, bias] = await compute([image, image], [x, x], (graph, [given, dy]) => [
      graph.add({ op: 'Conv2DBackpropFilter', inputs: [given!, dy!], attrs: window, shape: [1, 1, c, c] }),
      graph.add({ op: 'Sum', inputs: [dy!], attrs: { axes: [0, 1, 2], keepDims: false }, shape: [c] }),
    ]);
    for (const value of bias!) expect(Math.abs(value / (pixels * one) - 1)).toBeLessThan(5e-5);
  });

  it.each(['Sum', 'Mean', 'Max', 'Min'] as const)(
    'reduce over separate axes, and over single elements between: %s',
    async (op) => {
      const [a, b, c] = [5, 4, 7];
      const x = normal(a * b * c);
      const expected = Float64Array.from({ length: b }, (_, j) => {
        const values = Array.from({ length: a * c }, (_, i) => x[(Math.floor(i / c) * b + j) * c + (i % c)]!);
        const sum = values.reduce((total, v) => total + v, 0);
        return { Sum: sum, Mean: sum / (a * c), Max: Math.max(...values), Min: Math.min(...values) }[op];
      });
      const separate = { op, shapes: [[a, b, c]], attrs: { axes: [0, 2], keepDims: false }, shape: [b] };
      expectClose(await computeNode(separate, [x]), expected, Math.sqrt(a * c));
      const kept = { op, shapes: [[a, b, 1, c]], attrs: { axes: [0, 3], keepDims: true }, shape: [1, b, 1, 1] };
      expectClose(await computeNode(kept, [x]), expected, Math.sqrt(a * c));
    },
  );

  it.each<[string, number[], number[], number[]]>([
    ['a row of a leading axis', [1, 4, 5, 3], [2, 4, 5, 3], [2, 4, 5, 3]],
    ['columns of an image', [2, 1, 5, 3], [2, 4, 5, 3], [2, 4, 5, 3]],
    ['both sides', [4, 1, 3], [1, 5, 1], [4, 5, 3]],
  ])('broadcast over any axes: %s', async (_, left, right, shape) => {
    const [x, y] = [normal(sizeOf(left)), normal(sizeOf(right))] as const;
    const at = (own: number[], place: number[]) =>
      own.reduce((sum, n, axis) => sum * n + (n === 1 ? 0 : place[axis]!), 0);
    const expected = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const place = shape.map((n, axis) => Math.floor(i / sizeOf(shape.slice(axis + 1))) % n);
      return x[at(left, place)]! - y[at(right, place)]!;
    });
    expectClose(await computeNode({ op: 'Sub', shapes: [left, right], shape }, [x, y]), expected);
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
    const one = await run(1);
    for (const threads of [2, 3, 5]) expect(await run(threads)).toEqual(one);
  });

  it('transpose, slice, join, pad, repeat and reverse tensors of any rank', async () => {
    const positions = (shape: readonly number[]) =>
      Array.from({ length: sizeOf(shape) }, (_, flat) => {
        const at: number[] = [];
        for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
          at.unshift(rest % shape[axis]!);
          rest = Math.floor(rest / shape[axis]!);
        }
        return at;
      });
    const flat = (shape: readonly number[], at: readonly number[]) => at.reduce((i, x, k) => i * shape[k]! + x, 0);
    for (let trial = 0; trial < 20; trial++) {
      const shape = Array.from({ length: between(1, 5) }, () => between(1, 7));
      const x = normal(sizeOf(shape));
      const axes = shape.map((_, axis) => axis);
      /** What lies at a place of the result: a value, or the place in x it came from. */
      const check = async (op: Op, attrs: Attributes, result: number[], from: (at: number[]) => number[] | number) => {
        const actual = await computeNode({ op, shapes: [shape], attrs, shape: result }, [x]);
        const expected = positions(result).map((at) => {
          const source = from(at);
          return typeof source === 'number' ? source : x[flat(shape, source)]!;
        });
        expect([...actual]).toEqual(expected);
      };
      const perm = [...axes];
      for (let i = perm.length - 1; i > 0; i--) {
        const j = random.below(i + 1);
        [perm[i], perm[j]] = [perm[j]!, perm[i]!];
      }
      const transposed = perm.map((axis) => shape[axis]!);
      await check('Transpose', { perm }, transposed, (at) => axes.map((axis) => at[perm.indexOf(axis)]!));
      const begin = shape.map((n) => random.below(n));
      const size = shape.map((n, axis) => between(1, n - begin[axis]!));
      await check('Slice', { begin }, size, (at) => at.map((i, axis) => i + begin[axis]!));
      const reps = shape.map((_, axis) => (axis < 4 ? between(1, 3) : 1));
      await check('Tile', { reps }, shape.map((n, axis) => n * reps[axis]!), (at) => at.map((i, axis) => i % shape[axis]!)); // prettier-ignore
      const turned = axes.filter(() => random.below(2) === 1);
      await check('Reverse', { axes: turned }, shape, (at) => at.map((i, axis) => (turned.includes(axis) ? shape[axis]! - 1 - i : i))); // prettier-ignore
      const before = shape.map(() => between(0, 2));
      const padded = shape.map((n, axis) => n + before[axis]! + between(0, 2));
      await check('Pad', { before, after: padded.map((n, axis) => n - shape[axis]! - before[axis]!), value: 3 }, padded, (at) => {
        const source = at.map((i, axis) => i - before[axis]!);
        return source.every((i, axis) => i >= 0 && i < shape[axis]!) ? source : 3;
      }); // prettier-ignore
      const axis = random.below(shape.length);
      const widths = [between(1, 4), between(1, 4)];
      const shapes = widths.map((n) => shape.with(axis, n));
      const parts = shapes.map((part) => normal(sizeOf(part)));
      const joined = shape.with(axis, widths[0]! + widths[1]!);
      const actual = await computeNode({ op: 'Concat', shapes, attrs: { axis }, shape: joined }, parts);
      const expected = positions(joined).map((at) => {
        const second = Number(at[axis]! >= widths[0]!);
        return parts[second]![flat(shapes[second]!, at.with(axis, at[axis]! - second * widths[0]!))]!;
      });
      expect([...actual]).toEqual(expected);
    }
  });

  it('read numbers that are the same everywhere as tensors, where a step for them is not at hand', async () => {
    const x = normal(6);
    const [joined] = await compute([[2, 3]], [x], (graph, [input]) => [
      graph.add({
        op: 'Concat',
        inputs: [input!, graph.constant(7, [2, 1])],
        attrs: { axis: 1 },
        shape: [2, 4],
      }),
    ]);
    expect([...joined!]).toEqual([x[0], x[1], x[2], 7, x[3], x[4], x[5], 7]);
  });

  it('refuse what they do not compute, naming it', async () => {
    const cumulative = { op: 'Cumsum', shapes: [[2, 3]], attrs: { axis: 1, exclusive: false, reverse: false }, shape: [2, 3] } as const; // prettier-ignore
    await expect(computeNode(cumulative, [normal(6)])).rejects.toThrow(Unsupported);
    await expect(computeNode(cumulative, [normal(6)])).rejects.toThrow('no native kernel for Cumsum of [2,3]');
  });
});
