import { type Graph, type Node } from './ir.js';
import { sizeOf } from '../protocol/shape.js';

/** Reshapes, and casts that change no bits, return the same tensor under another name. */
const owner = (node: Node): Node => (node.op === 'Reshape' ? owner(node.inputs[0]!) : node);

/** Bytes of an element in every executor. */
const width = 4;

/**
 * The most bytes that the tensors of a graph occupy at once, if its nodes are computed in order and each tensor is freed after its last
 * use. Inputs, outputs and constants are always there. Fused operations need less; an executor's intermediate copies
 * (padding, filters in another layout) are not counted.
 */
export function peakBytes({ inputs, outputs, nodes }: Graph): number {
  const constants = new Set(
    nodes.flatMap((node) => node.inputs.map(owner).filter(({ op, constant }) => op === 'Constant' && typeof constant !== 'number')),
  ); // prettier-ignore
  const held = [...inputs, ...outputs].map(({ node }) => node);
  const kept = new Set([...held, ...constants].map(owner));
  const always = [...held, ...constants].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const lastRead = new Map<Node, number>();
  nodes.forEach((node, i) => node.inputs.forEach((input) => lastRead.set(owner(input), i)));
  const ending = new Map<number, Node[]>();
  for (const [node, i] of lastRead) ending.set(i, [...(ending.get(i) ?? []), node]);
  let [live, most] = [0, 0];
  const alive = new Set<Node>();
  nodes.forEach((node, i) => {
    if (owner(node) === node && !kept.has(node)) {
      alive.add(node);
      live += sizeOf(node.shape);
    }
    most = Math.max(most, live);
    for (const ended of ending.get(i) ?? []) if (alive.delete(ended)) live -= sizeOf(ended.shape);
  });
  return width * (always + most);
}
