import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import type { DType, Graph, Node, Op } from '../../network/ir.js';
import { sameShape } from '../../network/ir.js';
import {
  encodeOnnx,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
} from './protobuf.js';

/** Memory layout of a rank 4 tensor: as in TensorFlow.js (NHWC), or with channels before the image (NCHW). */
export type Layout = 'natural' | 'channels';

/** ONNX's storage of the elements of each type. */
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

const toChannels = [0, 3, 1, 2];
const toNatural = [0, 2, 3, 1];

/** Differences between onnxruntime's execution providers. */
export interface OnnxTarget {
  /** MaxPool can return the places of the maxima. */
  readonly maxPoolPlaces: boolean;
  /** Selu has a kernel. */
  readonly selu: boolean;
  /** Sigmoid has a small relative error, also for small values. */
  readonly smallSigmoid: boolean;
  /** Conv is right for 6, 9, 15... channels (multiples of three, not four) to a multiple of four. */
  readonly convOfThrees: boolean;
  /** Conv is right for a filter as large as the image, with padding at the end only. */
  readonly convOfWholeImages: boolean;
  /** ConvTranspose is right for groups of several channels with one result each. */
  readonly transposeOfGroups: boolean;
}

/** A runtime that computes everything as ONNX defines it. */
export const wholeOnnx: OnnxTarget = {
  maxPoolPlaces: true,
  selu: true,
  smallSigmoid: true,
  convOfThrees: true,
  convOfWholeImages: true,
  transposeOfGroups: true,
};

/** onnxruntime's WebGPU provider (1.30), which has all these faults but that of Sigmoid (for its Conv compare issue 29651 of microsoft/onnxruntime). */
export const gpuOnnx: OnnxTarget = {
  maxPoolPlaces: false,
  selu: false,
  smallSigmoid: true,
  convOfThrees: false,
  convOfWholeImages: false,
  transposeOfGroups: false,
};

/** onnxruntime's CPU provider: its Sigmoid is 0 from -19 on (1.30), so that its logarithm, or a share of a sum, is lost. */
export const cpuOnnx: OnnxTarget = { ...wholeOnnx, smallSigmoid: false };

export interface OnnxModel {
  readonly bytes: Uint8Array;
  /** Names in the order of the graph's inputs and outputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Adds the ONNX nodes of one graph node; ends in `emitter.define(node, ...)`. */
export type EmitRule = (emitter: Emitter, node: Node) => void;

/**
 * Translates a graph to ONNX. Rules ask for their inputs in the layout they compute in. A tensor is transposed at most once, and
 * only if a rule needs the other layout. Equal ONNX nodes are emitted once.
 */
export class Emitter {
  readonly #nodes: OnnxNode[] = [];
  readonly #known = new Map<string, string>();
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #names = new Map<Node, Partial<Record<Layout, string>>>();
  readonly #uses = new Map<Node, number>();
  readonly #readers = new Map<Node, Node[]>();

  constructor(
    graph: Graph,
    readonly target: OnnxTarget,
  ) {
    for (const node of [...graph.nodes.flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.node)])
      this.#uses.set(node, (this.#uses.get(node) ?? 0) + 1);
    for (const reader of graph.nodes)
      for (const node of reader.inputs) this.#readers.set(node, [...(this.#readers.get(node) ?? []), reader]);
  }

  /** Number of nodes and outputs that read it. */
  uses(node: Node): number {
    return this.#uses.get(node) ?? 0;
  }

  /** Number of nodes of a kind that read it. */
  readers(node: Node, op: Op): number {
    return this.#readers.get(node)?.filter((reader) => reader.op === op).length ?? 0;
  }

  /** Adds an ONNX node with one output and returns its name. */
  op(op: string, inputs: readonly string[], attrs: Readonly<Record<string, OnnxAttribute>> = {}, domain?: string) {
    return this.ops(op, inputs, 1, attrs, domain)[0]!;
  }

  ops(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attrs: Readonly<Record<string, OnnxAttribute>> = {},
    domain?: string,
  ): string[] {
    const key = JSON.stringify([op, inputs, outputs, attrs, domain]);
    const known = this.#known.get(key);
    const base = known ?? `t${this.#nodes.length}`;
    const names = Array.from({ length: outputs }, (_, i) => (i === 0 ? base : `${base}_${i}`));
    if (known === undefined) {
      this.#known.set(key, base);
      this.#nodes.push({ op, inputs, outputs: names, attrs, ...(domain === undefined ? {} : { domain }) });
    }
    return names;
  }

  /** Adds an initializer; equal small ones are shared. */
  tensor(type: OnnxType, dims: readonly number[], data: OnnxTensor['data']): string {
    const key =
      data.length <= 64 ? `${type} ${dims} ${[...data].map((v) => (Object.is(v, -0) ? '-0' : v))}` : undefined;
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const name = `c${this.#initializers.size}`;
    this.#initializers.set(name, { type, dims, data });
    if (key !== undefined) this.#known.set(key, name);
    return name;
  }

  /** A scalar of a type. */
  number = (value: number, dtype: DType): string => this.tensor(dtype, [], arrays[dtype].of(value));

  scalar = (value: number): string => this.number(value, 'float32');

  ints = (values: readonly number[]): string =>
    this.tensor(
      'int64',
      [values.length],
      BigInt64Array.from(values, (v) => BigInt(v)),
    );

