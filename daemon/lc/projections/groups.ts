import { sizeOf } from '../../protocol/shape.js';
import { BudgetError } from '../budgetError.js';
import { layerNameOf, type LayerView } from '../layerView.js';
import { rejectNonFinite } from './select.js';

/** A layer's part of a neuron view: weight i of it belongs to group groupOf[i mod units]; -1: to none (the unit stays). */
interface GroupedLayer {
  readonly start: number;
  readonly end: number;
  readonly groupOf: Int32Array;
}

/** A kernel, and the axes whose indices are removed with units: index i of an axis goes with group groupOf[i]; -1: it stays. */
interface GroupedKernel {
  readonly start: number;
  readonly size: number;
  readonly flopsPerWeight: number;
  readonly axes: readonly { readonly groupOf: Int32Array; readonly inner: number }[];
}

/**
 * Neurons and filters as groups of weights: incoming weights, bias, BatchNorm; tied layers share groups. The weights that read a unit are
 * not its own, but they are removed with it.
 */
export interface Groups {
  readonly layers: readonly GroupedLayer[];
  readonly kernels: readonly GroupedKernel[];
  readonly count: number;
  /** The classes to which a floor or a cap applies: a layer, or a set of layers that share groups; named after the first. */
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  readonly classOfGroup: Uint32Array;
  readonly classOfLayer: ReadonlyMap<string, number>;
}

/** Joins layers that share a group, directly or through others; numbers the classes in the order of their first layer. */
function classesOf(placed: readonly GroupedLayer[], count: number): { ofGroup: Uint32Array; total: number } {
  const parent = Uint32Array.from({ length: count }, (_, g) => g);
  const root = (g: number): number => {
    while (parent[g] !== g) g = parent[g]!;
    return g;
  };
  for (const { groupOf } of placed) {
    const own = groupOf.filter((g) => g >= 0);
    for (const g of own) {
      const [a, b] = [root(own[0]!), root(g)];
      parent[Math.max(a, b)] = Math.min(a, b);
    }
  }
  const numbers = new Map<number, number>();
  const ofGroup = parent.map((_, g) => {
    const top = root(g);
    if (!numbers.has(top)) numbers.set(top, numbers.size);
    return numbers.get(top)!;
  });
  return { ofGroup, total: numbers.size };
}

/**
 * The groups of a neuron view (see LayerView for its layout).
 * @throws BudgetError when a layer's units are not known, or a kernel is no multiple of them.
 */
export function groupUnits(layers: readonly LayerView[]): Groups {
  const numbers = new Map<number, number>();
  const placed: GroupedLayer[] = [];
  let count = 0;
  let start = 0;
  for (const { name, size, units, unitVectors = 0, groups } of layers) {
    if (units === undefined)
      throw new BudgetError('neurons', `which weights belong to a neuron of layer "${name}" is not known`);
    if (!(units > 0) || size % units !== 0)
      throw new BudgetError('neurons', `layer "${name}" has ${size} weights for ${units} units`);
    const groupOf = new Int32Array(units);
    for (let unit = 0; unit < units; unit++) {
      const number = groups?.[unit];
      const known = number === undefined ? undefined : number < 0 ? -1 : numbers.get(number);
      groupOf[unit] = known ?? count++;
      if (known === undefined && number !== undefined) numbers.set(number, groupOf[unit]!);
    }
    placed.push({ start, end: start + size + unitVectors * units, groupOf });
    start = placed.at(-1)!.end;
  }
  const { ofGroup: classOfGroup, total } = classesOf(placed, count);
  const names = new Array<string | undefined>(total);
  const classOfLayer = new Map<string, number>();
  layers.forEach((layer, l) => {
    const first = placed[l]!.groupOf.find((g) => g >= 0);
    if (first === undefined) return;
    classOfLayer.set(layer.name, classOfGroup[first]!);
    names[classOfGroup[first]!] ??= layerNameOf(layer);
  });
  const kernels = layers.flatMap(({ size, shape, flopsPerWeight, axes }, l): GroupedKernel[] => {
    const { start, groupOf } = placed[l]!;
    const own = axes?.map(({ axis, groups }) => ({
      // A group that no kernel of the view makes is not removed.
      groupOf: Int32Array.from(groups, (number) => numbers.get(number) ?? -1),
      inner: sizeOf(shape.slice(axis + 1)),
    }));
    return size === 0 ? [] : [{ start, size, flopsPerWeight, axes: own ?? [{ groupOf, inner: 1 }] }];
  });
  const classes = names.map((name, c) => ({
    name: name!,
    count: classOfGroup.reduce((n, one) => n + Number(one === c), 0),
  }));
  return { layers: placed, kernels, count, classes, classOfGroup, classOfLayer };
}

/** Writes 0 to the weights and vectors of the groups that do not stay, and to the weights that read them. */
function fillRemoved({ layers, kernels }: Groups, keep: Uint8Array, values: Float32Array | Uint8Array): void {
  for (const { start, end, groupOf } of layers) {
    const units = groupOf.length;
    for (let unit = 0; unit < units; unit++) {
      const g = groupOf[unit]!;
      if (g >= 0 && keep[g] === 0) for (let at = start + unit; at < end; at += units) values[at] = 0;
    }
  }
  for (const { start, size, axes } of kernels)
    for (const { groupOf, inner } of axes) {
      const period = groupOf.length * inner;
      groupOf.forEach((g, index) => {
        if (g < 0 || keep[g] === 1) return;
        for (let at = start + index * inner; at < start + size; at += period) values.fill(0, at, at + inner);
      });
    }
}

/** Squared l2 norm of each group's own weights, in float64. @throws RangeError on a NaN or an infinity. */
export function squaredNorms(groups: Groups, v: Float32Array, norms: Float64Array): void {
  norms.fill(0);
  for (const { start, end, groupOf } of groups.layers) {
    const units = groupOf.length;
    const own = new Float64Array(units);
    for (let row = start; row < end; row += units) for (let unit = 0; unit < units; unit++) own[unit]! += v[row + unit]! * v[row + unit]!; // prettier-ignore
    for (let unit = 0; unit < units; unit++) if (groupOf[unit]! >= 0) norms[groupOf[unit]!]! += own[unit]!;
  }
  for (let g = 0; g < norms.length; g++) if (!Number.isFinite(norms[g])) rejectNonFinite(v);
}

/** theta = v on the kept groups and on fixed units, 0 elsewhere. */
export function keepGroups(groups: Groups, keep: Uint8Array, v: Float32Array, theta: Float32Array): void {
  if (theta !== v) theta.set(v);
  fillRemoved(groups, keep, theta);
}

/** A group is kept if any of its weights is: a weight that is 0 by chance may still be trained. */
export const keptGroups =
  (groups: Groups) =>
  (theta: Float32Array, kept: Uint8Array): void => {
    const keep = new Uint8Array(groups.count);
    const norms = new Float64Array(groups.count);
    squaredNorms(groups, theta, norms);
    for (let g = 0; g < norms.length; g++) keep[g] = Number(norms[g]! > 0);
    kept.fill(1);
    fillRemoved(groups, keep, kept);
  };
