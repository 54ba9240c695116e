import type { Graph, GraphInput, Node } from '../ir.js';

/**
 * A tensor of the pass. Equal constants are one node of a graph, whatever they are used for. Here each use of a constant is a value of its
 * own, so that it ties nothing.
 */
export interface Value {
  readonly id: number;
  /** The input, constant or operation that computes it. */
  readonly node: Node;
  readonly shape: readonly number[];
  /** Whether it depends on weights and constants only. */
  readonly fixed: boolean;
}

export interface Step {
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly output: Value;
}

/** A graph as steps over values, in topological order. */
export interface Program {
  readonly graph: Graph;
  readonly values: readonly Value[];
  readonly steps: readonly Step[];
  readonly outputs: readonly Value[];
  readonly inputs: readonly { readonly value: Value; readonly input: GraphInput }[];
  /** Parameters and states that are read, by name. */
  readonly weights: ReadonlyMap<string, Value>;
  /** The steps that read a value, by its id; a step that reads it twice is listed twice. */
  readonly readers: readonly (readonly Step[])[];
}

/** @param graph of an inference pass: its weights are inputs. */
export function programOf(graph: Graph): Program {
  const values: Value[] = [];
  const known = new Map<Node, Value>();
  const add = (node: Node, fixed: boolean): Value => {
    const value = { id: values.length, node, shape: node.shape, fixed };
    values.push(value);
    return value;
  };
  const inputs = graph.inputs.map((input) => {
    const value = add(input.node, input.role === 'parameter' || input.role === 'state');
    known.set(input.node, value);
    return { value, input };
  });
  const use = (node: Node): Value => (node.op === 'Constant' ? add(node, true) : known.get(node)!);
  const steps = graph.nodes.map((node): Step => {
    const given = node.inputs.map(use);
    const output = add(node, given.every(({ fixed }) => fixed)); // prettier-ignore
    known.set(node, output);
    return { node, inputs: given, output };
  });
  const outputs = graph.outputs.map(({ node }) => use(node));
  const readers: Step[][] = values.map(() => []);
  for (const step of steps) for (const { id } of step.inputs) readers[id]!.push(step);
  const weights = new Map(
    inputs.flatMap(({ value, input }) =>
      input.role === 'parameter' || input.role === 'state' ? [[input.name, value] as const] : [],
    ),
  );
  return { graph, values, steps, outputs, inputs, weights, readers };
}
