import { Misfit } from '../../network/misfit.js';
import type { GraphBuilder, NodeSpec } from '../../network/builder.js';
import { type DType, inverse, type Node, sameShape } from '../../network/ir.js';
import { Operations } from '../../network/operations.js';
import { verifyNode } from '../../network/verify/verifyNode.js';
import { sizeOf } from '../../protocol/shape.js';
import { numbers, type NumberTensor, permuted, splatOf } from './values/numberTensor.js';
import {
  channelsLast,
  dimsOf,
  isNatural,
  naturalAxes,
  type NodeValue,
  type Origin,
  type Value,
  type WeightValue,
} from './values/value.js';
import { permutedLayout, splitLayout, type WeightLayout } from './values/weightLayout.js';
import { inLayout, type Weights } from './weights.js';

/** Most operations of a graph: recurrent units expand to many. */
const mostOperations = 2 ** 20;

/** The roles in which a weight is read. */
export type WeightUse = 'kernel' | 'parameter' | 'state';

/** The settings of one pass. */
export interface LoweringSpec {
  readonly builder: GraphBuilder;
  readonly weights: Weights;
  readonly batch: number;
  /** The batch for which a file without an open batch axis was exported; its constants have it. */
  readonly fileBatch: number | undefined;
  /** Shapes of the file's values for that batch, if the pass has another one. */
  readonly written: ReadonlyMap<string, readonly number[]> | undefined;
  readonly training: boolean;
  /** Returns the network's node of a weight. It is undefined while the model is planned: readers then report the layout they need. */
  readonly weight: ((name: string) => Node) | undefined;
}

/** The values of one pass, and their conversion to nodes. */
export class Lowering {
  readonly builder: GraphBuilder;
  readonly weights: Weights;
  readonly batch: number;
  readonly fileBatch: number | undefined;
  readonly written: LoweringSpec['written'];
  readonly training: boolean;
  /** Data inputs that an operation over images reads with channels first. */
  readonly images = new Set<number>();
  /** Next values of states. */
  readonly states = new Map<string, Node>();
  readonly #weight: LoweringSpec['weight'];
  /** Values whose samples are not the outer part of their axis: how many times the axis repeats all samples, by the name of the value. */
  readonly #outer = new Map<string, number>();
  #added = 0;
  readonly #planned = new Map<string, Node>();

  constructor(spec: LoweringSpec) {
    this.builder = spec.builder;
    this.weights = spec.weights;
    this.batch = spec.batch;
    this.fileBatch = spec.fileBatch;
    this.written = spec.written;
    this.training = spec.training;
    this.#weight = spec.weight;
  }

  /** Whether this pass only plans: it finds the layouts that readers need. */
  get plans(): boolean {
    return this.#weight === undefined;
  }

  /** How many times the axis of samples repeats all samples: in [steps * batch, features], `steps` times. */
  outerOf = (name: string): number => this.#outer.get(name) ?? 1;

  setOuter(name: string, outer: number): void {
    if (outer !== 1) this.#outer.set(name, outer);
  }

