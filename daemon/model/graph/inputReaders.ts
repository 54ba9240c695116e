/** Finds the first operation that computes with an input: it may show which values the network was trained on. */
import type { Graph, Node } from '../../network/ir.js';
import type { AsStored } from '../setup/inputsAsStored.js';

/** Operations that pass values on unchanged. */
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Slice', 'StridedSlice', 'Pad', 'Reverse', 'Tile', 'Concat', 'Cast']); // prettier-ignore

/** Operations that change the scale of values if the other operand is the same for every sample. */
const SCALES: ReadonlySet<string> = new Set(['Sub', 'Add', 'Multiply', 'RealDiv']);

/** The nodes that depend on data. */
function onData({ inputs, nodes }: Graph): ReadonlySet<Node> {
  const found = new Set(inputs.flatMap(({ node, role }) => (role === 'data' ? [node] : [])));
  for (const node of nodes) if (node.inputs.some((input) => found.has(input))) found.add(node);
  return found;
}

/**
 * Returns the reason to take the values of an input as they are stored; null if the network may have been trained on any scale.
 * @param input of role `data`, in `graph`.
 */
export function readAsStored(graph: Graph, input: Node): AsStored | null {
  const varying = onData(graph);
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
    ({ node, place }) => SCALES.has(node.op) && node.inputs.length === 2 && !varying.has(node.inputs[1 - place]!),
  ); // prettier-ignore
  return scaled ? { because: named(readers[0]!.node), identifiers: false } : null;
}
