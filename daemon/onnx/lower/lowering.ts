import type { GraphBuilder, NodeSpec } from '../../network/builder.js';
import { type DType, type Node, sameShape } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';
import { numbers, type NumberTensor, permuted, splatOf } from './values/numberTensor.js';
import {
  channelsLast,
  dimsOf,
  inverse,
  isNatural,
  naturalAxes,
  type NodeValue,
  type Origin,
  type Value,
  type WeightValue,
} from './values/value.js';
import { permutedLayout, splitLayout, type WeightLayout } from './values/weightLayout.js';
import { inLayout, type Weights } from './weights.js';

/** How a weight is read. */
export type WeightUse = 'kernel' | 'parameter' | 'state';

/** What a pass is lowered for. */
export interface LoweringSpec {
  readonly builder: GraphBuilder;
  readonly weights: Weights;
  readonly batch: number;
  /** The batch that a file without an open batch axis was written for, and that its constants hold. */
  readonly fileBatch: number | undefined;
  /** Shapes of the file's values for that batch, where the pass has another one. */
  readonly written: ReadonlyMap<string, readonly number[]> | undefined;
  readonly training: boolean;
  /** The network's own node of a weight; undefined while the model is planned, when readers say what they want. */
  readonly weight: ((name: string) => Node) | undefined;
}

/** Values of one pass, and how they become nodes. */
export class Lowering {
  readonly builder: GraphBuilder;
  readonly weights: Weights;
  readonly batch: number;
  readonly fileBatch: number | undefined;
  readonly written: LoweringSpec['written'];
  readonly training: boolean;
  /** Data inputs that an operation over images reads with channels first. */
  readonly images = new Set<number>();
  /** The next values of states. */
  readonly states = new Map<string, Node>();
  readonly #weight: LoweringSpec['weight'];
  /** Where samples are not the outer part of their axis: how often the axis has them all, by the name of the value. */
  readonly #outer = new Map<string, number>();
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

  /** Whether this only finds out what readers want of weights. */
  get plans(): boolean {
    return this.#weight === undefined;
  }

  /** [steps * batch, features] has the samples inside of 'steps': they begin anew that often. */
  outerOf = (name: string): number => this.#outer.get(name) ?? 1;

  setOuter(name: string, outer: number): void {
    if (outer !== 1) this.#outer.set(name, outer);
  }

  /** A result whose axis of samples is that of an input, by its size, has the samples as the input has them. */
  inheritOuter(output: string, dims: readonly number[], inputs: readonly string[], values: ReadonlyMap<string, Value>): void { // prettier-ignore
    if (!this.written || this.#outer.has(output)) return;
    const size = this.#sizeOfBatch(output, dims);
    const from = inputs.find((name) => this.#outer.has(name) && this.#sizeOfBatch(name, dimsOf(values.get(name)!)) === size); // prettier-ignore
    if (from !== undefined) this.#outer.set(output, this.#outer.get(from)!);
  }

  /** The size of the axis that is another one than in the file. */
  #sizeOfBatch(name: string, dims: readonly number[]): number | undefined {
    const before = this.written?.get(name);
    return dims.find((n, axis) => before?.length === dims.length && n !== before[axis]);
  }

  add(op: NodeSpec['op'], inputs: readonly Node[], shape: readonly number[], attrs: NodeSpec['attrs'] = {}, dtype?: DType): Node { // prettier-ignore
    return this.builder.add({ op, inputs, shape, attrs, ...(dtype === undefined ? {} : { dtype }) });
  }

  scalar = (value: number, dtype: DType = 'float32'): Node => this.builder.constant(value, [], dtype);

  reshape(node: Node, shape: readonly number[]): Node {
    if (sizeOf(node.shape) !== sizeOf(shape)) throw new RangeError(`[${node.shape}] cannot become [${shape}]`);
    return this.add('Reshape', [node], shape);
  }

  transpose(node: Node, perm: readonly number[]): Node {
    return this.add('Transpose', [node], perm.map((axis) => node.shape[axis]!), { perm }); // prettier-ignore
  }

  cast(node: Node, dtype: DType): Node {
    return this.add('Cast', [node], node.shape, {}, dtype);
  }

  /** The value of a node whose axis j is the value's axis order[j]. */
  value(node: Node, order: readonly number[] = naturalAxes(node.shape.length), origin: Origin = 'weighted'): NodeValue {
    return { kind: 'node', node, axes: inverse(order), origin };
  }

  /** A node whose axis j is the value's axis order[j]. */
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
    // Whole numbers are of 64 bits in the file; what is beyond 32 is a limit, such as "to the end".
    const whole = (v: number) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, v));
    return this.builder.constant(splat === undefined ? Int32Array.from(data, whole) : whole(splat), dims, dtype);
  }

  /** The node of a weight, lying as the reader wants it; `layout` is of this view of it. */
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

  /** A layout of a view as one of the file's tensor; undefined where it splits axes of a transposed view. */
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

  /** The values in the file, where they are a constant of an operation and not trained; undefined: they are computed. */
  known(value: Value): NumberTensor | undefined {
    if (value.kind === 'numbers') return value;
    if (value.kind === 'node') return undefined;
    const { tensor } = this.weights.record(value.name);
    const file = numbers(tensor.values(), tensor.dims, 'float32');
    return isNatural(value.axes) ? file : permuted(file, value.axes);
  }
}

/** Where the result of an operation on values comes from. */
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