  /** If the axis of samples of a result has the size of an input's, the result has the samples in the same arrangement. */
  inheritOuter(
    output: string,
    dims: readonly number[],
    inputs: readonly string[],
    values: ReadonlyMap<string, Value>,
  ): void {
    if (!this.written || this.#outer.has(output)) return;
    const size = this.#sizeOfBatch(output, dims);
    const from = inputs.find((name) => this.#outer.has(name) && this.#sizeOfBatch(name, dimsOf(values.get(name)!)) === size); // prettier-ignore
    if (from !== undefined) this.#outer.set(output, this.#outer.get(from)!);
  }

  /** The size of the axis that differs from the file's. */
  #sizeOfBatch(name: string, dims: readonly number[]): number | undefined {
    const before = this.written?.get(name);
    return dims.find((n, axis) => before?.length === dims.length && n !== before[axis]);
  }

  add(
    op: NodeSpec['op'],
    inputs: readonly Node[],
    shape: readonly number[],
    attrs: NodeSpec['attrs'] = {},
    dtype?: DType,
  ): Node {
    if (++this.#added > mostOperations) throw new Misfit(`the model is computed by more than ${mostOperations} operations`); // prettier-ignore
    // The file's declarations are checked once, while the model is planned; later passes consist of the same nodes.
    if (this.plans) verifyNode({ id: Number.MAX_SAFE_INTEGER, op, inputs, shape, attrs, dtype: dtype ?? inputs[0]!.dtype }); // prettier-ignore
    return this.builder.add({ op, inputs, shape, attrs, ...(dtype === undefined ? {} : { dtype }) });
  }

  scalar = (value: number, dtype: DType = 'float32'): Node => this.builder.constant(value, [], dtype);

  reshape(node: Node, shape: readonly number[]): Node {
    if (sizeOf(node.shape) !== sizeOf(shape)) throw new Misfit(`[${node.shape}] cannot become [${shape}]`);
    return this.add('Reshape', [node], shape);
  }

  transpose(node: Node, perm: readonly number[]): Node {
    return this.add('Transpose', [node], perm.map((axis) => node.shape[axis]!), { perm }); // prettier-ignore
  }

  /** @throws Misfit as `Operations.matMul` */
  matMul(a: Node, b: Node, transposeA = false, transposeB = false): Node {
    return new Operations(this.builder).matMul(a, b, transposeA, transposeB);
  }

  cast(node: Node, dtype: DType): Node {
    return this.add('Cast', [node], node.shape, {}, dtype);
  }

  /** The value of a node: axis j of the node is axis order[j] of the value. */
  value(node: Node, order: readonly number[] = naturalAxes(node.shape.length), origin: Origin = 'weighted'): NodeValue {
    return { kind: 'node', node, axes: inverse(order), origin };
  }

  /** A node of the value: axis j of the node is axis order[j] of the value. */
  inOrder(value: Value, order: readonly number[]): Node {
    switch (value.kind) {
      case 'numbers':
        return this.constant(isNatural(order) ? value : permuted(value, order));
      case 'weight':
        return this.weight(value, permutedLayout(value.dims, order), 'parameter');
      case 'node': {
        const perm = order.map((axis) => value.axes[axis]!);
        return isNatural(perm) ? value.node : this.transpose(value.node, perm);
      }
    }
  }

  /** A node with the value's own order of axes. */
  natural = (value: Value): Node => this.inOrder(value, naturalAxes(dimsOf(value).length));

  /** A node of an image or volume, [batch, ...places, channels], from ONNX's [batch, channels, ...places]. */
  image(value: Value): Node {
    const { length: rank } = dimsOf(value);
    if (value.kind === 'node' && typeof value.origin === 'number' && isNatural(value.axes) && rank > 2)
      this.images.add(value.origin);
    return this.inOrder(value, channelsLast(rank));
  }

  ofImage = (node: Node, origin: Origin = 'weighted'): NodeValue =>
    this.value(node, channelsLast(node.shape.length), origin);

  constant(tensor: NumberTensor): Node {
    const { data, dims, dtype } = tensor;
    const splat = splatOf(tensor);
    if (dtype === 'float32') return this.builder.constant(splat ?? Float32Array.from(data), dims, dtype);
    // Whole numbers have 64 bits in the file. A number beyond 32 bits is a limit, such as "to the end".
    const whole = (v: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, v));
    return this.builder.constant(splat === undefined ? Int32Array.from(data, whole) : whole(splat), dims, dtype);
  }

  /** The node of a weight in the layout that the reader needs; `layout` is relative to this view of the weight. */
  weight(value: WeightValue, layout: WeightLayout, use: WeightUse): Node {
    const whole = this.#ofFile(value, layout);
    if (!whole) {
      const file = this.weight(value, permutedLayout(value.dims, naturalAxes(value.dims.length)), use);
      return inLayout(this.builder, file, splitLayout(value.dims, naturalAxes(value.dims.length)), layout);
    }
    if (this.#weight) return inLayout(this.builder, this.#weight(value.name), this.weights.layout(value.name), whole);
    const record = this.weights.record(value.name);
    record.wanted.push(whole);
    record.layer ??= this.builder.layer;
    if (use === 'kernel') record.prunable = true;
    if (use === 'state') record.asState++;
    else record.asParameter++;
    const key = `${value.name} ${whole.split} ${whole.perm} ${whole.shape}`;
    const node = this.#planned.get(key) ?? this.builder.input(whole.shape, { role: 'parameter', name: value.name });
    this.#planned.set(key, node);
    return node;
  }

  /** A layout of a view as a layout of the file's tensor; undefined if it splits axes of a transposed view. */
  #ofFile({ axes, dims }: WeightValue, layout: WeightLayout): WeightLayout | undefined {
    if (isNatural(axes)) return layout;
    if (!sameShape(layout.split, dims)) return undefined;
    const split = inverse(axes).map((axis) => dims[axis]!);
    return { split, perm: layout.perm.map((axis) => axes[axis]!), shape: layout.shape };
  }

  /** A weight or a computed tensor in a layout that an operation computes with. */
  kernel(value: Value, layout: WeightLayout, use: WeightUse = 'kernel'): Node {
    if (value.kind === 'weight') return this.weight(value, layout, use);
    const { length: rank } = dimsOf(value);
    return inLayout(this.builder, this.natural(value), splitLayout(dimsOf(value), naturalAxes(rank)), layout);
  }

  /** The values in the file if they are a constant that is not trained; undefined if they are computed. */
  known(value: Value): NumberTensor | undefined {
    if (value.kind === 'numbers') return value;
    if (value.kind === 'node') return undefined;
    const { tensor } = this.weights.record(value.name);
    const file = numbers(tensor.values(), tensor.dims, 'float32');
    return isNatural(value.axes) ? file : permuted(file, value.axes);
  }
}

/** The origin of a result that is computed from values. */
export function originOf(values: readonly Value[]): Origin {
  let origin: Origin | undefined;
  for (const value of values) {
    if (value.kind === 'numbers') continue;
    const own = value.kind === 'weight' ? 'weighted' : value.origin;
    if (own === 'weighted') return own;
    origin = origin === undefined || origin === own ? own : 'data';
  }
  return origin ?? 'data';
}
