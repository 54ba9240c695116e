/** Small networks written as code: what an import makes of a file, in as few lines as the idea needs. */
import type { GraphBuilder } from '../../../../daemon/network/builder.js';
import { type Attributes, broadcastShape, type Node, type Op } from '../../../../daemon/network/ir.js';
import type { Network, NetworkWeight, PassSpec } from '../../../../daemon/network/network.js';
import { GraphBuilder as Builder } from '../../../../daemon/network/builder.js';

type Shape = readonly number[];
const size = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** Layers on a builder; each is called what its weights begin with. */
export class Sketch {
  readonly weights: NetworkWeight[] = [];

  constructor(
    readonly builder: GraphBuilder,
    private readonly spec: PassSpec | null,
  ) {}

  op(op: Op, inputs: readonly Node[], shape: Shape, attrs: Attributes = {}): Node {
    return this.builder.add({ op, inputs, shape, attrs });
  }

  at<T>(layer: string, make: () => T): T {
    const around = this.builder.layer;
    this.builder.layer = layer;
    const made = make();
    this.builder.layer = around;
    return made;
  }

  weight(name: string, shape: Shape, trainable = true): Node {
    if (this.spec) return this.spec.weight(name);
    this.weights.push({ name, layer: name.split('.')[0]!, shape, trainable, prunable: shape.length > 1 });
    return this.builder.input(shape, { role: 'parameter', name });
  }

  matMul(a: Node, b: Node, transposeB = false): Node {
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.op('MatMul', [a, b], [...batch, a.shape.at(-2)!, b.shape.at(transposeB ? -2 : -1)!], { transposeA: false, transposeB }); // prettier-ignore
  }

  binary(op: Op, a: Node, b: Node): Node {
    return this.op(op, [a, b], broadcastShape(a.shape, b.shape));
  }

  add = (a: Node, b: Node): Node => this.binary('Add', a, b);
  multiply = (a: Node, b: Node): Node => this.binary('Multiply', a, b);
  unary = (op: Op, x: Node): Node => this.op(op, [x], x.shape);
  relu = (x: Node): Node => this.unary('Relu', x);
  number = (value: number): Node => this.builder.constant(value, []);
  reshape = (x: Node, shape: Shape): Node => this.op('Reshape', [x], shape);
  transpose = (x: Node, perm: Shape): Node => this.op('Transpose', [x], perm.map((axis) => x.shape[axis]!), { perm }); // prettier-ignore
  concat = (xs: readonly Node[], axis: number): Node => this.op('Concat', xs, xs[0]!.shape.with(axis, xs.reduce((sum, x) => sum + x.shape[axis]!, 0)), { axis }); // prettier-ignore
  softmax = (x: Node): Node => this.op('Softmax', [x], x.shape);

  slice(x: Node, axis: number, from: number, count: number): Node {
    return this.op('Slice', [x], x.shape.with(axis, count), { begin: x.shape.map((_, i) => (i === axis ? from : 0)) });
  }

  /** Equal parts along an axis. */
  split(x: Node, axis: number, parts: number): Node[] {
    const count = x.shape[axis]! / parts;
    return Array.from({ length: parts }, (_, i) => this.slice(x, axis, i * count, count));
  }

  reduce(op: Op, x: Node, axes: Shape, keepDims = true): Node {
    const shape = keepDims ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : x.shape.filter((_, i) => !axes.includes(i)); // prettier-ignore
    return this.op(op, [x], shape, { axes, keepDims });
  }

