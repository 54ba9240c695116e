import type { Graph, Node } from '../../../network/ir.js';
import { type Add, addConstant, addOf } from './rule.js';

/** How many nodes and outputs read each node. */
export function readersOf({ nodes, outputs }: Graph): ReadonlyMap<Node, number> {
  const readers = new Map<Node, number>();
  for (const node of [...nodes.flatMap(({ inputs }) => inputs), ...outputs.map((output) => output.node)])
    readers.set(node, (readers.get(node) ?? 0) + 1);
  return readers;
}

/** A part of a sum: all zeros but for a piece along one axis. */
interface Piece {
  readonly node: Node;
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A sum of tensors that are padded with zeros to places of their own along one axis, as the gradients of slices are: the
 * pieces joined.
 *
 * @param sum of the graph as it was. @param now what stands for its nodes.
 * @returns undefined for other sums.
 */
export function joinOf(
  sum: Node,
  readers: ReadonlyMap<Node, number>,
  now: (node: Node) => Node,
  add: Add,
): Node | undefined {
  // prettier-ignore
  const found = piecesOf(sum, readers);
  if (!found || found.length < 2) return undefined;
  const { axis } = found[0]!;
  const pieces = [...found].sort((a, b) => a.from - b.from);
  if (pieces.some((piece, i) => piece.axis !== axis || piece.from < (pieces[i - 1]?.to ?? 0))) return undefined;
  const parts: Node[] = [];
  let at = 0;
  const zeros = (to: number) => {
    if (to > at) parts.push(addConstant(sum, 0, sum.shape.with(axis, to - at), add));
  };
  for (const { node, from, to } of pieces) {
    zeros(from);
    parts.push(now(node));
    at = to;
  }
  zeros(sum.shape[axis]!);
  return addOf('Concat', parts, sum.shape, add, { axis });
}

/** The padded tensors that a tree of sums adds; undefined where there is another one, or one that others read. */
function piecesOf(node: Node, readers: ReadonlyMap<Node, number>): Piece[] | undefined {
  if (node.op === 'Pad') return pieceOf(node);
  if (node.op !== 'Add' || node.dtype !== 'float32') return undefined;
  const parts = node.inputs.map((input) =>
    input.op === 'Pad' || readers.get(input) === 1 ? piecesOf(input, readers) : undefined,
  );
  return parts.includes(undefined) ? undefined : parts.flatMap((part) => part!);
}

function pieceOf(pad: Node): Piece[] | undefined {
  const [x] = pad.inputs as [Node];
  const before = pad.attrs['before'] as readonly number[];
  const axes = pad.shape.flatMap((n, axis) => (n === x.shape[axis] ? [] : [axis]));
  const [axis] = axes;
  if (axes.length !== 1 || pad.attrs['value'] !== 0) return undefined;
  const from = before[axis!]!;
  return [{ node: x, axis: axis!, from, to: from + x.shape[axis!]! }];
}
