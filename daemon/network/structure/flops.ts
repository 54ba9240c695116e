/** FLOPs of a pass: two for each multiply-add of a product. Element-wise operations cost nothing. */
import type { Graph, Node } from '../ir.js';
import { sizeOf } from '../../protocol/shape.js';
import { programOf, type Value } from './values.js';

export interface NetworkFlops {
  /** FLOPs for the batch of the pass. */
  readonly total: number;
  /** FLOPs of products with weights, by the weight's name. Divided by the weight's size, this is the cost of each of its numbers. */
  readonly byWeight: ReadonlyMap<string, number>;
  /** FLOPs of products of activations (attention), by layer. */
  readonly activations: ReadonlyMap<string, number>;
}

/** Multiply-adds of a node; padding counts as pixels do. */
function multiplyAdds({ op, inputs, shape, attrs }: Node): number {
  const [a, b] = inputs.map((input) => input.shape) as [number[], number[]];
  if (op === 'MatMul') return sizeOf(shape) * a.at(attrs['transposeA'] ? -2 : -1)!;
  if (op === 'Conv2D') return (sizeOf(b) * sizeOf(shape)) / shape[3]!;
  if (op === 'Conv2DBackpropInput') return (sizeOf(b) * sizeOf(a)) / a[3]!;
  if (op === 'DepthwiseConv2D') return b[0]! * b[1]! * sizeOf(shape);
  if (op === 'DepthwiseConv2DBackpropInput') return b[0]! * b[1]! * sizeOf(a);
  return 0;
}

const add = (map: Map<string, number>, key: string, n: number) => map.set(key, (map.get(key) ?? 0) + n);

/** @param graph an inference pass. */
export function flopsOf(graph: Graph): NetworkFlops {
  const { steps, weights } = programOf(graph);
  // The kernel that a fixed value is, or was computed from by cutting, reshaping or scaling.
  const kernels = new Map<Value, string>([...weights].map(([name, value]) => [value, name]));
  for (const { inputs, output } of steps) {
    const source = output.fixed ? inputs.find((input) => kernels.has(input)) : undefined;
    if (source) kernels.set(output, kernels.get(source)!);
  }
  const byWeight = new Map<string, number>();
  const activations = new Map<string, number>();
  let total = 0;
  for (const { node, inputs } of steps) {
    const flops = 2 * multiplyAdds(node);
    if (flops === 0) continue;
    total += flops;
    const kernel = inputs.toReversed().find(({ fixed }) => fixed);
    const name = kernel && kernels.get(kernel);
    if (name === undefined) add(activations, node.layer ?? node.op, flops);
    else add(byWeight, name, flops);
  }
  return { total, byWeight, activations };
}
