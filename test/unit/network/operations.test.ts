import { describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../../daemon/engine/compiled/onnxGraph.js';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import { type Graph, type Node } from '../../../daemon/network/ir.js';
import { emitOnnx, emitOnnxParts } from '../../../daemon/onnx/emit/emit.js';
import { cpuOnnx, gpuOnnx, type OnnxTarget, wholeOnnx } from '../../../daemon/onnx/emit/emitter.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';

const ort = await import('onnxruntime-node').then((module) => module.default);

/** Small integers, so that ties are common and sums are exact. */
const integers = (size: number, seed: number, range = 3) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: size }, () => random.below(range) - 1);
};

async function run(graph: Graph, inputs: readonly Float32Array[], target: OnnxTarget): Promise<Float32Array> {
  const model = emitOnnx(graph, target);
  const session = await ort.InferenceSession.create(model.bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    model.inputs.map((name, i) => [name, new ort.Tensor('float32', inputs[i]!, graph.inputs[i]!.node.shape)]),
  );
  const results = await session.run(feeds);
  await session.release();
  return results[model.outputs[0]!]!.data as Float32Array;
}

interface Pooling {
  readonly shape: [number, number, number, number];
  readonly window: [number, number];
  readonly strides: [number, number];
  readonly pads: [number, number, number, number];
}

const poolings: [string, Pooling][] = [
  ['2 x 2', { shape: [2, 6, 4, 3], window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }],
  ['2 x 2 with a rest', { shape: [2, 7, 5, 2], window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }],
  ['3 x 2, same padding', { shape: [1, 5, 5, 2], window: [3, 2], strides: [3, 2], pads: [0, 0, 1, 1] }],
  ['overlapping', { shape: [2, 7, 7, 2], window: [3, 3], strides: [2, 2], pads: [0, 0, 0, 0] }],
  ['overlapping, padded', { shape: [1, 6, 6, 2], window: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] }],
  ['strides that skip', { shape: [1, 8, 8, 1], window: [2, 2], strides: [3, 3], pads: [0, 0, 0, 0] }],
];

const outShape = ({ shape: [b, h, w, c], window, strides, pads }: Pooling) => {
  const out = (n: number, axis: number) =>
    Math.floor((n + pads[axis]! + pads[axis + 2]! - window[axis]!) / strides[axis]!) + 1;
  return [b, out(h, 0), out(w, 1), c] as [number, number, number, number];
};

/** The gradient of max pooling from its definition: the first maximum of each window, row by row, takes dy. */
function bruteForce(pooling: Pooling, x: Float32Array, dy: Float32Array): Float32Array {
  const [b, h, w, c] = pooling.shape;
  const [, oh, ow] = outShape(pooling);
  const dx = new Float32Array(x.length);
  const at = (n: number, i: number, j: number, k: number) => ((n * h + i) * w + j) * c + k;
  for (let n = 0; n < b; n++)
    for (let k = 0; k < c; k++)
      for (let p = 0; p < oh; p++)
        for (let q = 0; q < ow; q++) {
          let best = -1;
          for (let i = 0; i < pooling.window[0]; i++)
            for (let j = 0; j < pooling.window[1]; j++) {
              const row = p * pooling.strides[0] + i - pooling.pads[0];
              const column = q * pooling.strides[1] + j - pooling.pads[1];
              if (row < 0 || row >= h || column < 0 || column >= w) continue;
              const place = at(n, row, column, k);
              if (best < 0 || x[place]! > x[best]!) best = place;
            }
          dx[best]! += dy[((n * oh + p) * ow + q) * c + k]!;
        }
  return dx;
}

describe('max pooling: the first maximum of a window takes the gradient', () => {
  for (const [how, target] of [
    ['by places', wholeOnnx],
    ['by masks', gpuOnnx],
  ] as const)
    it.each(poolings)(`%s (${how})`, async (_name, pooling) => {
      const graph = new GraphBuilder();
      const { window, strides, pads } = pooling;
      const attrs = { window, strides, pads };
      const shape = outShape(pooling);
      const x = graph.input(pooling.shape, { role: 'data', index: 0 });
      const dy = graph.input(shape, { role: 'data', index: 1 });
      const y = graph.add({ op: 'MaxPool', inputs: [x], attrs, shape });
      const dx = graph.add({ op: 'MaxPoolGrad', inputs: [dy, x, y], attrs, shape: pooling.shape });
      const values = [integers(sizeOf(pooling.shape), 1), integers(sizeOf(shape), 2, 9)];
      const found = await run(graph.finish([{ role: 'output', node: dx }]), values, target);
      expect(found).toEqual(bruteForce(pooling, values[0]!, values[1]!));
    });
});

