/** Budgets: what the user asks for, turned into a C step. */
import { inSequence, patternConstraint } from './projections/blocks.js';
import {
  BudgetError,
  blocksOf,
  byLayer,
  seesUnits,
  viewLength,
  type BudgetSpec,
  type LayerView,
} from './budgetSpec.js';
import { bytesConstraint, type BytesBudget } from './bytes.js';
import type { Compression } from './compression.js';
import { fittingFloors, wantedFloor, withoutFloors } from './defaultFloors.js';
import { denseCost, flopsConstraint, flopsPenalty } from './flops.js';
import {
  groupConstraint,
  groupKnapsack,
  groupPenalty,
  groupUnits,
  type ClassLimit,
  type Groups,
} from './projections/groups.js';
import { bytesOfKey, flopsBudget, globalKappa, layerCapacity, neuronCount, totalSize } from './kappa.js';
import { l0Constraint, l0Penalty } from './projections/l0.js';
import { l1Constraint, l1Penalty } from './projections/l1.js';
import { l2Constraint, l2Penalty } from './projections/l2.js';
import { floorsCost, withLimits, type LayerLimit } from './limits.js';
import { perLayer } from './projections/perLayer.js';
import { int8, learnedCodebook, ternary } from './quantize.js';
import { parseShare, shareOf } from './share.js';
import { compressedColumns, type SparseFormatOf } from './sparseFormat.js';
import { goalOf, parsePattern, validateBudget } from './validateBudget.js';
import { count } from '../protocol/format.js';

export { BudgetError, byLayer, layerNameOf, seesUnits, unitsOf, viewLength } from './budgetSpec.js';
export type { BudgetSpec, LayerView } from './budgetSpec.js';
export { parseBytes, parseShare, shareOf } from './share.js';
export { isOfFile } from './sparseFormat.js';
export type { FileFormat, SparseFormat, SparseFormatOf } from './sparseFormat.js';

export interface BudgetOptions {
  /** What `bytes` buys: the format that will be exported. Default: compressed columns of fixed width (sparseFormat.ts). */
  readonly format?: SparseFormatOf;
}

/**
 * The C step of a budget over the layers whose weights, concatenated in this order, are the view (see LayerView).
 * @throws BudgetError when the budget contradicts itself or cannot be met, with the nearest valid value.
 */
export function createCompression(
  budget: BudgetSpec,
  layers: readonly LayerView[],
  { format = compressedColumns }: BudgetOptions = {},
): Compression {
  validateBudget(budget, layers);
  // Groups have their own way of local budgets, because ties join layers.
  if (budget.scope !== 'layer' || seesUnits(budget)) return globalCompression(budget, layers, format);
  return perLayer(
    byLayer(layers, (view) => view).map(({ name, views }) => ({
      name,
      size: views.reduce((total, view) => total + viewLength(view, budget), 0),
      compression: inLayer(name, () => globalCompression(budget, views, format)),
    })),
  );
}

/**
 * Number of weights the budget keeps at most over these layers; null where it cannot be known before the run (penalty
 * forms, radii, FLOPs, neurons, bytes of a file with codes of variable length). @throws BudgetError as createCompression.
 */
export function budgetKappa(
  budget: BudgetSpec,
  layers: readonly LayerView[],
  { format = compressedColumns }: BudgetOptions = {},
): number | null {
  validateBudget(budget, layers);
  const over = (part: readonly LayerView[]): number | null => {
    const kappa = globalKappa(budget, part, format);
    const encoded = budget.bytes !== undefined && format(part, budget.quantize).encodedBytes !== undefined;
    return encoded ? null : kappa;
  };
  if (budget.scope !== 'layer' || seesUnits(budget)) return over(layers);
  let total = 0;
  for (const { name, views } of byLayer(layers, (view) => view)) {
    const kappa = inLayer(name, () => over(views));
    if (kappa === null) return null;
    total += kappa;
  }
  return total;
}

/** A budget per layer fails in one layer: say which. */
function inLayer<T>(layer: string, resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    throw new BudgetError(error.key, `${error.message.slice(error.key.length + 2)} (layer "${layer}")`, error.nearest);
  }
}

