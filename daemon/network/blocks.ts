import type { GraphBuilder, NodeSpec } from './builder.js';
import { type Node, sameShape } from './ir.js';

/** Sums of tensors that are zero outside of blocks along one axis. The gradients of slices of one tensor are of this form. */

interface Block {
  readonly at: number;
  readonly node: Node;
}

/** Blocks in order, each within the axis, without overlap; all other entries are zero. */
interface Blocks {
  readonly axis: number;
  readonly blocks: readonly Block[];
}

const isZero = ({ constant }: Node): boolean => constant === 0;

/** The operands of a Concat that are not zero, from `start` on; undefined for another axis or operation. */
function partsOf(node: Node, axis: number, start: number): Block[] | undefined {
  if (node.op !== 'Concat' || node.attrs['axis'] !== axis) return undefined;
  let at = start;
  return node.inputs.flatMap((input) => {
    const block = { at, node: input };
    at += input.shape[axis]!;
    return isZero(input) ? [] : [block];
  });
}

/** The blocks of a Pad with zeros along one axis, or of a Concat. */
function blocksOf(node: Node): Blocks | undefined {
  if (node.op === 'Concat') {
    const axis = node.attrs['axis'] as number;
    return { axis, blocks: partsOf(node, axis, 0)! };
  }
  if (node.op !== 'Pad' || node.attrs['value'] !== 0) return undefined;
  const x = node.inputs[0]!;
  const [axis, ...more] = node.shape.flatMap((n, i) => (n === x.shape[i] ? [] : [i]));
  if (axis === undefined || more.length > 0) return undefined;
  const at = (node.attrs['before'] as readonly number[])[axis]!;
  return { axis, blocks: partsOf(x, axis, at) ?? [{ at, node: x }] };
}

/** p + q if each is zero wherever the other is not: one Concat, with zeros around it, replaces the sum. */
export function sumOfBlocks(graph: GraphBuilder, { inputs, shape }: Required<NodeSpec>): Node | undefined {
  const [p, q] = inputs as [Node, Node];
  if (!sameShape(p.shape, q.shape)) return undefined;
  const [a, b] = [blocksOf(p), blocksOf(q)];
  if (!a || !b || a.axis !== b.axis) return undefined;
  const { axis } = a;
  const all = [...a.blocks, ...b.blocks].sort((one, other) => one.at - other.at);
  const first = all[0];
  if (!first) return undefined;
  const parts: Node[] = [];
  let end = first.at;
  for (const { at, node } of all) {
    if (at < end) return undefined;
    if (at > end) parts.push(graph.constant(0, shape.with(axis, at - end)));
    parts.push(node);
    end = at + node.shape[axis]!;
  }
  const joined = graph.add({ op: 'Concat', inputs: parts, attrs: { axis }, shape: shape.with(axis, end - first.at) });
  const along = (n: number) => shape.map((_, i) => (i === axis ? n : 0));
  const attrs = { before: along(first.at), after: along(shape[axis]! - end), value: 0 };
  return graph.add({ op: 'Pad', inputs: [joined], attrs, shape });
}