describe('what the WebGPU provider computes wrongly is expressed differently, with the same result', () => {
  const attrs = { strides: [1, 1], dilations: [1, 1], pads: [0, 1, 0, 1] };
  const images: [number, number, number, number] = [6, 5, 4, 9];
  const data = (graph: GraphBuilder, shape: readonly number[], index: number) =>
    graph.input(shape, { role: 'data', index });
  const operations: [string, string, readonly (readonly number[])[], (graph: GraphBuilder, inputs: Node[]) => Node][] = [
    ['Conv of 9 channels', 'Pad', [images, [2, 2, 9, 8]], (graph, inputs) => graph.add({ op: 'Conv2D', inputs, attrs, shape: [6, 4, 5, 8] })],
    ['its filter gradient over 6 samples', 'Pad', [images, [6, 4, 5, 4]], (graph, inputs) => graph.add({ op: 'Conv2DBackpropFilter', inputs, attrs: { ...attrs, pads: [0, 1, 0, 1] }, shape: [2, 2, 9, 4] })],
    ['Conv by a filter as large as the image', 'Pad', [[2, 3, 3, 2], [3, 3, 2, 2]], (graph, inputs) => graph.add({ op: 'Conv2D', inputs, attrs: { ...attrs, pads: [0, 0, 1, 1] }, shape: [2, 2, 2, 2] })],
    ['data gradient of a depthwise convolution with two products a channel', 'Slice', [[3, 4, 5, 6], [2, 2, 3, 2]], (graph, inputs) => graph.add({ op: 'DepthwiseConv2DBackpropInput', inputs, attrs, shape: [3, 5, 4, 3] })],
    ['Selu', 'Elu', [[7]], (graph, inputs) => graph.add({ op: 'Selu', inputs, shape: [7] })],
  ]; // prettier-ignore
  it.each(operations)('%s', async (_name, instead, shapes, build) => {
    const graph = new GraphBuilder();
    const inputs = shapes.map((shape, i) => data(graph, shape, i));
    const finished = graph.finish([{ role: 'output', node: build(graph, inputs) }]);
    const emitted = (target: OnnxTarget) => emitOnnxParts(finished, target).nodes.map(({ op }) => op);
    expect(emitted(wholeOnnx)).not.toContain(instead);
    expect(emitted(gpuOnnx)).toContain(instead);
    const values = shapes.map((shape, i) => integers(sizeOf(shape), i + 1, 5));
    const [whole, gpu] = [await run(finished, values, wholeOnnx), await run(finished, values, gpuOnnx)];
    expect(gpu.length).toBe(whole.length);
    whole.forEach((value, i) => expect(gpu[i]).toBeCloseTo(value, 5));
    expect(new Set(whole).size).toBeGreaterThan(2);
  });
});

