import type { GraphBuilder, NodeSpec } from './builder.js';
import { broadcastShape, type Node, sameShape } from './ir.js';
import { sizeOf } from '../protocol/shape.js';

/** The algebra of products, broadcasts and sums. Its rewrites save passes over whole tensors and compute more on small ones. */

export type Spec = Required<NodeSpec>;

export const splatOf = (node: Node | undefined): number | undefined =>
  typeof node?.constant === 'number' ? node.constant : undefined;

export const ones = (n: number): number[] => Array<number>(Math.max(n, 0)).fill(1);

/** v times a splat of a larger shape is v times the number, spread over that shape. */
export function spreadOf(node: Node): { small: Node; factor: number } | undefined {
  const [small, constant] = node.op === 'Multiply' ? node.inputs : [];
  const factor = splatOf(constant);
  if (factor === undefined || !sameShape(constant!.shape, node.shape)) return undefined;
  return sameShape(small!.shape, node.shape) ? undefined : { small: small!, factor };
}

/** An operand that only repeats a smaller tensor: element-wise operations broadcast by themselves. */
export function withoutSpread(graph: GraphBuilder, node: Node, other: Node, out: readonly number[]): Node {
  if (!sameShape(other.shape, out)) return node;
  const spread = spreadOf(node);
  if (spread) return scaled(graph, spread.small, spread.factor);
  if (node.op !== 'Tile') return node;
  const [x] = node.inputs;
  const reps = node.attrs['reps'] as readonly number[];
  return reps.every((r, i) => r === 1 || x!.shape[i] === 1) ? x! : node;
}

export const scaled = (graph: GraphBuilder, x: Node, factor: number): Node =>
  graph.add({ op: 'Multiply', inputs: [x, graph.constant(factor, [], x.dtype)], shape: x.shape });

export const product = (graph: GraphBuilder, a: Node, b: Node): Node =>
  graph.add({ op: 'Multiply', inputs: [a, b], shape: broadcastShape(a.shape, b.shape) });

/** (x s) t = x (s t) if s and t are smaller than x: the factors of each channel are multiplied first. */
export function reassociate(graph: GraphBuilder, whole: Node, small: Node): Node | undefined {
  if (whole.op !== 'Multiply' || sizeOf(small.shape) >= sizeOf(whole.shape)) return undefined;
  const [x, s] = whole.inputs as [Node, Node];
  for (const [full, factor] of [
    [x, s],
    [s, x],
  ] as const) {
    if (!sameShape(full.shape, whole.shape) || sizeOf(factor.shape) >= sizeOf(whole.shape)) continue;
    const factors = product(graph, factor, small);
    if (sizeOf(factors.shape) < sizeOf(whole.shape)) return product(graph, full, factors);
  }
  return undefined;
}

/** Whether the node is x - mean(x) over the axes; its sum along them is zero. */
function isCentred(node: Node, axes: Spec['attrs'][string]): boolean {
  const [x, mean] = node.op === 'Sub' ? node.inputs : [];
  const source = mean?.op === 'Reshape' ? mean.inputs[0]! : mean;
  return source?.op === 'Mean' && source.inputs[0] === x && String(source.attrs['axes']) === String(axes);
}

/** The sum of x - mean(x) over the same axes is zero. */
export const centredSum = (graph: GraphBuilder, { inputs, shape, attrs }: Spec): Node | undefined =>
  isCentred(inputs[0]!, attrs['axes']!) ? graph.constant(0, shape) : undefined;

/** sum(p + s (x - mean(x))) = sum(p) if s does not vary along the axes. The gradient of a normalisation by a mean has this form. */
export function sumBesideCentred(graph: GraphBuilder, spec: Spec): Node | undefined {
  const x = spec.inputs[0]!;
  if (x.op !== 'Add') return undefined;
  const [p, q] = x.inputs as [Node, Node];
  if (!sameShape(p.shape, q.shape)) return undefined;
  const vanishes = (node: Node) => {
    const factors = node.op === 'Multiply' ? splitProduct(graph, node, spec) : { rest: node };
    return factors !== undefined && isCentred(factors.rest, spec.attrs['axes']!);
  };
  const rest = vanishes(q) ? p : vanishes(p) ? q : undefined;
  return rest && graph.add({ ...spec, inputs: [rest] });
}

/** A tree of products without its factors that are smaller than the whole, which are collected; null if nothing remains. */
function withoutSmall(graph: GraphBuilder, node: Node, whole: readonly number[], small: Node[]): Node | null {
  if (!sameShape(node.shape, whole)) {
    small.push(node);
    return null;
  }
  if (node.op !== 'Multiply') return node;
  const [a, b] = node.inputs.map((input) => withoutSmall(graph, input, whole, small));
  return a && b ? product(graph, a, b) : (a ?? b ?? null);
}

/** Splits a product into the factors that do not vary along the summed axes, and the rest; undefined if the rest has another shape. */
function splitProduct(
  graph: GraphBuilder,
  x: Node,
  { attrs }: Spec,
): { rest: Node; small: readonly Node[] } | undefined {
  const axes = attrs['axes'] as readonly number[];
  const rank = x.shape.length;
  const small: Node[] = [];
  const rest = withoutSmall(graph, x, x.shape, small);
  const constantAlong = ({ shape }: Node) => axes.every((axis) => (shape[axis - rank + shape.length] ?? 1) === 1);
  return rest && small.length > 0 && small.every(constantAlong) ? { rest, small } : undefined;
}

/** sum(x s) = s sum(x) if s does not vary along the summed axes. */
export function sumOfProduct(graph: GraphBuilder, spec: Spec): Node | undefined {
  const x = spec.inputs[0]!;
  const factors = x.op === 'Multiply' ? splitProduct(graph, x, spec) : undefined;
  if (!factors) return undefined;
  const axes = spec.attrs['axes'] as readonly number[];
  const rank = x.shape.length;
  const sum = graph.add({ ...spec, inputs: [factors.rest] });
  return factors.small.reduce((total, factor) => {
    // Without the summed axes, as the sum is.
    const kept = spec.attrs['keepDims'] === true || factor.shape.length === 0;
    const padded = [...ones(rank - factor.shape.length), ...factor.shape];
    const shape = kept ? factor.shape : padded.filter((_, axis) => !axes.includes(axis));
    return product(graph, total, graph.add({ op: 'Reshape', inputs: [factor], shape }));
  }, sum);
}
