import type { Graph, GraphInput, GraphOutput, Node } from '../ir.js';
import { maxSize, sameShape, sizeFits } from '../ir.js';
import { demand } from './rule.js';
import { about, BrokenGraph, nameOf, verifyNode } from './verifyNode.js';

/**
 * Checks everything that ir.ts requires of a graph and that an executor relies on: every node against the rule of its operation, that no
 * tensor is empty, the order of the nodes, that each is read or an output, and the roles of inputs and outputs. It takes time
 * proportional to the size of the graph, not of its tensors (except constants of bools).
 *
 * @throws BrokenGraph naming node, layer and the first broken rule.
 */
export function verifyGraph(graph: Graph): void {
  if (graph.outputs.length === 0) throw new BrokenGraph('a graph must have an output');
  const known = verifyInputs(graph.inputs);
  const read = new Set<Node>(graph.outputs.map(({ node }) => node));
  let last = -Infinity;
  for (const node of graph.nodes) {
    about(node, () => {
      demand(node.op !== 'Input' && node.op !== 'Constant', () => 'a leaf must not be among the nodes');
      demand(node.id > last, () => `its id must be above that of the node before it, ${last}`);
      for (const input of node.inputs) verifySource(input, known);
      add(node, known);
    });
    verifyPart(node);
    last = node.id;
    for (const input of node.inputs) read.add(input);
  }
  for (const node of graph.nodes)
    about(node, () => demand(read.has(node), () => 'nobody reads it and it is no output'));
  verifyOutputs(graph, known);
}

/** Nodes by their ids. */
type Known = Map<number, Node>;

function add(node: Node, known: Known): void {
  demand(!known.has(node.id), () => `its id must be its own; ${nameOf(known.get(node.id)!)} has it too`);
  known.set(node.id, node);
}

function verifyPart(node: Node): void {
  verifyNode(node);
  const { shape } = node;
  about(node, () => demand(sizeFits(shape), () => `it must have 1 to ${maxSize} elements; its shape is [${shape}]`));
}

/** A node or an output may read an earlier node, a declared input or a constant. A constant is checked when it is first read. */
function verifySource(source: Node, known: Known): void {
  if (known.get(source.id) === source) return;
  if (source.op === 'Constant') {
    verifyPart(source);
    add(source, known);
    return;
  }
  const missing = source.op === 'Input' ? 'is not among the inputs of the graph' : 'is not among the nodes before it';
  demand(false, () => `what it reads, ${nameOf(source)}, ${missing}`);
}

function verifyInputs(inputs: readonly GraphInput[]): Known {
  const known: Known = new Map();
  const uses = new Set<string>();
  for (const input of inputs) {
    const { node, role } = input;
    verifyPart(node);
    about(node, () => {
      demand(node.op === 'Input', () => 'an input of the graph must be an Input');
      demand(known.get(node.id) !== node, () => 'it is an input of the graph twice');
      if (role === 'target') demand(Number.isInteger(input.index ?? 0) && (input.index ?? 0) >= 0, () => `its number among the targets must be whole; it is ${input.index}`); // prettier-ignore
      if (role === 'data') demand(Number.isInteger(input.index) && input.index >= 0, () => `its number among the inputs of the model must be whole; it is ${input.index}`); // prettier-ignore
      if (role === 'random' && input.random.kind === 'normal') {
        const { mean, std } = input.random;
        demand(Number.isFinite(mean) && Number.isFinite(std) && std >= 0, () => `a normal distribution must have a finite mean and deviation; they are ${mean} and ${std}`); // prettier-ignore
      }
      const use = useOf(input);
      demand(use === undefined || !uses.has(use), () => `there are two inputs for ${use}`);
      if (use !== undefined) uses.add(use);
      add(node, known);
    });
  }
  return known;
}

/** Names that only one input may feed, or only one output may give. */
function useOf(value: GraphInput | GraphOutput): string | undefined {
  switch (value.role) {
    case 'parameter':
    case 'gradient':
    case 'state':
      return `${value.role} "${value.name}"`;
    case 'data':
      return `data ${value.index}`;
    case 'target':
      return value.index ? `target ${value.index}` : value.role;
    case 'loss':
      return value.role;
    default:
      return undefined;
  }
}

function verifyOutputs({ inputs, outputs }: Graph, known: Known): void {
  const shapes = new Map(inputs.map((input) => [useOf(input), input.node.shape]));
  const uses = new Set<string>();
  for (const output of outputs) {
    const { node, role } = output;
    about(node, () => {
      verifySource(node, known);
      demand(node.dtype === 'float32', () => `an output must be float32; it is ${node.dtype}`);
      const use = useOf(output);
      demand(use === undefined || !uses.has(use), () => `there are two outputs for ${use}`);
      if (use !== undefined) uses.add(use);
      if (role === 'loss')
        demand(node.shape.length === 0, () => `the loss must be a scalar; its shape is [${node.shape}]`);
      if (role !== 'gradient' && role !== 'state') return;
      // A weight that the graph does not read is missing from its inputs.
      const weight = `${role === 'gradient' ? 'parameter' : role} "${output.name}"`;
      const shape = shapes.get(weight) ?? node.shape;
      demand(sameShape(shape, node.shape), () => `the ${role === 'gradient' ? 'gradient' : 'next value'} of ${weight} must have its shape, [${shape}]; it has [${node.shape}]`); // prettier-ignore
    });
  }
}
