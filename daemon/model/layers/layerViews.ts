/** The view of a model's layers for a budget's C step: their kernels, and if neurons are pruned, the vectors of each neuron. */
import { seesUnits, type BudgetSpec } from '../../lc/budgets/budgetSpec.js';
import type { LayerView } from '../../lc/layerView.js';
import type { LayerSummary } from '../model.js';
import { sizeOf } from '../../protocol/shape.js';

export interface ViewedLayer {
  /** The layer's name. */
  readonly layer: string;
  readonly view: LayerView;
  /** Names of the view's weights, in its order: the kernel, then its unit vectors. */
  readonly weights: readonly string[];
}

type Weight = LayerSummary['weights'][number];

/** Groups with a kernel that this budget does not prune: zeros in their other kernels would not remove them. */
function heldGroups(layers: readonly LayerSummary[], pruned: ReadonlySet<string>): ReadonlySet<number> {
  const held = new Set<number>();
  for (const { weights } of layers) {
    for (const { name, prunable, groups, keepsZero } of weights) {
      if (!prunable || pruned.has(name) || keepsZero) continue;
      for (const group of groups ?? []) held.add(group);
    }
  }
  return held;
}

/** Axes that N:M blocks run along, if not the last one. */
function unitLayout({ shape, unitAxes }: Weight): Pick<LayerView, 'unitLayout'> {
  if (!unitAxes) return {};
  const [from, to] = unitAxes;
  return { unitLayout: { units: sizeOf(shape.slice(from, to)), inner: sizeOf(shape.slice(to)) } };
}

/** A GRU's bias has two rows with an entry for each gate of each unit, the slopes of a PReLU one for each place. */
const rowsOf = ({ size }: Weight, groups: readonly number[]): number => size / groups.length;

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/**
 * @param layers of the whole model.
 * @param names of the layers that the budget prunes.
 * @param trained weights that are trained; the others are left out. Default: all that the model says are trainable.
 * @returns one view per prunable kernel, in the model's order, and one of size 0 per vector that goes with units of several.
 */
export function layerViews(
  layers: readonly LayerSummary[],
  names: readonly string[],
  budget: BudgetSpec,
  trained: (weight: Weight) => boolean = ({ trainable }) => trainable,
): ViewedLayer[] {
  // The filters of a separable convolution are its pointwise kernel's: limits on them use the layer's name.
  const ownsUnits = ({ name }: Weight): boolean => seesUnits(budget) && name.endsWith('/pointwise_kernel');
  const kernels = layers
    .filter(({ name }) => names.includes(name))
    .flatMap((layer) => {
      const prunable = layer.weights.filter((weight) => weight.prunable);
      return prunable
        .filter(trained)
        .map((weight) => ({ layer, weight, alone: prunable.length === 1 || ownsUnits(weight) }));
    });
  const views = kernels.map(({ layer, weight, alone }) => ({
    layer: layer.name,
    view: {
      ...(alone ? { name: layer.name } : { name: weight.name, layer: layer.name }),
      size: weight.size,
      shape: weight.shape,
      flopsPerWeight: weight.flopsPerWeight ?? layer.flopsPerWeight,
      ...unitLayout(weight),
    } as LayerView,
    weights: [weight.name],
    axes: weight.axes,
  }));
  if (!seesUnits(budget)) return views.map(({ axes: _, ...view }) => view);

  const held = heldGroups(layers, new Set(kernels.map(({ weight }) => weight.name)));
  const free = (groups: readonly number[]): number[] => groups.map((group) => (held.has(group) ? -1 : group));
  const units = kernels.map(({ weight }) =>
    free(weight.groups ?? new Array<number>(weight.shape.at(-1) ?? 1).fill(-1)),
  );
  const pruned = new Set(units.flat().filter((group) => group >= 0));
  const vectors = views.map((): Weight[] => []);
  const shared: { layer: string; weight: Weight; groups: number[] }[] = [];
  for (const layer of layers) {
    for (const weight of layer.weights) {
      if (weight.prunable || !weight.groups || !trained(weight)) continue;
      const groups = free(weight.groups).map((group) => (pruned.has(group) ? group : -1));
      if (groups.every((group) => group < 0)) continue;
      const owner = units.findIndex((own) => same(own, groups));
      if (owner >= 0) vectors[owner]!.push(weight);
      else shared.push({ layer: layer.name, weight, groups });
    }
  }
  return [
    ...views.map(({ layer, view, weights, axes }, i) => ({
      layer,
      view: {
        ...view,
        units: units[i]!.length,
        groups: units[i]!,
        ...(axes && { axes }),
        unitVectors: vectors[i]!.reduce((sum, vector) => sum + rowsOf(vector, units[i]!), 0),
      },
      weights: [...weights, ...vectors[i]!.map(({ name }) => name)],
    })),
    ...shared.map(({ layer, weight, groups }) => ({
      layer,
      view: {
        name: weight.name,
        size: 0,
        shape: [0, groups.length],
        flopsPerWeight: 0,
        units: groups.length,
        groups,
        unitVectors: rowsOf(weight, groups),
      },
      weights: [weight.name],
    })),
  ];
}
