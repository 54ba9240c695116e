/** The rules of a graph whose nodes can be computed in the file's order. [ONNX IR spec: graphs, SSA, scoping] */
import type { OnnxGraph, OnnxNode } from './onnxModel.js';
import { nodeText } from './readGraph.js';
import { atOnce, type Steps } from './steps.js';
import { invalid, quoted } from './wire.js';

/** Names of values that a node may read: those of its graph and of the graphs around it. */
class Scope {
  readonly #names = new Set<string>();
  constructor(readonly around: Scope | null) {}

  /** @returns false if this graph already has the name. */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    return true;
  }

  has(name: string): boolean {
    return this.#names.has(name) || (this.around?.has(name) ?? false);
  }
}

const textOf = ({ name, op }: OnnxNode): string => nodeText(name, op);

/** Why node `at` cannot read `name`: it is computed later, by the node itself, or not at all. */
function whyMissing(graph: OnnxGraph, at: number, name: string): string {
  const producer = new Map<string, number>();
  graph.nodes.forEach(({ outputs }, i) => outputs.forEach((output) => producer.set(output, i)));
  const text = textOf(graph.nodes[at]!);
  const from = producer.get(name);
  if (from === undefined)
    return `${text} reads ${quoted(name)}, which no node, input or initializer of the graph gives`;
  // Walks back from the inputs of the node. If the walk reaches the node, there is a cycle.
  const seen = new Set<number>([from]);
  for (const node of seen) {
    if (node === at) return `its graph is a circle: ${text} reads ${quoted(name)}, which needs what that node gives`;
    for (const input of graph.nodes[node]!.inputs) if (producer.has(input)) seen.add(producer.get(input)!);
  }
  return `${text} reads ${quoted(name)} before ${textOf(graph.nodes[from]!)} gives it; ONNX wants nodes in the order of their computation: export the model again, or sort it (onnx_graphsurgeon: graph.toposort())`;
}

/**
 * Checks that every value has one name and one source, nodes follow the values that they read, and every output exists.
 * @param around the graph that has this one in an attribute. @throws UserError('model-invalid') naming the node and the value.
 */
export function* checkGraph(graph: OnnxGraph, path: string, around: Scope | null = null): Steps<void> {
  const scope = new Scope(around);
  for (const { name } of graph.inputs)
    if (!scope.add(name)) invalid(path, `two inputs are called ${quoted(name)}`, name);
  for (const name of graph.initializers.keys()) scope.add(name);
  for (const [at, node] of graph.nodes.entries()) {
    for (const name of node.inputs)
      if (name !== '' && !scope.has(name)) invalid(path, whyMissing(graph, at, name), name);
    for (const attribute of node.attributes.values())
      if (attribute.kind === 'graph') atOnce(checkGraph(attribute.value, path, scope));
    for (const name of node.outputs)
      if (name !== '' && !scope.add(name))
        invalid(path, `two values are called ${quoted(name)}: the second comes from ${textOf(node)}`, name);
    yield;
  }
  if (graph.outputs.length === 0 && around === null) invalid(path, 'has no outputs: it computes nothing');
  const outputs = new Set<string>();
  for (const { name } of graph.outputs) {
    if (!scope.has(name)) invalid(path, `its output ${quoted(name)} comes from no node`, name);
    if (outputs.has(name)) invalid(path, `two outputs are called ${quoted(name)}`, name);
    outputs.add(name);
  }
}
