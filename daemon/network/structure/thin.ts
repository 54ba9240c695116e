/** Exact thinning of any network: the same function with fewer units. */
import type { Graph, Node } from '../ir.js';
import { Classes } from './classes.js';
import { contractionOf, eachKept } from './contraction.js';
import { cutData, cutGraph, type CutGraph } from './cut.js';
import { knownValues, LiveUnits } from './liveUnits.js';
import type { Kept } from './rule.js';
import { type Sides, sidesOf } from './sides.js';
import { sizeOf } from '../../protocol/shape.js';
import { programOf, type Program, type Step, type Value } from './values.js';

export interface ThinWeight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** By axis, the remaining indices of the original axis. */
  readonly kept: readonly (readonly number[])[];
}

export interface ThinNetwork extends CutGraph {
  /** Every weight that the pass reads, by name, in the network's layout. */
  readonly weights: ReadonlyMap<string, ThinWeight>;
  /** The indices that are left of an axis of a node of the pass; undefined of constants, and of nodes that the pass does not need. */
  kept(node: Node, axis: number): readonly number[] | undefined;
}

export interface ThinOptions {
  /** Axes of weights keep a multiple of this many units (or all of them): 8 suits most processors. Default 1. */
  readonly roundTo?: number;
  /** Axes of nodes of the pass whose indices all stay, whether anything needs them or not. */
  readonly stays?: readonly { readonly node: Node; readonly axis: number }[];
}

/** Adds the constants that dead units pass to their readers to the vectors that absorb them. */
function absorbConstants(program: Program, life: LiveUnits): Map<Value, Float64Array> {
  const grown = new Map<Value, Float64Array>();
  const absorb = (step: Step): void => {
    const contraction = contractionOf(step);
    if (!contraction) return;
    const { x, xAxis, kernel } = contraction;
    const { data } = life.known(kernel);
    const constants = Float64Array.from(life.known(x).axis(xAxis), (constant, i) =>
      !life.live(x, xAxis, i) && !Number.isNaN(constant) ? constant : 0,
    );
    const absorber = data && constants.some((constant) => constant !== 0) ? life.absorber(step) : null;
    if (!data || !absorber) return;
    const { weight, factor } = absorber;
    const sums = grown.get(weight) ?? new Float64Array(factor.length);
    grown.set(weight, sums);
    eachKept(contraction, data, (value, input, output) => {
      if (constants[input] !== 0) sums[output]! += value * constants[input]! * factor[output]!;
    });
  };
  program.steps.forEach(absorb);
  return grown;
}

/** A weight with zeros in the places that read dead units that stay. */
function withoutDeadReads(life: LiveUnits, sides: Sides, value: Value, data: Float32Array): Float32Array {
  const result = data.slice();
  value.shape.forEach((n, axis) => {
    if (!['reads', 'both'].includes(sides({ value, axis }))) return;
    const inner = sizeOf(value.shape.slice(axis + 1));
    for (let i = 0; i < n; i++) {
      if (life.live(value, axis, i) || !life.kept(value, axis, i)) continue;
      for (let at = i * inner; at < data.length; at += n * inner) result.fill(0, at, at + inner);
    }
  });
  return result;
}

/**
 * Removes every unit that no output depends on: units without readers, and units that are equal for all inputs, which are folded
 * into the biases after them. Inputs and outputs keep their shapes, and every tensor keeps at least one index.
 *
 * The result computes the same function, up to the rounding of biases that absorb constants (float32).
 *
 * @param graph an inference pass.
 * @param weights by name, in the network's layout; values that vary are taken to be finite.
 * @throws RangeError naming a weight that is read and is missing or of another size.
 */
export function thinGraph(
  graph: Graph,
  weights: ReadonlyMap<string, Float32Array>,
  { roundTo = 1, stays = [] }: ThinOptions = {},
): ThinNetwork {
  const program = programOf(graph);
  for (const [name, { shape }] of program.weights)
    if (weights.get(name)?.length !== sizeOf(shape)) throw new RangeError(`weight "${name}" has ${weights.get(name)?.length ?? 'no'} values; the network reads [${shape}]`); // prettier-ignore
  const classes = new Classes(program);
  const valueOf = new Map(program.values.map((value) => [value.node, value]));
  const whole = stays.map(({ node, axis }) => ({ value: valueOf.get(node)!, axis }));
  const life = new LiveUnits(program, classes, knownValues(program, weights), roundTo, whole);
  const indices = new Map<string, readonly number[]>();
  const kept: Kept = (value, axis) => {
    const key = `${value.id} ${axis}`;
    let found = indices.get(key);
    if (!found) {
      found = Array.from({ length: value.shape[axis]! }, (_, i) => i).filter((i) => life.kept(value, axis, i)); // prettier-ignore
      indices.set(key, found);
    }
    return found;
  };
  const grown = absorbConstants(program, life);
  const sides = sidesOf(classes);
  const thinned = new Map(
    [...program.weights].map(([name, value]) => {
      const given = weights.get(name)!;
      const sums = grown.get(value);
      const data = withoutDeadReads(life, sides, value, sums ? given.map((x, i) => x + sums[i]!) : given);
      const axes = value.shape.map((_, axis) => kept(value, axis));
      return [name, { shape: axes.map(({ length }) => length), data: cutData(data, value.shape, axes), kept: axes }];
    }),
  );
  return {
    ...cutGraph(program, kept),
    weights: thinned,
    kept: (node, axis) => {
      const value = node.op === 'Constant' ? undefined : valueOf.get(node);
      return value && kept(value, axis);
    },
  };
}
