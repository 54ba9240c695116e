/** What is first to compute with an input of a network: it may say what values the network was trained on. */
import type { Graph, Node } from '../../network/ir.js';
import type { AsStored } from '../setup/inputsAsStored.js';

/** What passes values on as they are. */
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Slice', 'StridedSlice', 'Pad', 'Reverse', 'Tile', 'Concat', 'Cast']); // prettier-ignore

/** What brings values to another scale, where the other operand is the same for every sample. */
const SCALES: ReadonlySet<string> = new Set(['Sub', 'Add', 'Multiply', 'RealDiv']);

/** Whether nothing that a node is made of comes from the data. */
const isFixed = (node: Node, data: ReadonlySet<Node>): boolean =>
  !data.has(node) && node.inputs.every((input) => isFixed(input, data));

/**
 * Why the values of an input are taken as they are stored; null: any scale may be what the network was trained on.
 * @param input of role `data`, in `graph`.
 */
export function readAsStored(graph: Graph, input: Node): AsStored | null {
  const data = new Set(graph.inputs.flatMap(({ node, role }) => (role === 'data' ? [node] : [])));
  const readers: { readonly node: Node; readonly place: number }[] = [];
  const stack = [input];
  const seen = new Set<Node>();
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const reader of graph.nodes.filter(({ inputs }) => inputs.includes(node))) {
      if (MOVES.has(reader.op)) stack.push(reader);
      else readers.push({ node: reader, place: reader.inputs.indexOf(node) });
    }
  }
  const named = ({ layer, op }: Node) => `the operation "${layer ?? op}" (${op})`;
  const lookups = readers.filter(({ node, place }) => (node.op === 'Gather' && place === 1) || node.op === 'OneHot');
  if (lookups.length > 0) {
    const counts = lookups.map(({ node }) =>
      node.op === 'Gather' ? node.inputs[0]!.shape[node.attrs['axis'] as number]! : node.shape.at(-1)!,
    );
    const count = Math.min(...counts);
    return { because: named(lookups[counts.indexOf(count)]!.node), identifiers: true, count };
  }
  const scaled = readers.length > 0 && readers.every(
    ({ node, place }) => SCALES.has(node.op) && node.inputs.length === 2 && isFixed(node.inputs[1 - place]!, data),
  ); // prettier-ignore
  return scaled ? { because: named(readers[0]!.node), identifiers: false } : null;
}
