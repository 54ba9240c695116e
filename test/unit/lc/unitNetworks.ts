/** Small networks of kernels that make and read units, and what a network without some of them costs, counted weight by weight. */
import type { LayerView } from '../../../daemon/lc/budgets.js';
import type { Random } from '../../../daemon/lc/random.js';

interface Kernel {
  readonly view: LayerView;
  /** Tensors that it reads and makes; null: the input or the output of the network, which stays. A depthwise kernel has no `from`. */
  readonly from: number | null | 'depthwise';
  readonly to: number | null;
}

export interface UnitNetwork {
  readonly views: readonly LayerView[];
  readonly kernels: readonly Kernel[];
  /** Units of each tensor between the kernels. */
  readonly widths: readonly number[];
}

const INPUTS = 2;
const OUTPUTS = 3;

/** A chain of kernels through tensors of these widths, with further kernels between them, as residual networks have. */
export function unitNetwork(widths: readonly number[], extra: number, random: Random): UnitNetwork {
  const first = widths.map((_, i) => widths.slice(0, i).reduce((sum, n) => sum + n, 0));
  const groups = (tensor: number | null, staying: number): number[] =>
    tensor === null ? new Array<number>(staying).fill(-1) : Array.from({ length: widths[tensor]! }, (_, i) => first[tensor]! + i); // prettier-ignore
  const kernels: Kernel[] = [];
  const add = (from: Kernel['from'], to: number | null): void => {
    const [made, read] = [groups(to, OUTPUTS), from === 'depthwise' ? [] : groups(from, INPUTS)];
    const taps = 1 + random.below(2);
    const shape = from === 'depthwise' ? [taps, made.length] : [taps, read.length, made.length];
    const view: LayerView = {
      name: `k${kernels.length}`,
      size: shape.reduce((product, n) => product * n, 1),
      shape,
      flopsPerWeight: 1 + random.below(9),
      units: made.length,
      groups: made,
      // A unit that is kept has a weight, whatever it reads.
      unitVectors: 1 + random.below(2),
      axes: [{ axis: shape.length - 1, groups: made }, ...(from === 'depthwise' ? [] : [{ axis: 1, groups: read }])],
    };
    kernels.push({ view, from, to });
  };
  for (let i = 0; i <= widths.length; i++) add(i === 0 ? null : i - 1, i === widths.length ? null : i);
  for (let i = 0; i < extra; i++) {
    const to = random.below(widths.length);
    add(random.below(4) === 0 ? 'depthwise' : random.below(widths.length), to);
  }
  return { kernels, widths, views: kernels.map(({ view }) => view) };
}

/** Costs of the kernels in which only these units are left. @param kept by group. */
export function countedCost({ kernels }: UnitNetwork, kept: (group: number) => boolean, flops: boolean): number {
  let total = 0;
  for (const { view } of kernels) {
    const { shape, axes, flopsPerWeight } = view;
    for (let i = 0; i < view.size; i++) {
      let rest = i;
      const index = shape.map(() => 0);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        index[axis] = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
      }
      const there = axes!.every(({ axis, groups }) => groups[index[axis]!]! < 0 || kept(groups[index[axis]!]!));
      if (there) total += flops ? flopsPerWeight : 1;
    }
  }
  return total;
}

/** The squared norm of the weights that make each unit, by group, and its vectors. */
export function ownNorms({ views, widths }: UnitNetwork, v: Float32Array): Float64Array {
  const norms = new Float64Array(widths.reduce((sum, n) => sum + n, 0));
  let at = 0;
  for (const { size, units = 1, unitVectors = 0, groups } of views)
    for (const end = at + size + unitVectors * units, start = at; at < end; at++) {
      const group = groups![(at - start) % units]!;
      if (group >= 0) norms[group]! += v[at]! ** 2;
    }
  return norms;
}

export const lengthOf = ({ views }: UnitNetwork): number =>
  views.reduce((sum, { size, units = 1, unitVectors = 0 }) => sum + size + unitVectors * units, 0);
