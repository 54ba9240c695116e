/** Runs graph nodes on native kernels, for tests against plain float64 loops over random sizes and settings. */
import { expect } from 'vitest';
import { GraphBuilder } from '../../../../daemon/network/builder.js';
import { type Attributes, type Node, type Op } from '../../../../daemon/network/ir.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { createRandom } from '../../../../daemon/lc/random.js';

const found = loadAddon();
export const levels = 'addon' in found ? found.addon.levels() : [];
/** The level under test. */
let level = '';
export const useLevel = (name: string): void => void (level = name);
export const random = createRandom(4);
export const between = (low: number, high: number) => low + random.below(high - low + 1);
export const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());

export interface Case {
  readonly op: Op;
  readonly shapes: readonly (readonly number[])[];
  readonly attrs?: Attributes;
  readonly shape: readonly number[];
}

/** Runs one node, or what `build` makes of the inputs, on given values. */
export async function compute(
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

export async function computeNode(
  { op, shapes, attrs = {}, shape }: Case,
  values: readonly Float32Array[],
): Promise<Float32Array> {
  const [result] = await compute(shapes, values, (graph, inputs) => [graph.add({ op, inputs, attrs, shape })]);
  return result!;
}

export function expectClose(actual: Float32Array, expected: Float64Array, scale = 1, tolerance = 3e-6): void {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce((w, x, i) => Math.max(w, Math.abs(x - actual[i]!) / (scale + Math.abs(x))), 0);
  expect(worst).toBeLessThan(tolerance);
}

/** A convolution by its definition, in float64: its result, and its gradients for a given dy. */
export function convolutionOf(
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
export function gradientOf(graph: GraphBuilder, given: Node, shape: readonly number[]) {
  const negative = graph.add({ op: 'Neg', inputs: [given], shape });
  const magnitude = graph.add({ op: 'Abs', inputs: [negative], shape });
  const dy = graph.add({ op: 'Neg', inputs: [magnitude], shape });
  const attrs = { axes: [0, 1, 2], keepDims: false };
  return { dy, sum: graph.add({ op: 'Sum', inputs: [dy], attrs, shape: [shape[3]!] }) };
}

type Shape4 = readonly [number, number, number, number];

/** Computes a depthwise convolution and both gradients, of random numbers, and compares them with the definition in float64. */
export async function compareDepthwise(
  image: Shape4,
  taps: Shape4,
  result: Shape4,
  attrs: Record<'strides' | 'dilations' | 'pads', readonly number[]>,
): Promise<void> {
  const [batch, h, w, c] = image;
  const [kh, kw, , multiplier] = taps;
  const [, oh, ow, f] = result;
  const { strides, dilations, pads } = attrs;
  const [x, filter, dy] = [normal(sizeOf(image)), normal(sizeOf(taps)), normal(sizeOf(result))] as const;
  const [y, dx, dw] = [dy, x, filter].map(({ length }) => new Float64Array(length)) as Float64Array[];
  for (let out = 0; out < dy.length; out++) {
    const [o, ox] = [out % f, Math.floor(out / f) % ow];
    const [oy, b] = [Math.floor(out / f / ow) % oh, Math.floor(out / f / ow / oh)];
    for (let ky = 0; ky < kh; ky++)
      for (let kx = 0; kx < kw; kx++) {
        const py = oy * strides[0]! + ky * dilations[0]! - pads[0]!;
        const px = ox * strides[1]! + kx * dilations[1]! - pads[1]!;
        if (py < 0 || py >= h || px < 0 || px >= w) continue;
        const [at, tap] = [((b * h + py) * w + px) * c + Math.floor(o / multiplier), (ky * kw + kx) * f + o];
        y![out]! += x[at]! * filter[tap]!;
        dx![at]! += dy[out]! * filter[tap]!;
        dw![tap]! += dy[out]! * x[at]!;
      }
  }
  const forward = { op: 'DepthwiseConv2D', shapes: [image, taps], attrs, shape: result } as const;
  expectClose(await computeNode(forward, [x, filter]), y!, Math.sqrt(kh * kw));
  const input = { op: 'DepthwiseConv2DBackpropInput', shapes: [result, taps], attrs, shape: image } as const;
  expectClose(await computeNode(input, [dy, filter]), dx!, Math.sqrt(kh * kw * multiplier));
  const weights = { op: 'DepthwiseConv2DBackpropFilter', shapes: [image, result], attrs, shape: taps } as const;
  expectClose(await computeNode(weights, [x, dy]), dw!, Math.sqrt(batch * oh * ow));
}
