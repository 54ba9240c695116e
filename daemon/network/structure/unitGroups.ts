import { type Axis, Classes, type Link } from './classes.js';
import { contractionOf } from './contraction.js';
import { absorberOf } from './absorb.js';
import { type Side, sidesOf } from './sides.js';
import { Causes, type Reason, reasonsOf } from './reasons.js';
import { programOf, type Program } from './values.js';
import type { Graph } from '../ir.js';

/** The units of an axis of a weight. */
export interface AxisUnits {
  readonly axis: number;
  readonly side: Side;
  /** By index, the group that it belongs to; -1 if it stays. */
  readonly groups: Int32Array;
}

/** A slice of a weight: the indices of an axis that belong to one group. */
export interface Member {
  readonly weight: string;
  readonly axis: number;
  readonly side: Side;
  readonly indices: readonly number[];
}

/**
 * Why slices of several weights are one unit.
 * - sum, product: tensors are added, multiplied or merged in another way, element by element.
 * - concatenation, depthwise, flatten: channels side by side, filters of one channel each, one channel in many features.
 * - heads: products of activations are computed for each.
 * - parts: filters are cut into groups, or gates, of equal size.
 */
export type Coupling = 'sum' | 'product' | 'concatenation' | 'depthwise' | 'flatten' | 'heads' | 'parts';

export interface Tie {
  readonly coupling: Coupling;
  readonly layer: string;
}

export interface UnitGroups {
  /** Groups are numbered from 0. */
  readonly count: number;
  /** By name of the weight, its axes with units. An axis that only reads is listed if some of its indices can be removed. */
  readonly axes: ReadonlyMap<string, readonly AxisUnits[]>;
  /** For the axes that make units, why some or all of these stay. */
  readonly reasons: readonly Reason[];
  /** All slices that are removed together. */
  members(group: number): readonly Member[];
  ties(group: number): readonly Tie[];
  /**
   * The value that the unit must have, for every sample, so that the network without it computes the same: 0, or any constant, if all
   * its readers can add the result to a bias. A unit that nobody reads (0 in all slices that read) may have any value.
   */
  needs(group: number): 'zero' | 'constant';
}

const sums: ReadonlySet<string> = new Set(['Add', 'Sub', 'Maximum', 'Minimum', 'SquaredDifference']);

/** @param ofHeads whether the units are attention heads. */
function couplingOf({ step, a, b }: Link, ofHeads: boolean): Coupling | null {
  const { node, inputs } = step;
  if (node.op === 'Concat') return 'concatenation';
  if (node.op.startsWith('Depthwise')) return 'depthwise';
  if (node.op === 'Reshape') return ofHeads || a.value.shape[a.axis] === b.value.shape[b.axis] ? null : 'flatten';
  if (node.op === 'Slice') return inputs[0]!.fixed && inputs[0]!.shape.length === 4 ? 'parts' : null;
  if (node.op === 'MatMul') return inputs.some(({ fixed }) => fixed) ? null : 'heads';
  if (inputs.filter(({ fixed }) => !fixed).length < 2) return null;
  return sums.has(node.op) ? 'sum' : 'product';
}

/** The groups of a program whose classes are known. */
export function groupsOf(program: Program, classes: Classes): UnitGroups {
  const sides = sidesOf(classes);
  const numbers = new Map<number, number>();
  const axes = new Map<string, AxisUnits[]>();
  const makers: { readonly name: string; readonly at: Axis }[] = [];
  for (const [name, value] of program.weights)
    value.shape.forEach((n, axis) => {
      const side = sides({ value, axis });
      const groups = Int32Array.from({ length: n }, (_, i) => {
        if (classes.stays(value, axis, i)) return -1;
        const tie = classes.of(value, axis, i);
        if (!numbers.has(tie)) numbers.set(tie, numbers.size);
        return numbers.get(tie)!;
      });
      const loses = groups.some((group) => group >= 0);
      if (loses || (n > 1 && side !== 'reads')) axes.set(name, [...(axes.get(name) ?? []), { axis, side, groups }]);
      if ((side === 'makes' || side === 'both') && n > 1) makers.push({ name, at: { value, axis } });
    });
  const ties = [...numbers.keys()];
  const holds = (group: number, { value, axis }: Axis): boolean => {
    for (let i = 0; i < value.shape[axis]!; i++) if (classes.of(value, axis, i) === ties[group]) return true;
    return false;
  };
  const all = [...axes].flatMap(([weight, units]) => units.map((one) => ({ weight, ...one })));
  let slices: Member[][] | null = null;
  let reasons: Reason[] | null = null;
  const allReasons = (): Reason[] => {
    const causes = new Causes(classes);
    return makers.flatMap(({ name, at }) => reasonsOf(classes, causes, name, at));
  };
  const membersByGroup = (): Member[][] => {
    const found: Member[][] = ties.map(() => []);
    for (const { weight, axis, side, groups } of all) {
      const indices = new Map<number, number[]>();
      groups.forEach((group, i) => group >= 0 && indices.set(group, [...(indices.get(group) ?? []), i]));
      for (const [group, own] of indices) found[group]!.push({ weight, axis, side, indices: own });
    }
    return found;
  };
  return {
    count: numbers.size,
    axes,
    // Most callers need none, and they take as long as the rest.
    get reasons() {
      return (reasons ??= allReasons());
    },
    members: (group) => (slices ??= membersByGroup())[group]!,
    ties: (group) => {
      const found = new Map<string, Tie>();
      const ofHeads = classes.heads.some((axis) => holds(group, axis));
      for (const link of classes.links) {
        const { step, a } = link;
        const coupling = couplingOf(link, ofHeads);
        if (!coupling || !holds(group, a)) continue;
        const layer = step.node.layer ?? step.node.op;
        found.set(`${coupling} ${layer}`, { coupling, layer });
      }
      return [...found.values()];
    },
    needs: (group) => {
      const readers = program.steps.filter((step) => {
        const { op, attrs, inputs } = { ...step.node, inputs: step.inputs };
        if (op === 'Sum') return (attrs['axes'] as number[]).some((axis) => holds(group, { value: inputs[0]!, axis }));
        const contraction = contractionOf(step);
        if (contraction) return holds(group, { value: contraction.x, axis: contraction.xAxis });
        return op === 'MatMul' && inputs[0]!.shape.some((_, axis) => axis >= inputs[0]!.shape.length - 2 && holds(group, { value: inputs[0]!, axis })); // prettier-ignore
      });
      return readers.every((step) => contractionOf(step)?.zeroOnly === false && absorberOf(program, step))
        ? 'constant'
        : 'zero';
    },
  };
}

/** @param graph an inference pass. */
export function unitGroupsOf(graph: Graph): UnitGroups {
  const program = programOf(graph);
  return groupsOf(program, new Classes(program));
}
