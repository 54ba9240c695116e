import type { Attributes, DType, Graph, GraphInput, GraphOutput, Node, Op, RandomSpec } from './ir.js';
import { binaryOps, broadcastShape, sameShape, unaryOps } from './ir.js';
import { simplify } from './simplify.js';

const elementwise: ReadonlySet<string> = new Set([
  ...unaryOps,
  ...binaryOps,
  'Select',
  'Prelu',
  'EluGrad',
  'Cast',
  'Step',
]);

export interface NodeSpec {
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly attrs?: Attributes;
  readonly shape: readonly number[];
  readonly dtype?: DType;
}

/** Builds a graph node by node, simplifying each as it comes; equal computations become one node. */
export class GraphBuilder {
  readonly #nodes = new Map<string, Node>();
  readonly #inputs: GraphInput[] = [];
  #nextId = 0;
  /** The layer that nodes are attributed to. */
  layer: string | undefined;

  input(shape: readonly number[], role: { role: 'random'; random: RandomSpec }): Node;
  input(shape: readonly number[], role: { role: 'data'; index: number } | { role: 'target' }): Node;
  input(shape: readonly number[], role: { role: 'parameter' | 'state'; name: string }): Node;
  input(shape: readonly number[], role: object): Node {
    const node = this.#create({ op: 'Input', inputs: [], shape });
    this.#inputs.push({ node, ...role } as GraphInput);
    return node;
  }

  /** A constant; values that are all equal become a splat. */
  constant(values: Float32Array | Int32Array | number, shape: readonly number[], dtype: DType = 'float32'): Node {
    const first = typeof values === 'number' ? values : values[0];
    const splat = typeof values === 'number' || (first !== undefined && values.every((v) => Object.is(v, first)));
    if (!splat) return this.#create({ op: 'Constant', inputs: [], shape, dtype }, values);
    const constant = dtype === 'float32' ? Math.fround(first!) : first!;
    return this.#unique(`Constant ${dtype} ${Object.is(constant, -0) ? '-0' : constant} ${shape}`, () =>
      this.#create({ op: 'Constant', inputs: [], shape, dtype }, constant),
    );
  }

  /** The node that computes `spec`, or a simpler one of equal value. dtype defaults to the first input's. */
  add(spec: NodeSpec): Node {
    const full = { attrs: {}, dtype: spec.inputs[0]?.dtype ?? ('float32' as const), ...spec };
    const simpler = simplify(this, full);
    if (simpler) return simpler;
    const key = `${full.op} ${full.inputs.map((n) => n.id)} ${full.dtype} ${full.shape} ${JSON.stringify(full.attrs)}`;
    return this.#unique(key, () => this.#create(full));
  }

  /** The graph of what `outputs` need; inputs nobody reads are left out, except data and target. */
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

  #create({ op, inputs, attrs = {}, shape, dtype = 'float32' }: NodeSpec, constant?: Node['constant']): Node {
    if (elementwise.has(op) && !sameShape(inputs.map((n) => n.shape).reduce(broadcastShape), shape))
      throw new Error(`${op} of ${inputs.map((n) => `[${n.shape}]`).join(' and ')} does not have the shape [${shape}]`);
    const layer = this.layer ?? inputs.findLast((input) => input.layer !== undefined)?.layer;
    return {
      id: this.#nextId++,
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