function globalCompression(budget: BudgetSpec, layers: readonly LayerView[], format: SparseFormatOf): Compression {
  if (seesUnits(budget)) return neuronCompression(budget, layers, format);
  const costed = layers.map(({ size, flopsPerWeight }) => ({ size, cost: flopsPerWeight }));
  const { alpha, radius, norm = 'l0' } = budget;
  if (alpha !== undefined) {
    if (budget.cost === 'flops') return flopsPenalty(alpha, costed);
    return { l0: l0Penalty, l1: l1Penalty, l2: l2Penalty }[norm](alpha);
  }
  if (radius !== undefined) return norm === 'l2' ? l2Constraint(radius) : l1Constraint(radius);
  if (budget.flops !== undefined) {
    const allowed = flopsBudget(budget.flops, layers);
    const { limits, without } = flopsLimits(budget, layers, allowed);
    const forced = floorsCost(limits);
    if (forced > allowed) {
      throw new BudgetError(
        'layers',
        `the floors cost ${count(forced)} FLOPs, more than the budget's ${count(allowed)}`,
      );
    }
    const description = `FLOPs constraint, ${allowed} of ${denseCost(costed)}, with floors`;
    return {
      ...withLimits(limits, allowed, (left) => flopsConstraint(left, costed), description),
      ...withoutFloors(without),
    };
  }
  const kappa = globalKappa(budget, layers, format)!;
  const compression = (most: number): Compression => countedCompression(budget, layers, most);
  const counted = compression(kappa);
  return inFile(budget, layers, format, { least: kappa, most: totalSize(layers), compression }) ?? counted;
}

/** A budget of bytes in a file with codes of variable length; null where the format's width is fixed. */
function inFile(
  budget: BudgetSpec,
  layers: readonly LayerView[],
  format: SparseFormatOf,
  search: Pick<BytesBudget, 'least' | 'most' | 'compression'>,
): Compression | null {
  const { encodedBytes } = format(layers, budget.quantize);
  if (budget.bytes === undefined || !encodedBytes) return null;
  const length = layers.reduce((total, layer) => total + viewLength(layer, budget), 0);
  const kernels = new Float32Array(totalSize(layers));
  return bytesConstraint(length, {
    bytes: bytesOfKey(budget.bytes),
    ...search,
    encodedBytes(theta) {
      let [from, to] = [0, 0];
      for (const layer of layers) {
        kernels.set(theta.subarray(from, from + layer.size), to);
        from += viewLength(layer, budget);
        to += layer.size;
      }
      return encodedBytes(kernels);
    },
    // A learned codebook takes time.
    tolerance: budget.quantize ? 1 / 500 : 0,
  });
}

/** Budgets that come down to a number of weights, with what goes along: pattern, codebook, floors and caps. */
function countedCompression(budget: BudgetSpec, layers: readonly LayerView[], kappa: number): Compression {
  const size = totalSize(layers);
  const counted = budget.quantize
    ? quantization(budget.quantize.codebook, kappa, layers)
    : limitedConstraint(budget, layers, kappa);
  if (budget.pattern === undefined) return counted;
  const { n, m } = parsePattern(budget.pattern);
  const pattern = patternConstraint(n, m, layers.map(blocksOf));
  const alone = goalOf(budget) === null && !budget.quantize && !budget.layers;
  return alone
    ? { ...pattern, description: `${n}:${m} pattern, at most ${kappa} of ${size}` }
    : inSequence(pattern, counted);
}

function quantization(codebook: number | 'int8' | 'ternary', kappa: number, layers: readonly LayerView[]): Compression {
  const size = totalSize(layers);
  if (codebook === 'int8')
    return int8(
      kappa,
      layers.map((layer) => layer.size),
    );
  return codebook === 'ternary' ? ternary(kappa, size) : learnedCodebook(codebook, kappa, size);
}

