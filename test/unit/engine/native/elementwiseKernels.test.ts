/** Native kernels against plain float64 loops, one graph node at a time: chains of element-wise operations and reductions. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Attributes, type Op } from '../../../../daemon/network/ir.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { type Case, between, compute, computeNode, expectClose, levels, normal, useLevel } from './kernelCases.js';

describe.each(levels)('native kernels with %s', (name) => {
  beforeAll(() => useLevel(name));

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
});