  dense(name: string, x: Node, units: number, bias = true): Node {
    return this.at(name, () => {
      const rows = x.shape.length === 2 ? x : this.reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1)!]);
      let y = this.matMul(rows, this.weight(`${name}.kernel`, [x.shape.at(-1)!, units]));
      if (bias) y = this.add(y, this.weight(`${name}.bias`, [units]));
      return this.reshape(y, [...x.shape.slice(0, -1), units]);
    });
  }

  /** @param kernel the filter; default: a weight of the layer. */
  conv(name: string, x: Node, filters: number, { field = 1, pad = 0, bias = true, kernel = null as Node | null } = {}): Node {
    return this.at(name, () => {
      const filter = kernel ?? this.weight(`${name}.kernel`, [field, field, x.shape[3]!, filters]);
      const out = (n: number) => n + 2 * pad - field + 1;
      const y = this.op('Conv2D', [x, filter], [x.shape[0]!, out(x.shape[1]!), out(x.shape[2]!), filters], { strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] });
      return bias ? this.add(y, this.weight(`${name}.bias`, [filters])) : y;
    });
  } // prettier-ignore

  /** A transposed convolution by a filter of 1 x 1, [1, 1, filters, channels]. */
  transposed(name: string, x: Node, filters: number): Node {
    return this.at(name, () =>
      this.op('Conv2DBackpropInput', [x, this.weight(`${name}.kernel`, [1, 1, filters, x.shape[3]!])], [...x.shape.slice(0, 3), filters], { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }),
    );
  } // prettier-ignore

  depthwise(name: string, x: Node, multiplier = 1, field = 1): Node {
    const pad = (field - 1) / 2;
    return this.at(name, () =>
      this.op('DepthwiseConv2D', [x, this.weight(`${name}.kernel`, [field, field, x.shape[3]!, multiplier])], [...x.shape.slice(0, 3), x.shape[3]! * multiplier], { strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] }),
    );
  } // prettier-ignore

  pool(op: 'MaxPool' | 'AvgPool', x: Node): Node {
    const out = (n: number) => Math.floor((n - 2) / 2) + 1;
    return this.op(op, [x], [x.shape[0]!, out(x.shape[1]!), out(x.shape[2]!), x.shape[3]!], { window: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] }); // prettier-ignore
  }

  batchNorm(name: string, x: Node): Node {
    return this.at(name, () => {
      const n = [x.shape.at(-1)!];
      const scale = this.unary('Rsqrt', this.add(this.weight(`${name}.variance`, n, false), this.number(1e-3)));
      const centred = this.binary('Sub', x, this.weight(`${name}.mean`, n, false));
      const scaled = this.multiply(centred, this.multiply(this.weight(`${name}.gamma`, n), scale));
      return this.add(scaled, this.weight(`${name}.beta`, n));
    });
  }

  /** Normalises over the last `count` axes, with a scale and a shift along the last. */
  layerNorm(name: string, x: Node, count = 1): Node {
    return this.at(name, () => {
      const axes = x.shape.map((_, i) => i).slice(-count);
      const centred = this.binary('Sub', x, this.reduce('Mean', x, axes));
      const variance = this.reduce('Mean', this.unary('Square', centred), axes);
      const normal = this.multiply(centred, this.unary('Rsqrt', this.add(variance, this.number(1e-5))));
      const n = [x.shape.at(-1)!];
      return this.add(this.multiply(normal, this.weight(`${name}.gamma`, n)), this.weight(`${name}.beta`, n));
    });
  }

  /** In the form of PyTorch's export: the groups are an axis with their own statistics. */
  groupNorm(name: string, x: Node, groups: number): Node {
    return this.at(name, () => {
      const [batch, height, width, channels] = x.shape as [number, number, number, number];
      const split = this.reshape(x, [batch, height, width, groups, channels / groups]);
      const centred = this.binary('Sub', split, this.reduce('Mean', split, [1, 2, 4]));
      const variance = this.reduce('Mean', this.unary('Square', centred), [1, 2, 4]);
      const normal = this.multiply(centred, this.unary('Rsqrt', this.add(variance, this.number(1e-5))));
      const whole = this.reshape(normal, x.shape);
      return this.add(this.multiply(whole, this.weight(`${name}.gamma`, [channels])), this.weight(`${name}.beta`, [channels])); // prettier-ignore
    });
  }

  /** Self-attention over [1, steps, width]. @param packed one kernel for queries, keys and values. */
  attention(name: string, x: Node, heads: number, width: number, packed = false): Node {
    const [, steps, features] = x.shape as [number, number, number];
    const inner = heads * width;
    const parts = packed
      ? this.split(this.dense(`${name}_qkv`, x, 3 * inner), 2, 3)
      : ['q', 'k', 'v'].map((part) => this.dense(`${name}_${part}`, x, inner));
    return this.at(name, () => {
      const [q, k, v] = parts.map((part) => this.transpose(this.reshape(part, [1, steps, heads, width]), [0, 2, 1, 3])) as [Node, Node, Node]; // prettier-ignore
      const scores = this.multiply(this.matMul(q, k, true), this.number(1 / Math.sqrt(width)));
      const mixed = this.transpose(this.matMul(this.softmax(scores), v), [0, 2, 1, 3]);
      return this.dense(`${name}_o`, this.reshape(mixed, [1, steps, inner]), features);
    });
  }

  /** The last state of an LSTM over [1, steps, features], unrolled; gates i, f, c, o side by side. */
  lstm(name: string, x: Node, units: number): Node {
    const [kernel, recurrent, bias] = [
      this.weight(`${name}.kernel`, [x.shape[2]!, 4 * units]),
      this.weight(`${name}.recurrent`, [units, 4 * units]),
      this.weight(`${name}.bias`, [4 * units]),
    ];
    return this.at(name, () => {
      let [h, c]: Node[] = [this.builder.constant(0, [1, units]), this.builder.constant(0, [1, units])];
      for (let t = 0; t < x.shape[1]!; t++) {
        const step = this.reshape(this.slice(x, 1, t, 1), [1, x.shape[2]!]);
        const z = this.add(this.add(this.matMul(step, kernel), this.matMul(h!, recurrent)), bias);
        const [i, f, g, o] = this.split(z, 1, 4).map((gate, k) => this.unary(k === 2 ? 'Tanh' : 'Sigmoid', gate));
        c = this.add(this.multiply(f!, c!), this.multiply(i!, g!));
        h = this.multiply(o!, this.unary('Tanh', c));
      }
      return h!;
    });
  }

  /** The last state of a GRU; gates z, r, h. */
  gru(name: string, x: Node, units: number): Node {
    const kernel = this.weight(`${name}.kernel`, [x.shape[2]!, 3 * units]);
    const recurrent = this.weight(`${name}.recurrent`, [units, 3 * units]);
    return this.at(name, () => {
      let h: Node = this.builder.constant(0, [1, units]);
      for (let t = 0; t < x.shape[1]!; t++) {
        const step = this.reshape(this.slice(x, 1, t, 1), [1, x.shape[2]!]);
        const [xz, xr, xh] = this.split(this.matMul(step, kernel), 1, 3);
        const [hz, hr, hh] = this.split(this.matMul(h, recurrent), 1, 3);
        const z = this.unary('Sigmoid', this.add(xz!, hz!));
        const r = this.unary('Sigmoid', this.add(xr!, hr!));
        const candidate = this.unary('Tanh', this.add(xh!, this.multiply(r, hh!)));
        h = this.add(this.multiply(z, h), this.multiply(this.binary('Sub', this.number(1), z), candidate));
      }
      return h;
    });
  }

  /** Convolves channels in groups, each with its own filters, in one weight. */
  grouped(name: string, x: Node, filters: number, groups: number): Node {
    return this.at(name, () => {
      const kernel = this.weight(`${name}.kernel`, [1, 1, x.shape[3]! / groups, filters]);
      const kernels = this.split(kernel, 3, groups);
      const parts = this.split(x, 3, groups).map((part, i) => this.conv(name, part, filters / groups, { kernel: kernels[i]!, bias: false })); // prettier-ignore
      return this.concat(parts, 3);
    });
  }

  embedding(name: string, indices: Node, words: number, width: number): Node {
    return this.at(name, () => {
      const whole = this.builder.add({ op: 'Cast', inputs: [indices], shape: indices.shape, dtype: 'int32' });
      const table = this.weight(`${name}.table`, [words, width]);
      return this.builder.add({ op: 'Gather', inputs: [table, whole], shape: [...indices.shape, width], attrs: { axis: 0 } }); // prettier-ignore
    });
  }
}

/** A network of one sample; shapes without the batch. */
export function networkOf(inputShapes: readonly Shape[], make: (s: Sketch, data: readonly Node[]) => Node | readonly Node[]): Network {
  const outputsOf = (s: Sketch, data: readonly Node[]) => [make(s, data)].flat() as Node[];
  const builder = new Builder();
  const first = new Sketch(builder, null);
  const outputs = outputsOf(first, inputShapes.map((shape, index) => builder.input([1, ...shape], { role: 'data', index })));
  const named = (shapes: readonly Shape[], what: string) => shapes.map((shape, i) => ({ name: `${what}${i}`, shape }));
  return {
    inputs: named(inputShapes, 'input'),
    outputs: named(outputs.map(({ shape }) => shape.slice(1)), 'output'),
    weights: first.weights,
    pass: (graph, spec) => ({ outputs: outputsOf(new Sketch(graph, spec), spec.data), states: new Map() }),
  };
} // prettier-ignore
