/** A random graph as it grows: nodes with their values in float64, so that each operation gets operands in its domain. */
import { createRandom, type Random } from '../../../daemon/lc/random.js';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import type { Node } from '../../../daemon/network/ir.js';
import { Operations } from '../../../daemon/network/operations.js';
import { Interpreter } from '../engine/float64/interpreter.js';
import { sizeOf, type Values } from '../engine/float64/tensors.js';

/** Beyond this a node is scaled down before others read it, so that differences keep their digits. */
const largest = 8;

export class Growth {
  readonly graph = new GraphBuilder();
  readonly make = new Operations(this.graph);
  readonly random: Random;
  readonly feeds = new Map<Node, Values>();
  readonly #pool: Node[] = [];
  /** Values of inputs, in the order of their creation. */
  #known = new Interpreter({ inputs: [], outputs: [], nodes: [] }, this.feeds);

  /** @param reuse the probability that an operand is an existing node. */
  constructor(
    seed: number,
    private readonly reuse = 0.7,
  ) {
    this.random = createRandom(seed);
  }

  below = (n: number): number => this.random.below(n);
  between = (low: number, high: number): number => low + this.below(high - low + 1);
  chance = (share: number): boolean => this.random.next() < share;
  one = <T>(items: readonly T[]): T => items[this.below(items.length)]!;
  real = (low: number, high: number): number => Math.fround(low + (high - low) * this.random.next());

  values(node: Node): Values {
    return this.#known.value(node);
  }

  /** A shape of rank 0 to 4. */
  shape(rank = this.below(5)): number[] {
    return Array.from({ length: rank }, () => this.between(1, 4));
  }

  /** A new input of standard normal numbers. */
  input(shape: readonly number[]): Node {
    const node = this.graph.input(shape, { role: 'data', index: this.feeds.size });
    this.feeds.set(
      node,
      Float64Array.from({ length: sizeOf(shape) }, () => this.random.normal()),
    );
    this.#known = new Interpreter({ inputs: [], outputs: [], nodes: [] }, this.feeds);
    return node;
  }

  /** Indices in [0, n), as a constant. */
  indices(shape: readonly number[], n: number): Node {
    return this.graph.constant(
      Int32Array.from({ length: sizeOf(shape) }, () => this.below(n)),
      shape,
      'int32',
    );
  }

  /** An operand of any shape, or of the rank. */
  any(rank?: number): Node {
    if (!this.chance(this.reuse) || this.#pool.length === 0) return this.input(this.shape(rank));
    const node = this.one(this.#pool);
    return rank === undefined || node.shape.length === rank ? node : this.ofShape(this.factors(node, rank), node);
  }

  /** An operand of the shape: made of `from` where that is of its size, else new. */
  ofShape(shape: readonly number[], from?: Node): Node {
    if (from && sizeOf(from.shape) === sizeOf(shape)) return this.make.reshape(from, shape);
    const fitting = this.#pool.filter((node) => sizeOf(node.shape) === sizeOf(shape));
    return fitting.length > 0 && this.chance(this.reuse)
      ? this.make.reshape(this.one(fitting), shape)
      : this.input(shape);
  }

  /** Its size as a product of `rank` factors. */
  factors({ shape }: Node, rank: number): number[] {
    const factors = new Array<number>(rank).fill(1);
    for (const n of shape) factors[this.below(rank)]! *= n;
    return rank === 0 && sizeOf(shape) > 1 ? this.shape(0) : factors;
  }

  /** A shape that broadcasts with the given one, of it or around it. */
  broadcastOf(shape: readonly number[]): number[] {
    const own = shape.slice(this.below(shape.length + 1)).map((n) => (this.chance(0.3) ? 1 : n));
    const front = own.length === shape.length && own.length < 4 && this.chance(0.2) ? [this.between(1, 3)] : [];
    return [...front, ...own];
  }

  /** Above 0.3. */
  positive(x = this.any()): Node {
    return this.make.add(this.make.unary('Softplus', x), 0.3);
  }

  /** Within (-0.9, 0.9). */
  bounded(x = this.any()): Node {
    return this.make.mul(this.make.unary('Tanh', x), 0.9);
  }

  /** A truth of the shape. */
  truth(shape: readonly number[]): Node {
    return this.make.binary('Greater', this.ofShape(shape), this.one([0, 0.5]));
  }

  /** Nodes that others may read from now on: float32 nodes whose values are neither huge nor undefined. */
  keep(node: Node): Node {
    const size = this.values(node).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (!Number.isFinite(size)) throw new RangeError(`${node.op} gave values out of range`);
    const kept = size > largest ? this.make.mul(node, Math.fround(largest / 2 / size)) : node;
    this.#pool.push(kept);
    return kept;
  }

  /** A scalar of all nodes that nobody reads: their sums, weighted at random. */
  loss(): Node {
    const read = new Set(this.#pool.flatMap((node) => [...ancestors(node)]));
    const ends = [...new Set(this.#pool)].filter((node) => !read.has(node));
    return ends
      .map((node) => {
        const weights = Float32Array.from({ length: sizeOf(node.shape) }, () => this.random.normal());
        const weighted = this.make.mul(node, this.graph.constant(weights, node.shape));
        return this.make.reduce('Sum', weighted, [...node.shape.keys()]);
      })
      .reduce(this.make.add);
  }
}

/** Ancestors of the node, without itself. */
function ancestors(node: Node): Set<Node> {
  const found = new Set<Node>();
  const stack = [...node.inputs];
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    stack.push(...next.inputs);
  }
  return found;
}
