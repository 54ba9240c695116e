/** Random networks over everything that the structure has a rule for, with half of their units at 0. */
import type { Node, Op } from '../../../../daemon/network/ir.js';
import { createRandom, type Random } from '../../../../daemon/lc/random.js';
import type { Network } from '../../../../daemon/network/network.js';
import { unitGroups } from '../../../../daemon/network/structure/structure.js';
import type { UnitGroups } from '../../../../daemon/network/structure/unitGroups.js';
import { networkOf, type Sketch } from './sketch.js';
import { zeroUnits } from './zeroUnits.js';

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;
const chance = (random: Random, p: number): boolean => random.next() < p;
const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const TOKENS = 6;

/** Names layers as it draws them. */
class Draw {
  #next = 0;
  constructor(
    readonly s: Sketch,
    readonly random: Random,
  ) {}

  name = (what: string): string => `${what}_${this.#next++}`;
  below = (n: number): number => this.random.below(n);
  units = (): number => 2 + this.below(5);
}

type Step = (d: Draw, x: Node) => Node;

const activation: Step = ({ s, random }, x) => {
  const op = pick<Op | 'swish' | 'gelu'>(random, ['Relu', 'Relu', 'Relu', 'Tanh', 'Sigmoid', 'Softplus', 'Elu', 'Abs', 'Cos', 'Relu6', 'swish', 'gelu']); // prettier-ignore
  if (op === 'swish') return s.multiply(x, s.unary('Sigmoid', x));
  if (op === 'gelu') return s.multiply(s.multiply(x, s.number(0.5)), s.add(s.unary('Erf', s.multiply(x, s.number(Math.SQRT1_2))), s.number(1))); // prettier-ignore
  return s.unary(op, x);
};

const elementwise: Step = (d, x) => {
  const { s } = d;
  return pick<() => Node>(d.random, [
    () => activation(d, x),
    () => activation(d, x),
    () => s.batchNorm(d.name('bn'), x),
    () => s.batchNorm(d.name('bn'), x),
    () => (chance(d.random, 0.3) ? s.layerNorm(d.name('ln'), x) : activation(d, x)),
    () => s.op('Prelu', [x, s.weight(`${d.name('prelu')}.alpha`, [x.shape.at(-1)!])], x.shape),
    () => s.op('ClipByValue', [x], x.shape, { min: -1, max: 2 }),
    () => s.multiply(x, s.weight(`${d.name('scale')}.gamma`, [x.shape.at(-1)!])),
    () => s.op('Reverse', [x], x.shape, { axes: [x.shape.length - 1] }),
    () => (chance(d.random, 0.2) ? s.softmax(x) : activation(d, x)),
  ])();
};

/** Two ways from one tensor to one shape, joined. */
const fork = (d: Draw, x: Node, branch: Step): Node => {
  const { s } = d;
  const one = branch(d, x);
  const other = one.shape.every((n, i) => n === x.shape[i]) && chance(d.random, 0.6) ? x : elementwise(d, one);
  const last = one.shape.length - 1;
  return s.at(d.name('join'), () =>
    pick<() => Node>(d.random, [
      () => s.add(one, other),
      () => s.add(one, other),
      () => s.multiply(one, other),
      () => s.binary('Maximum', one, other),
      () => s.concat([one, other], last),
      () => s.concat([other, one, s.builder.constant(0, one.shape)], last),
    ])(),
  );
};

/** Concatenates both if their other axes are equal; else returns the second. */
const beside = (s: Sketch, a: Node, b: Node): Node => {
  const last = a.shape.length - 1;
  return a.shape.slice(0, -1).every((n, i) => n === b.shape[i]) ? s.concat([a, b], last) : b;
};

/** Halves of the channels that meet again: gated, added, or one of them through another step. */
const halves = (d: Draw, x: Node, branch: Step): Node => {
  const { s } = d;
  const last = x.shape.length - 1;
  if (x.shape[last]! % 2 !== 0) return x;
  const [a, b] = s.split(x, last, 2) as [Node, Node];
  return s.at(d.name('halves'), () =>
    pick<() => Node>(d.random, [
      () => s.multiply(a, s.unary('Sigmoid', b)),
      () => s.concat([b, a], last),
      () => beside(s, a, branch(d, b)),
    ])(),
  );
};

const dense: Step = (d, x) => d.s.dense(d.name('dense'), x, d.units(), chance(d.random, 0.7));

const vector: Step = (d, x) =>
  pick<() => Node>(d.random, [
    () => dense(d, x),
    () => dense(d, x),
    () => elementwise(d, x),
    () => fork(d, x, dense),
    () => halves(d, x, dense),
    () => d.s.add(dense(d, x), d.s.reduce('Sum', x, [1])),
    () => d.s.op('Tile', [x], [1, 2 * x.shape[1]!], { reps: [1, 2] }),
  ])();

const conv: Step = (d, x) => {
  const fits = x.shape[1]! > 2 && x.shape[2]! > 2;
  const wide = chance(d.random, 0.5);
  return d.s.conv(d.name('conv'), x, d.units(), { field: wide ? 3 : 1, pad: wide && (!fits || chance(d.random, 0.5)) ? 1 : 0, bias: chance(d.random, 0.7) }); // prettier-ignore
};

/** Squeeze and excitation. */
const excite: Step = (d, x) => {
  const { s } = d;
  const mean = s.reduce('Mean', x, [1, 2], false);
  const inner = s.relu(s.dense(d.name('squeeze'), mean, 2));
  const gate = s.unary('Sigmoid', s.dense(d.name('excite'), inner, x.shape[3]!));
  return s.multiply(x, s.reshape(gate, [1, 1, 1, x.shape[3]!]));
};

