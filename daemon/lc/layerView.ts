/** A budget's view of a model: its prunable kernels, each with its units, concatenated. */

/**
 * One prunable kernel in a compression's view (or, of size 0, only the vectors that belong to units of several kernels). A task's view is its layers'
 * weights, in this order, concatenated.
 * If neurons are pruned (`seesUnits`), a layer's part of the view is its kernel followed by its unit vectors (bias, BatchNorm gamma and beta, in any
 * order), each with one entry per unit; `viewLength` counts them. Every other budget sees kernels only.
 */
export interface LayerView {
  /** Name of the layer, or of its kernel if it has several. */
  readonly name: string;
  /** The layer of a kernel, if it has several; they are adjacent, and limits and local budgets apply to the layer. Default: `name`. */
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
   * Per unit the number of its group: units with the same number, in any layers, are kept or removed together (residual adds, depthwise
   * convolutions). -1: the unit is fixed (output layers), neither counted nor pruned by a neuron budget. Default: each unit is a group of its own.
   */
  readonly groups?: readonly number[];
  /**
   * The axes of the kernel whose indices are removed with units: those that it makes, and those that it reads. A kernel without these indices is what
   * a network without the units has. Default: it makes its units and reads none that can be removed.
   */
  readonly axes?: readonly UnitAxis[];
}

/** By index of an axis, the number of the group that it is removed with; -1: it stays. */
export interface UnitAxis {
  readonly axis: number;
  readonly groups: readonly number[];
}

/** Weight i of a kernel belongs to unit floor(i / inner) mod units. */
export interface UnitLayout {
  readonly units: number;
  readonly inner: number;
}

/** The kernel as N:M blocks need it. */
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

/** The name of the view's layer in a budget. */
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

/** Weights of the kernels. */
export const totalSize = (layers: readonly LayerView[]): number => layers.reduce((total, { size }) => total + size, 0);

/** Number of weights of a layer's part of the view: the kernel, and if whole units are pruned its unit vectors. */
export const partLength = (layer: LayerView, units: boolean): number =>
  layer.size + (units ? (layer.unitVectors ?? 0) * unitsOf(layer) : 0);
