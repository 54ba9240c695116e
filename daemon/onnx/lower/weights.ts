import type { GraphBuilder } from '../../network/builder.js';
import { inverse, type Node } from '../../network/ir.js';
import type { OnnxGraph, OnnxTensor } from '../file/onnxModel.js';
import { isNatural } from './values/value.js';
import { fileLayout, sameLayout, type WeightLayout } from './values/weightLayout.js';

/** The facts about an initializer that is a weight. Its readers add to them while the model is planned. */
export interface WeightRecord {
  readonly name: string;
  readonly tensor: OnnxTensor;
  /** The layouts that it is read in. */
  readonly wanted: WeightLayout[];
  /** The layer of the first operation that reads it. */
  layer: string | undefined;
  /** Whether it is a kernel or an embedding: budgets on weights count these. */
  prunable: boolean;
  /** Number of operations that read it as a moving average. */
  asState: number;
  /** Number of operations that read it as a trained parameter. */
  asParameter: number;
  /** The file freezes it (a frozen BatchNormalization): it gets no gradient. */
  frozen: boolean;
}

const isFloat = ({ type }: OnnxTensor): boolean => ['float', 'float16', 'bfloat16', 'double'].includes(type);

/** What attention masks add to scores that must not count is at most this: -100 (Swin), -1e4, the least float, -Infinity. */
const hiding = -100;

const masks = new WeakMap<OnnxTensor, boolean>();

function holdsMask(tensor: OnnxTensor): boolean {
  if (tensor.dims.length < 2) return false;
  let hidden = 0;
  for (const x of tensor.values()) {
    if (x === 0 || x === hidden) continue;
    if (hidden !== 0 || !(x <= hiding)) return false;
    hidden = x;
  }
  return hidden !== 0;
}

/** Whether a tensor is an attention mask, which is not trained: 0 where a position is seen, one number far below 0 elsewhere. */
function isMask(tensor: OnnxTensor): boolean {
  const known = masks.get(tensor) ?? holdsMask(tensor);
  masks.set(tensor, known);
  return known;
}

/**
 * Initializers that may be weights: numbers with a fraction, of one axis at least, that are no mask. Whether one is, its readers
 * decide: limits, scales of images and constants of normalisation are none.
 */
export const mayBeWeight = (tensor: OnnxTensor): boolean =>
  isFloat(tensor) && tensor.dims.length > 0 && !isMask(tensor);

/** The weights of a model, by the initializer's name. Initializers that share a tensor are one weight. */
export class Weights {
  readonly #records = new Map<string, WeightRecord>();
  /** The layout of each weight, once all readers are known. */
  readonly #layouts = new Map<string, WeightLayout>();

  constructor(private readonly graph: OnnxGraph) {}

  record(name: string): WeightRecord {
    const known = this.#records.get(name);
    if (known) return known;
    const tensor = this.graph.initializers.get(name);
    if (!tensor) throw new Error(`there is no initializer ${name}`);
    const record: WeightRecord = { name, tensor, wanted: [], layer: undefined, prunable: false, asState: 0, asParameter: 0, frozen: false }; // prettier-ignore
    this.#records.set(name, record);
    return record;
  }

  /** The initializers that some operation reads as a weight, in the file's order. */
  used(): WeightRecord[] {
    return [...this.graph.initializers.keys()]
      .map((name) => this.#records.get(name))
      .filter((record) => record !== undefined)
      .filter((record) => record.wanted.length > 0);
  }

  /**
   * The layout of the network's tensor: the one that all readers need, else the file's, which each reader transposes.
   */
  layout(name: string): WeightLayout {
    const known = this.#layouts.get(name);
    if (known) return known;
    const { wanted, tensor } = this.record(name);
    const [first, ...rest] = wanted;
    const chosen = first && rest.every((other) => sameLayout(first, other)) ? first : fileLayout(tensor.dims);
    this.#layouts.set(name, chosen);
    return chosen;
  }
}

function moved(builder: GraphBuilder, node: Node, perm: readonly number[]): Node {
  if (isNatural(perm)) return node;
  return builder.add({
    op: 'Transpose',
    inputs: [node],
    attrs: { perm },
    shape: perm.map((axis) => node.shape[axis]!),
  });
}

const shaped = (builder: GraphBuilder, node: Node, shape: readonly number[]): Node =>
  builder.add({ op: 'Reshape', inputs: [node], shape });

/** The node of a weight in another layout; `from` is its present one. */
export function inLayout(builder: GraphBuilder, node: Node, from: WeightLayout, to: WeightLayout): Node {
  if (sameLayout(from, to)) return node;
  const apart = shaped(builder, node, from.perm.map((axis) => from.split[axis]!)); // prettier-ignore
  const asFile = moved(builder, apart, inverse(from.perm)); // prettier-ignore
  return shaped(builder, moved(builder, shaped(builder, asFile, to.split), to.perm), to.shape);
}