  reshape = (name: string, dims: readonly number[]): string => this.op('Reshape', [name, this.ints(dims)]);

  /** Records the name of a node's value. */
  define(node: Node, name: string, layout: Layout = 'natural'): void {
    this.#names.set(node, { ...this.#names.get(node), [layout]: name });
  }

  /** The layout of the value, if it has rank 4 and was already computed. */
  layoutOf(node: Node): Layout {
    return this.#names.get(node)?.natural === undefined && this.#names.get(node)?.channels ? 'channels' : 'natural';
  }

  /** The name of a node's value in a layout (layouts matter for rank 4 only). */
  name(node: Node, layout: Layout = 'natural'): string {
    const known = this.#names.get(node)?.[layout];
    if (known !== undefined) return known;
    if (node.op === 'Constant') this.define(node, this.#constant(node));
    const other = this.#names.get(node)?.[layout === 'natural' ? 'channels' : 'natural'];
    if (other === undefined) {
      const now = this.#names.get(node)?.[layout];
      if (now === undefined) throw new Error(`${node.op} ${node.id} was read before it was emitted`);
      return now;
    }
    const moved = this.#toLayout(node, other, layout);
    this.define(node, moved, layout);
    return moved;
  }

  #toLayout({ shape }: Node, name: string, layout: Layout): string {
    const perm = layout === 'channels' ? toChannels : toNatural;
    const [b, h, w, c] = shape as [number, number, number, number];
    // With one channel or one pixel, both layouts are the same sequence.
    if (c === 1 || h * w === 1) return this.reshape(name, layout === 'channels' ? [b, c, h, w] : [b, h, w, c]);
    return this.op('Transpose', [name], { perm });
  }

  #constant({ constant, shape, dtype }: Node): string {
    const of = arrays[dtype];
    if (typeof constant === 'number' && sizeOf(shape) > 64)
      return this.op('Expand', [this.number(constant, dtype), this.ints(shape)]);
    const values = typeof constant === 'number' ? new of(sizeOf(shape)).fill(constant) : of.from(constant!);
    return this.tensor(dtype, shape, values);
  }

  /** The model file. */
  finish(graph: Graph, opsets: Readonly<Record<string, number>>): OnnxModel {
    const parts = this.parts(graph);
    const names = (values: OnnxGraph['inputs']) => values.map(({ name }) => name);
    return { bytes: encodeOnnx(parts, opsets), inputs: names(parts.inputs), outputs: names(parts.outputs) };
  }

  /** The parts of the file, without nodes that are not read. Inputs and outputs are named in the graph's order. */
  parts(graph: Graph): OnnxGraph {
    const inputs = graph.inputs.map(({ node }) => ({ name: this.name(node), type: node.dtype, dims: node.shape }));
    const sources = graph.outputs.map(({ node }) => this.name(node));
    const produced = new Set(this.#nodes.flatMap((node) => node.outputs));
    const renamed = new Map<string, string>();
    const outputs = graph.outputs.map(({ node }, i) => {
      const [from, name] = [sources[i]!, `out${i}`];
      if (produced.has(from) && !renamed.has(from)) renamed.set(from, name);
      else this.#nodes.push({ op: 'Identity', inputs: [from], outputs: [name], attrs: {} });
      return { name, type: node.dtype, dims: node.shape };
    });
    const rename = (name: string) => renamed.get(name) ?? name;
    const live = new Set(outputs.map(({ name }) => name));
    const nodes: OnnxNode[] = [];
    for (const node of this.#nodes.toReversed()) {
      const outs = node.outputs.map(rename);
      if (!outs.some((name) => live.has(name))) continue;
      const ins = node.inputs.map(rename);
      for (const name of ins) live.add(name);
      nodes.push({ ...node, inputs: ins, outputs: outs });
    }
    nodes.reverse();
    const initializers = new Map([...this.#initializers].filter(([name]) => live.has(name)));
    return { nodes, inputs, outputs, initializers };
  }
}

/** The layout that avoids transposes for a node with these operands. */
export function commonLayout(emitter: Emitter, node: Node): Layout {
  if (node.shape.length !== 4) return 'natural';
  const whole = node.inputs.filter((input) => sameShape(input.shape, node.shape) && input.op !== 'Constant');
  return whole.some((input) => emitter.layoutOf(input) === 'channels') ? 'channels' : 'natural';
}

/** The operand of a rank 4 element-wise node, reshaped so that it broadcasts in the layout. */
export function operand(emitter: Emitter, node: Node, layout: Layout): string {
  if (layout === 'natural' || sizeOf(node.shape) === 1) return emitter.name(node);
  if (node.shape.length === 4) return emitter.name(node, layout);
  const shape = [...Array<number>(4 - node.shape.length).fill(1), ...node.shape];
  const [b, h, w, c] = shape as [number, number, number, number];
  return h * w === 1 || c === 1
    ? emitter.reshape(emitter.name(node), [b, c, h, w])
    : emitter.op('Transpose', [emitter.reshape(emitter.name(node), shape)], { perm: toChannels });
}

export const unsupported = (node: Node, detail: string): UserError =>
  new UserError(
    'model-unsupported',
    `${node.layer ? `layer "${node.layer}"` : 'the model'} cannot be compiled: ${node.op} ${detail}`,
  );
