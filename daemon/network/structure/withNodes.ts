import type { Graph, Node } from '../ir.js';

/**
 * The graph with further nodes of its builder that no output needs, since simpler ones stand for them (two Reshapes are one): what indices they keep
 * is known, too. Nobody reads them, so that no unit stays for them. Nodes that need an input the graph lacks are left out.
 */
export function withNodes(graph: Graph, nodes: Iterable<Node>): Graph {
  const inputs = new Set(graph.inputs.map(({ node }) => node));
  const live = new Set<Node>(graph.nodes);
  const add = (node: Node): boolean => {
    if (node.op === 'Constant' || live.has(node)) return true;
    if (node.op === 'Input') return inputs.has(node);
    if (!node.inputs.every(add)) return false;
    live.add(node);
    return true;
  };
  for (const node of nodes) add(node);
  return live.size === graph.nodes.length ? graph : { ...graph, nodes: [...live].sort((a, b) => a.id - b.id) };
}
