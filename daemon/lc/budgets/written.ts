/** Measures the budget's quantities on the kernels read back from a written file. */
import { byLayer, layerNameOf, unitsOf, type LayerView } from '../layerView.js';
import { groupUnits } from '../projections/groups.js';
import { UnitCosts } from '../projections/unitCosts.js';
import { parseShare, shareOf } from '../share.js';
import type { Beside } from './kind.js';

/** A kernel of the file with its layer in the budget's view. */
export interface Kernel {
  readonly view: LayerView;
  readonly data: Float32Array;
  /** Its weights in the file without the units that have no effect; only for budgets of whole units. */
  readonly thinned?: number;
}

/** The kernels of a budget's layers, and their size in the file. */
export interface WrittenKernels {
  readonly kernels: readonly Kernel[];
  /** Bytes of the file that a budget for the whole of it is measured by, or of these kernels in it. */
  bytesOf(kernels: readonly Kernel[], quantize: Beside['quantize']): number;
}

/** One requirement of a budget, with the measured amount and the total. */
export interface Checked {
  /** As in the plan: "8 kB", "2:4". */
  readonly asked: string;
  /** In the unit of `got`; null: no limit is set. */
  readonly limit: number | null;
  readonly got: number;
  /** null: no limit to keep. */
  readonly met: boolean | null;
}

export const nonZeros = (data: Float32Array): number => data.reduce((n, x) => (x === 0 ? n : n + 1), 0);
export const sumOf = (kernels: readonly Kernel[], of: (kernel: Kernel) => number): number =>
  kernels.reduce((total, kernel) => total + of(kernel), 0);
export const weightsOf = (kernels: readonly Kernel[]): number => sumOf(kernels, ({ data }) => nonZeros(data));
/** Weights that a budget counts: those that are not 0, or if whole units are removed, those of the network without them. */
export const countedWeights = ({ data, thinned }: Kernel, { units }: Pick<Beside, 'units'>): number =>
  (units ? thinned : undefined) ?? nonZeros(data);
export const viewsOf = (kernels: readonly Kernel[]): LayerView[] => kernels.map(({ view }) => view);

/** The values of the kernels, one behind the other. */
export function joined(kernels: readonly Kernel[]): Float32Array {
  const all = new Float32Array(sumOf(kernels, ({ data }) => data.length));
  let at = 0;
  for (const { data } of kernels) {
    all.set(data, at);
    at += data.length;
  }
  return all;
}

/** One check over everything, or the sum over layers with budgets of their own. */
export function perScope(
  { scope }: Pick<Beside, 'scope'>,
  kernels: readonly Kernel[],
  of: (part: readonly Kernel[]) => { readonly limit: number; readonly got: number },
): { limit: number; got: number; met: boolean } {
  const parts = scope === 'layer' ? byLayer(kernels, ({ view }) => view).map(({ views }) => views) : [kernels];
  const measures = parts.map(of);
  return {
    limit: measures.reduce((total, { limit }) => total + limit, 0),
    got: measures.reduce((total, { got }) => total + got, 0),
    met: measures.every(({ limit, got }) => got <= limit),
  };
}

/** 1 for each unit with an incoming weight. */
function keptUnits({ view, data }: Kernel): Uint8Array {
  const kept = new Uint8Array(unitsOf(view));
  data.forEach((x, i) => {
    if (x !== 0) kept[i % kept.length] = 1;
  });
  return kept;
}

/** Non-zero units of a kernel; a unit of a transposed convolution has one entry per input channel. */
function countUnits({ view: { groups, units = 0 } }: Kernel, on?: Uint8Array): number {
  const seen = new Set<string>();
  for (let unit = 0; unit < units; unit++) {
    const group = groups?.[unit] ?? -1;
    if (on?.[unit] !== 0) seen.add(group < 0 ? `unit ${unit}` : String(group));
  }
  return seen.size;
}

/** Groups with at least one unit that has an incoming weight. */
export function keptGroups(kernels: readonly Kernel[]): number {
  const kept = new Set<string>();
  kernels.forEach((kernel, k) => {
    keptUnits(kernel).forEach((on, unit) => {
      const group = kernel.view.groups?.[unit];
      if (on === 1 && group !== -1) kept.add(group === undefined ? `${k}/${unit}` : String(group));
    });
  });
  return kept.size;
}

/** For multiples of channels: whether each kind of unit keeps one, or all of its units. */
export function multiplesCheck({ roundTo }: Pick<Beside, 'roundTo'>, kernels: readonly Kernel[]): Checked {
  const groups = groupUnits(viewsOf(kernels));
  const costs = new UnitCosts(groups, 'neurons');
  const kept = new Set<number>();
  kernels.forEach((kernel, k) => keptUnits(kernel).forEach((on, unit) => on === 1 && kept.add(groups.layers[k]!.groupOf[unit]!))); // prettier-ignore
  const counts = costs.sizes.map((_, kind) => [...kept].filter((g) => costs.kindOf[g] === kind).length);
  const odd = [...counts.keys()].filter((kind) => counts[kind]! % costs.step(kind, roundTo) > 0 && counts[kind] !== costs.sizes[kind]); // prettier-ignore
  return { asked: `multiples of ${roundTo}`, limit: 0, got: odd.length, met: odd.length === 0 };
}

/** A check of each floor and cap of a layer, in weights, or in units where whole ones are removed. */
export function limitChecks(
  { limits, units }: Pick<Beside, 'limits' | 'units'>,
  kernels: readonly Kernel[],
): (Checked & { readonly kind: 'floor' | 'cap' })[] {
  return Object.entries(limits ?? {}).flatMap(([name, given]) => {
    // In a layer with several kernels, the one of the layer's name has its units.
    const own = kernels.filter(({ view }) => (units ? view.name : layerNameOf(view)) === name);
    if (own.length === 0) return [];
    const got = units ? sumOf(own, (kernel) => countUnits(kernel, keptUnits(kernel))) : weightsOf(own);
    const size = units ? sumOf(own, (kernel) => countUnits(kernel)) : sumOf(own, ({ view }) => view.size);
    return (['floor', 'cap'] as const).flatMap((kind) => {
      const share = given[kind];
      if (share === undefined) return [];
      const limit = shareOf(parseShare(share), size);
      const met = kind === 'floor' ? got >= limit : got <= limit;
      return [{ kind, asked: `${kind} ${share} of ${name}`, limit, got, met }];
    });
  });
}