function limitedConstraint(budget: BudgetSpec, layers: readonly LayerView[], kappa: number): Compression {
  const limits = layerLimits(budget, layers);
  const size = totalSize(layers);
  if (limits === null) return l0Constraint(kappa, size);
  const forced = floorsCost(limits);
  const most = limits.reduce((total, { cap }) => total + cap, 0);
  if (forced > kappa) {
    throw new BudgetError(
      'layers',
      `the floors keep ${count(forced)} weights, more than the budget's ${count(kappa)}; raise it to ${forced}`,
    );
  }
  if (most < kappa && goalOf(budget) !== null && budget.bytes === undefined) {
    throw new BudgetError(
      'layers',
      `the caps leave ${count(most)} weights, less than the budget's ${count(kappa)}; lower it to ${most}`,
    );
  }
  const description = `l0 constraint, kappa = ${Math.min(kappa, most)} of ${size}, with limits`;
  return withLimits(limits, kappa, (left) => l0Constraint(left, size), description);
}

/** Floors and caps in weights, one per layer; null without any. A floor beyond what a pattern leaves is that much. */
function layerLimits(budget: BudgetSpec, layers: readonly LayerView[]): LayerLimit[] | null {
  if (!budget.layers) return null;
  return byLayer(layers, (view) => view).map(({ name, views }) => {
    const { floor, cap } = budget.layers![name] ?? {};
    const size = totalSize(views);
    const capacity = views.reduce((total, view) => total + layerCapacity(budget, view), 0);
    const most = cap === undefined ? capacity : Math.min(capacity, shareOf(parseShare(cap), size));
    const least = floor === undefined ? 0 : Math.min(most, shareOf(parseShare(floor), size));
    return { name, size, floor: least, cap: most };
  });
}

/** Floors and caps of a FLOPs budget: the given ones, and where there is none, the usual ones as far as they fit. */
function flopsLimits(
  budget: BudgetSpec,
  layers: readonly LayerView[],
  allowed: number,
): { limits: LayerLimit[]; without: readonly string[] } {
  const counted = layerLimits({ ...budget, layers: budget.layers ?? {} }, layers)!;
  // Kernels of one layer cost the same: each is read once at each place.
  const costs = byLayer(layers, (view) => view).map(({ views }) => views[0]!.flopsPerWeight);
  const given = counted.map((limit, i) => ({ ...limit, cost: costs[i]! }));
  const dense = layers.reduce((total, { size, flopsPerWeight }) => total + size * flopsPerWeight, 0);
  const even = dense === 0 ? 0 : allowed / dense;
  const open = ({ name }: LayerLimit): boolean => budget.layers?.[name]?.floor === undefined;
  const { floors, without } = fittingFloors(
    given.map((limit) => ({ ...limit, wanted: open(limit) ? Math.min(limit.cap, wantedFloor(even, limit.size)) : 0 })),
    allowed - floorsCost(given),
  );
  return { limits: given.map((limit, i) => ({ ...limit, floor: Math.max(limit.floor, floors[i]!) })), without };
}

/** Groups that each class keeps at least where nothing else is said: as for weights, and one of each. */
const wantedGroups = (even: number, count: number): number => Math.max(Math.min(1, count), wantedFloor(even, count));

function neuronCompression(budget: BudgetSpec, layers: readonly LayerView[], format: SparseFormatOf): Compression {
  const groups = groupUnits(layers);
  const { alpha } = budget;
  if (alpha !== undefined) {
    return budget.cost === 'flops'
      ? groupPenalty(groups, alpha, groups.flops, 'FLOP')
      : groupPenalty(groups, alpha, new Float64Array(groups.count).fill(1), 'neuron');
  }
  if (budget.neurons !== undefined) {
    if (budget.scope === 'layer') return localNeurons(budget.neurons, groups);
    const count = neuronCount(budget.neurons, groups.count);
    const { limits, without } = classLimits(budget, groups, count);
    return { ...groupConstraint(groups, count, limits), ...withoutFloors(without) };
  }
  if (budget.flops !== undefined) {
    const spent = groups.flops.reduce((total, flops) => total + flops, 0);
    const fixed = layers.reduce((total, { size, flopsPerWeight }) => total + size * flopsPerWeight, 0) - spent;
    return wholeNeurons('flops', groups, groups.flops, flopsBudget(budget.flops, layers), fixed, 'FLOPs');
  }
  const fixed = totalSize(layers) - groups.weights.reduce((total, weights) => total + weights, 0);
  const kappa = globalKappa(budget, layers, format)!;
  const whole = wholeNeurons(goalOf(budget)!, groups, groups.weights, kappa, fixed, 'weights');
  const compression = (most: number): Compression => flooredKnapsack(groups, groups.weights, most, 'weights');
  const search = { least: kappa - fixed, most: totalSize(layers) - fixed, compression };
  return inFile(budget, layers, format, search) ?? whole;
}

