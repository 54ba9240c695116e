/** Floor and cap of one layer under a global budget, as shares of that layer. */
export interface LayerLimitsSpec {
  readonly floor?: number | string | undefined;
  readonly cap?: number | string | undefined;
}

/** The structural twin of the protocol's Budget (this room imports nothing); a test keeps the two the same. */
export interface BudgetSpec {
  readonly keep?: number | string | undefined;
  readonly weights?: number | undefined;
  readonly bytes?: number | string | undefined;
  readonly flops?: number | string | undefined;
  readonly neurons?: number | string | undefined;
  readonly pattern?: string | undefined;
  readonly alpha?: number | undefined;
  readonly radius?: number | undefined;
  readonly norm?: 'l0' | 'l1' | 'l2' | undefined;
  readonly form?: 'constraint' | 'penalty' | undefined;
  readonly scope?: 'global' | 'layer' | undefined;
  readonly layers?: Readonly<Record<string, LayerLimitsSpec>> | undefined;
  /** What is removed: single weights (default), or whole neurons and filters with their bias and BatchNorm parameters. */
  readonly prune?: 'weights' | 'neurons' | undefined;
  /** Penalty form, l0: what alpha counts: weights or neurons (default), or their FLOPs. */
  readonly cost?: 'count' | 'flops' | undefined;
  readonly quantize?: { readonly codebook: number | 'int8' | 'ternary' } | undefined;
}

/**
 * One prunable kernel (or, of size 0, only the vectors that go with units of several) as a compression sees it. A task's view is its layers' weights, in this order, concatenated.
 *
 * Where neurons are pruned (`seesUnits`) a layer's part of the view is its kernel followed by its unit vectors (bias, BatchNorm gamma
 * and beta, in any order), each with one entry per unit; `viewLength` counts them. Every other budget sees kernels only.
 */
export interface LayerView {
  /** Of the layer, or of its kernel where it has several. */
  readonly name: string;
  /** The layer where it has several kernels, which come one behind the other: limits and local budgets are a layer's. Default: `name`. */
  readonly layer?: string;
  /** Weights of the kernel. */
  readonly size: number;
  /** Of the kernel: Dense [in, out], Conv2D [kh, kw, in, out], DepthwiseConv2D [kh, kw, in, multiplier]. */
  readonly shape: readonly number[];
  /** FLOPs per weight for one sample: 2 for Dense, 2 * Hout * Wout for Conv2D. */
  readonly flopsPerWeight: number;
  /**
   * Where the kernel is read as [outer, units, inner], what N:M blocks run along: each unit's inputs. Default: the last axis of
   * `shape` holds the units, inner is 1.
   */
  readonly unitLayout?: UnitLayout;
  /**
   * Output units (neurons, filters): weight i of the kernel belongs to unit i mod units. Where neurons are pruned it must be
   * given; formats fall back to the last axis of shape.
   */
  readonly units?: number;
  /** How many vectors of `units` entries follow the kernel in a neuron view. Default 0. */
  readonly unitVectors?: number;
  /**
   * Per unit the number of its group: units with the same number, of whatever layers, are kept together or not at all
   * (residual adds, depthwise convolutions); -1: the unit stays (the output layer, whose units are the answer), never
   * counted, never pruned by a neuron budget. Default: each unit is a group of its own.
   */
  readonly groups?: readonly number[];
}

/** Weight i of a kernel belongs to unit floor(i / inner) mod units. */
export interface UnitLayout {
  readonly units: number;
  readonly inner: number;
}

/** How N:M blocks see a kernel. */
export const blocksOf = ({
  name,
  size,
  shape,
  unitLayout,
}: LayerView): UnitLayout & { name: string; size: number } => ({
  name,
  size,
  ...(unitLayout ?? { units: shape.at(-1) ?? 1, inner: 1 }),
});

/** The name that a budget calls the view's layer by. */
export const layerNameOf = ({ name, layer }: LayerView): string => layer ?? name;

/** Items with a view each, joined where they are kernels of one layer, in the same order. */
export function byLayer<T>(items: readonly T[], viewOf: (item: T) => LayerView): { name: string; views: T[] }[] {
  const layers: { name: string; views: T[] }[] = [];
  for (const item of items) {
    const name = layerNameOf(viewOf(item));
    const last = layers.at(-1);
    if (last?.name === name) last.views.push(item);
    else layers.push({ name, views: [item] });
  }
  return layers;
}

/** Number of output units: weight i of the kernel belongs to unit i mod unitsOf(layer). */
export const unitsOf = (layer: LayerView): number => layer.units ?? layer.shape.at(-1) ?? 1;

/** Weights of a layer's part of the view: the kernel, and where neurons are pruned its unit vectors. */
export const viewLength = (layer: LayerView, budget: BudgetSpec): number =>
  layer.size + (seesUnits(budget) ? (layer.unitVectors ?? 0) * unitsOf(layer) : 0);

/** Whether the task's ranges must hold each kernel's unit vectors too. */
export const seesUnits = (budget: BudgetSpec): boolean => budget.neurons !== undefined || budget.prune === 'neurons';

/** A budget that contradicts itself or cannot be met. One line that names the key and, where there is one, the nearest valid value. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
  constructor(
    /** The budget's key: "weights", "layers.conv1.floor". */
    readonly key: string,
    problem: string,
    /** The nearest valid value of exactly that key, for a quick fix. */
    readonly nearest?: number | string | undefined,
  ) {
    super(`${key}: ${problem}`);
  }
}