describe('simplification', () => {
  const input = (graph: GraphBuilder, ...shape: number[]) => graph.input(shape, { role: 'data', index: 0 });
  const ops = (graph: Graph) => graph.nodes.map(({ op }) => op);
  const finish = (graph: GraphBuilder, node: Node) => graph.finish([{ role: 'output', node }]);

  it('equal computations are one node', () => {
    const graph = new GraphBuilder();
    const x = input(graph, 3);
    const exp = () => graph.add({ op: 'Exp', inputs: [x], shape: [3] });
    expect(exp()).toBe(exp());
  });

  it('adding 0, multiplying by 1, dividing by 1 are nothing; multiplying by 0 is a constant', () => {
    const graph = new GraphBuilder();
    const x = input(graph, 2, 3);
    const binary = (op: 'Add' | 'Multiply' | 'RealDiv' | 'Sub', v: number, shape: number[] = []) =>
      graph.add({ op, inputs: [x, graph.constant(v, shape)], shape: [2, 3] });
    expect(binary('Add', 0)).toBe(x);
    expect(binary('Sub', 0, [3])).toBe(x);
    expect(binary('Multiply', 1, [2, 3])).toBe(x);
    expect(binary('RealDiv', 1)).toBe(x);
    expect(binary('Multiply', 0).constant).toBe(0);
  });

  it('a broadcast keeps its shape: adding 0 of a larger shape is not nothing', () => {
    const graph = new GraphBuilder();
    const x = input(graph, 3);
    const sum = graph.add({ op: 'Add', inputs: [x, graph.constant(0, [2, 3])], shape: [2, 3] });
    expect(sum).not.toBe(x);
    expect(sum.shape).toEqual([2, 3]);
  });

  it('chains of reshapes and transposes collapse', () => {
    const graph = new GraphBuilder();
    const x = input(graph, 2, 3, 4);
    const there = graph.add({ op: 'Transpose', inputs: [x], attrs: { perm: [2, 0, 1] }, shape: [4, 2, 3] });
    expect(graph.add({ op: 'Transpose', inputs: [there], attrs: { perm: [1, 2, 0] }, shape: [2, 3, 4] })).toBe(x);
    const flat = graph.add({ op: 'Reshape', inputs: [x], shape: [24] });
    expect(graph.add({ op: 'Reshape', inputs: [flat], shape: [2, 3, 4] })).toBe(x);
  });

  it('a transposed factor becomes a flag of the product', async () => {
    const graph = new GraphBuilder();
    const a = input(graph, 2, 3);
    const b = graph.input([4, 3], { role: 'data', index: 1 });
    const bT = graph.add({ op: 'Transpose', inputs: [b], attrs: { perm: [1, 0] }, shape: [3, 4] });
    const attrs = { transposeA: false, transposeB: false };
    const product = finish(graph, graph.add({ op: 'MatMul', inputs: [a, bT], attrs, shape: [2, 4] }));
    expect(ops(product)).toEqual(['MatMul']);
    const [p, q] = [integers(6, 1), integers(12, 2)];
    const expected = [0, 1].flatMap((i) => [0, 1, 2, 3].map((j) => [0, 1, 2].reduce((s, k) => s + p[3 * i + k]! * q[3 * j + k]!, 0))); // prettier-ignore
    expect([...(await run(product, [p, q], wholeOnnx))]).toEqual(expected);
  });

  it('nodes that nobody reads are left out', () => {
    const graph = new GraphBuilder();
    const x = input(graph, 3);
    graph.add({ op: 'Exp', inputs: [x], shape: [3] });
    expect(ops(finish(graph, graph.add({ op: 'Neg', inputs: [x], shape: [3] })))).toEqual(['Neg']);
  });
});

describe('buffers', () => {
  it('inputs and outputs are used in place: no copies', async () => {
    const graph = new GraphBuilder();
    const x = graph.input([4], { role: 'data', index: 0 });
    const y = graph.add({ op: 'Neg', inputs: [x], shape: [4] });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const [from, to] = [new Float32Array(memory.buffer, 64, 4), new Float32Array(memory.buffer, 128, 4)];
    const compiled = await OnnxGraph.create(finishOne(graph, y), [from], [to], { provider: 'cpu', threads: 1 });
    from.set([1, 2, 3, 4]);
    await compiled.run();
    expect([...to]).toEqual([-1, -2, -3, -4]);
    from.set([5, 6, 7, 8]);
    await compiled.run();
    expect([...to]).toEqual([-5, -6, -7, -8]);
    await compiled.release();
  });
});

const finishOne = (graph: GraphBuilder, node: Node) => graph.finish([{ role: 'output', node }]);

describe('the logarithm of a small sigmoid', () => {
  const x = Float32Array.from({ length: 81 }, (_, i) => -i);
  const graph = (read: (builder: GraphBuilder, y: Node) => Node) => {
    const builder = new GraphBuilder();
    const input = builder.input([x.length], { role: 'data', index: 0 });
    const y = builder.add({ op: 'Sigmoid', inputs: [input], shape: [x.length] });
    return builder.finish([{ role: 'output', node: read(builder, y) }]);
  };

  it('is finite and exact on the CPU, though its Sigmoid is 0 from -19 on', async () => {
    const logged = graph((builder, y) => builder.add({ op: 'Log', inputs: [y], shape: y.shape }));
    const values = await run(logged, [x], cpuOnnx);
    x.forEach((v, i) => expect(Math.abs(values[i]! + Math.log1p(Math.exp(-v)))).toBeLessThan(1e-5 * (1 + Math.abs(v))));
    expect((await run(logged, [x], wholeOnnx))[30]).toBe(-Infinity);
  });

  it('does not change how gates are computed', () => {
    const gated = graph((builder, y) => builder.add({ op: 'Multiply', inputs: [y, builder.constant(2, [x.length])], shape: y.shape })); // prettier-ignore
    const operators = emitOnnxParts(gated, cpuOnnx).nodes.map(({ op }) => op);
    expect(operators).toContain('Sigmoid');
  });
});