/** The same share or number of neurons of each layer, tied layers together. */
function localNeurons(neurons: number | string, groups: Groups): Compression {
  const limits = groups.classes.map(({ name, count }) => {
    const kept = inLayer(name, () => neuronCount(neurons, count));
    return { floor: kept, cap: kept };
  });
  return groupConstraint(
    groups,
    neuronCount(
      limits.reduce((total, { cap }) => total + cap, 0),
      groups.count,
    ),
    limits,
  );
}

/** A knapsack of whole neurons in what the layers with fixed units (the output) leave of the budget. */
function wholeNeurons(
  key: string,
  groups: Groups,
  costs: Float64Array,
  budget: number,
  fixed: number,
  unit: string,
): Compression {
  if (groups.count === 0)
    throw new BudgetError(key, 'no neuron or filter of these layers can be removed: each is an output of the model, feeds what mixes channels (a softmax, a recurrent layer), or a layer that is not pruned'); // prettier-ignore
  const least = fixed + costs.reduce((smallest, cost) => Math.min(smallest, cost), Infinity);
  if (budget < least) {
    throw new BudgetError(
      key,
      `comes to ${count(budget)} ${unit}; one neuron and the layers that stay need ${count(least)}`,
      key === 'weights' ? least : undefined,
    );
  }
  return flooredKnapsack(groups, costs, budget - fixed, unit);
}

/** A knapsack of neurons in which no class of them is emptied, as far as the budget goes. */
function flooredKnapsack(groups: Groups, costs: Float64Array, budget: number, unit: string): Compression {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const dearest = new Float64Array(groups.classes.length);
  groups.classOfGroup.forEach((c, g) => (dearest[c] = Math.max(dearest[c]!, costs[g]!)));
  const { floors, without } = fittingFloors(
    groups.classes.map(({ name, count }, c) => ({
      name,
      wanted: wantedGroups(budget / total, count),
      cost: dearest[c]!,
    })),
    budget,
  );
  return { ...groupKnapsack(groups, costs, budget, unit, floors), ...withoutFloors(without) };
}

/** Floors and caps of a neuron budget, in units of the layer; tied layers share the tightest. The usual floors as far as they fit. */
function classLimits(
  budget: BudgetSpec,
  groups: Groups,
  count: number,
): { limits: ClassLimit[]; without: readonly string[] } {
  const limits = groups.classes.map((units) => ({ floor: 0, cap: units.count }));
  const floored = new Set<number>();
  for (const [name, { floor, cap }] of Object.entries(budget.layers ?? {})) {
    const index = groups.classOfLayer.get(name);
    if (index === undefined)
      throw new BudgetError(`layers.${name}`, 'its neurons are never removed; it takes no limits');
    const limit = limits[index]!;
    const units = groups.classes[index]!.count;
    if (floor !== undefined) {
      limit.floor = Math.max(limit.floor, shareOf(parseShare(floor), units));
      floored.add(index);
    }
    if (cap !== undefined) limit.cap = Math.min(limit.cap, shareOf(parseShare(cap), units));
    if (limit.floor > limit.cap) {
      throw new BudgetError(`layers.${name}`, `the floor of ${limit.floor} neurons is above the cap of ${limit.cap}`);
    }
  }
  const least = limits.reduce((total, { floor }) => total + floor, 0);
  const most = limits.reduce((total, { cap }) => total + cap, 0);
  if (least > count)
    throw new BudgetError('neurons', `${count} is below the ${least} of the floors; the least is ${least}`, least);
  if (most < count)
    throw new BudgetError('neurons', `${count} is above the ${most} of the caps; the most is ${most}`, most);
  const even = count / groups.count;
  const { floors, without } = fittingFloors(
    groups.classes.map(({ name, count: units }, c) => ({
      name,
      wanted: floored.has(c) ? 0 : Math.min(limits[c]!.cap, wantedGroups(even, units)),
      cost: 1,
    })),
    count - least,
  );
  return { limits: limits.map(({ floor, cap }, c) => ({ floor: Math.max(floor, floors[c]!), cap })), without };
}