const image: Step = (d, x) => {
  const { s } = d;
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const even = channels % 2 === 0;
  return pick<() => Node>(d.random, [
    () => conv(d, x),
    () => conv(d, x),
    () => elementwise(d, x),
    () => fork(d, x, conv),
    () => halves(d, x, conv),
    () => excite(d, x),
    () => s.depthwise(d.name('depthwise'), x, 1 + d.below(2), chance(d.random, 0.5) ? 3 : 1),
    () => s.transposed(d.name('transposed'), x, d.units()),
    () => (height > 1 && width > 1 ? s.pool(pick(d.random, ['MaxPool', 'AvgPool']), x) : conv(d, x)),
    () => (even ? s.grouped(d.name('grouped'), x, 4, 2) : conv(d, x)),
    () => (even && chance(d.random, 0.3) ? s.groupNorm(d.name('gn'), x, 2) : conv(d, x)),
    () => (even ? s.reshape(s.transpose(s.reshape(x, [1, height, width, 2, channels / 2]), [0, 1, 2, 4, 3]), x.shape) : conv(d, x)), // prettier-ignore
    () => s.op('Pad', [x], [1, height + 1, width, channels + 1], { before: [0, 1, 0, 0], after: [0, 0, 0, 1], value: 0 }), // prettier-ignore
    () => s.op('ResizeNearest', [x], [1, height + 1, width, channels], { alignCorners: false, halfPixelCenters: false }), // prettier-ignore
  ])();
};

const sequence: Step = (d, x) => {
  const { s } = d;
  const feedForward = (y: Node) => s.dense(d.name('down'), activation(d, s.dense(d.name('up'), y, d.units())), x.shape[2]!); // prettier-ignore
  return pick<() => Node>(d.random, [
    () => dense(d, x),
    () => elementwise(d, x),
    () => fork(d, x, dense),
    () => s.add(x, s.attention(d.name('attention'), x, 2, 1 + d.below(3), chance(d.random, 0.5))),
    () => s.attention(d.name('attention'), s.layerNorm(d.name('ln'), x), 2, 2),
    () => s.add(x, feedForward(s.layerNorm(d.name('ln'), x))),
    () => s.transpose(x, [0, 2, 1]),
  ])();
};

const toVector: Step = (d, x) => {
  const { s } = d;
  if (x.shape.length === 2) return x;
  const flat = s.reshape(x, [1, size(x.shape)]);
  const axes = x.shape.map((_, i) => i).slice(1, -1);
  if (x.shape.length === 4) {
    const nchw = s.transpose(x, [0, 3, 1, 2]);
    return pick<() => Node>(d.random, [() => flat, () => s.reshape(nchw, [1, size(x.shape)]), () => s.reduce(pick(d.random, ['Mean', 'Max', 'Sum']), x, axes, false)])(); // prettier-ignore
  }
  return pick<() => Node>(d.random, [
    () => flat,
    () => s.reduce('Mean', x, axes, false),
    () => s.lstm(d.name('lstm'), x, d.units()),
    () => s.gru(d.name('gru'), x, d.units()),
    () => s.reshape(s.slice(x, 1, 0, 1), [1, x.shape[2]!]),
  ])();
};

const KINDS = ['vector', 'image', 'image', 'image', 'sequence', 'sequence', 'tokens'] as const;

function draw(s: Sketch, data: Node, kind: (typeof KINDS)[number], random: Random): Node {
  const d = new Draw(s, random);
  const step = { vector, image, sequence, tokens: sequence }[kind];
  let x = kind === 'tokens' ? s.embedding(d.name('embedding'), data, TOKENS, d.units()) : data;
  for (let i = 1 + d.below(5); i > 0; i--) if (size(x.shape) < 400) x = step(d, x);
  x = toVector(d, x);
  for (let i = d.below(3); i > 0; i--) x = vector(d, x);
  return s.dense(d.name('end'), x, 2, chance(random, 0.8));
}

export interface RandomPass {
  readonly network: Network;
  readonly groups: UnitGroups;
  /** Weights by name. In half of the groups every weight that makes or shifts the unit is 0. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly zeroed: readonly number[];
  /** Number of different tokens in the data; 0 if it holds numbers. */
  readonly tokens: number;
}

function drawWeights(network: Network, random: Random): Map<string, Float32Array> {
  const sparse = chance(random, 0.5);
  return new Map(
    network.weights.map(({ name, shape }) => {
      const values = Float32Array.from({ length: size(shape) }, () => random.normal());
      if (name.endsWith('variance')) return [name, values.map((x) => 0.5 + Math.abs(x))];
      const dead = Uint8Array.from({ length: shape.at(-2) ?? 0 }, () => Number(sparse && chance(random, 0.3)));
      // Rows that read nothing; and biases that leave a unit without inputs at a constant.
      return [name, values.map((x, i) => (dead[Math.floor(i / shape.at(-1)!) % (shape.at(-2) ?? 1)] ? 0 : x))];
    }),
  );
}

/** The network of a seed. */
export function randomPass(seed: number): RandomPass {
  const random = createRandom(seed);
  const kind = pick(random, KINDS);
  const shape = { vector: [5], image: [3 + random.below(3), 4, 1 + random.below(4)], sequence: [3, 4], tokens: [3] }[kind];
  const network = networkOf([shape], (s, [data]) => draw(s, data!, kind, createRandom(seed, 1)));
  const groups = unitGroups(network);
  const weights = drawWeights(network, random);
  const zeroed = Array.from({ length: groups.count }, (_, group) => group).filter(() => chance(random, 0.5));
  const keepsBias = chance(random, 0.3);
  zeroUnits(network, groups, zeroed, weights, keepsBias);
  return { network, groups, weights, zeroed, tokens: kind === 'tokens' ? TOKENS : 0 };
} // prettier-ignore
