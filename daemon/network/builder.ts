import type { Attributes, DType, Graph, GraphInput, GraphOutput, Node, Op, RandomSpec } from './ir.js';
import { sameShape } from './ir.js';
import { simplify } from './simplify.js';
import { verifiesEachNode } from './verify/eachNode.js';
import { BrokenGraph, verifyNode } from './verify/verifyNode.js';

export interface NodeSpec {
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly attrs?: Attributes;
  readonly shape: readonly number[];
  readonly dtype?: DType;
}

/**
 * Builds a graph node by node. Each node is simplified as it is added, and equal computations become one node. With `verifiesEachNode`,
 * the builder checks each node that is requested or made, and the shape and type of each rewrite's result.
 */
export class GraphBuilder {
  readonly #nodes = new Map<string, Node>();
  readonly #inputs: GraphInput[] = [];
  #nextId = 0;
  /** The layer that new nodes belong to. */
  layer: string | undefined;

  input(shape: readonly number[], role: { role: 'random'; random: RandomSpec }): Node;
  input(shape: readonly number[], role: { role: 'data'; index: number } | { role: 'target'; index?: number }): Node;
  input(shape: readonly number[], role: { role: 'parameter' | 'state'; name: string }): Node;
  input(shape: readonly number[], role: object): Node {
    const node = this.#create({ op: 'Input', inputs: [], shape });
    this.#inputs.push({ node, ...role } as GraphInput);
    return node;
  }

  /** A constant; if all values are equal, it becomes a splat. */
  constant(values: Float32Array | Int32Array | number, shape: readonly number[], dtype: DType = 'float32'): Node {
    const first = typeof values === 'number' ? values : values[0];
    const splat = typeof values === 'number' || (first !== undefined && values.every((v) => Object.is(v, first)));
    if (!splat) return this.#create({ op: 'Constant', inputs: [], shape, dtype }, values);
    const constant = dtype === 'float32' ? Math.fround(first!) : first!;
    return this.#unique(`Constant ${dtype} ${Object.is(constant, -0) ? '-0' : constant} ${shape}`, () =>
      this.#create({ op: 'Constant', inputs: [], shape, dtype }, constant),
    );
  }

  /** Returns the node that computes `spec`, or a simpler one of equal value. dtype defaults to the first input's. */
  add(spec: NodeSpec): Node {
    const full = { attrs: {}, dtype: spec.inputs[0]?.dtype ?? ('float32' as const), ...spec };
    // A rewrite could hide a fault of the node that it replaces.
    if (verifiesEachNode()) verifyNode(this.#node(full, this.#nextId));
    const simpler = simplify(this, full);
    if (simpler) {
      if (verifiesEachNode()) verifyRewrite(full, simpler);
      return simpler;
    }
    const key = `${full.op} ${full.inputs.map((n) => n.id)} ${full.dtype} ${full.shape} ${keyOf(full.attrs)}`;
    return this.#unique(key, () => this.#create(full));
  }

  /** The graph of what `outputs` need. Inputs that no node reads are left out, except data and targets. */
  finish(outputs: readonly GraphOutput[]): Graph {
    const live = new Set<Node>();
    const stack = outputs.map((output) => output.node);
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (live.has(node)) continue;
      live.add(node);
      stack.push(...node.inputs);
    }
    return {
      inputs: this.#inputs.filter(({ node, role }) => role === 'data' || role === 'target' || live.has(node)),
      outputs,
      nodes: [...live].filter(({ op }) => op !== 'Input' && op !== 'Constant').sort((a, b) => a.id - b.id),
    };
  }

  #unique(key: string, create: () => Node): Node {
    const known = this.#nodes.get(key);
    if (known) return known;
    const node = create();
    this.#nodes.set(key, node);
    return node;
  }

  #create(spec: NodeSpec, constant?: Node['constant']): Node {
    const node = this.#node(spec, this.#nextId++, constant);
    if (verifiesEachNode()) verifyNode(node);
    return node;
  }

  #node(spec: NodeSpec, id: number, constant?: Node['constant']): Node {
    const { op, inputs, attrs = {}, shape, dtype = 'float32' } = spec;
    const layer = this.layer ?? inputs.findLast((input) => input.layer !== undefined)?.layer;
    return {
      id,
      op,
      inputs,
      attrs,
      shape: [...shape],
      dtype,
      ...(constant === undefined ? {} : { constant }),
      ...(layer === undefined ? {} : { layer }),
    };
  }
}

/** JSON has one spelling for all numbers that are not finite, and one for both zeros. */
const keyOf = (attrs: Attributes): string =>
  JSON.stringify(attrs, (_, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `number ${1 / value || value}`
      : value,
  );

/** @throws BrokenGraph if the node that replaces `spec` has another shape or type. */
function verifyRewrite({ op, shape, dtype }: Required<NodeSpec>, node: Node): void {
  if (sameShape(shape, node.shape) && dtype === node.dtype) return;
  throw new BrokenGraph(`it stands for ${op} of ${dtype} [${shape}], and is ${node.dtype} [${node.shape}]`, node);
}
