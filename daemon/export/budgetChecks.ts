/** Whether a written model keeps its budgets: counted on what was read back from the file, not on what the run believes. */
import {
  budgetKappa,
  byLayer,
  createCompression,
  isOfFile,
  layerNameOf,
  parseBytes,
  parseShare,
  seesUnits,
  shareOf,
  unitsOf,
  type LayerView,
} from '../lc/budgets.js';
import { eachBlock } from '../lc/projections/blocks.js';
import { blocksOf } from '../lc/budgetSpec.js';
import { groupUnits } from '../lc/projections/groups.js';
import { flopsBudget, neuronCount } from '../lc/kappa.js';
import { parsePattern } from '../lc/validateBudget.js';
import { layerViews } from '../model/layers/layerViews.js';
import type { Model } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import type { BudgetCheck } from '../protocol/events.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { fileFormatOf } from './sparse/packageFormat.js';
import { gridStep } from './sparse/valueCodes.js';
import { count, planPercent } from '../protocol/format.js';

/** A kernel of the file with what its budget saw of it. */
interface Kernel {
  readonly view: LayerView;
  readonly data: Float32Array;
}

type Counted = Omit<BudgetCheck, 'task'>;
interface Measure {
  readonly limit: number;
  readonly got: number;
}

const nonZeros = (data: Float32Array): number => data.reduce((n, x) => (x === 0 ? n : n + 1), 0);
const sum = (kernels: readonly Kernel[], of: (kernel: Kernel) => number): number =>
  kernels.reduce((total, kernel) => total + of(kernel), 0);
const weightsOf = (kernels: readonly Kernel[]): number => sum(kernels, ({ data }) => nonZeros(data));
const viewsOf = (kernels: readonly Kernel[]): LayerView[] => kernels.map(({ view }) => view);
const joined = (kernels: readonly Kernel[]): Float32Array => {
  const all = new Float32Array(sum(kernels, ({ data }) => data.length));
  let at = 0;
  for (const { data } of kernels) {
    all.set(data, at);
    at += data.length;
  }
  return all;
};

/** 1 for each unit with an incoming weight. */
function keptUnits({ view, data }: Kernel): Uint8Array {
  const kept = new Uint8Array(unitsOf(view));
  data.forEach((x, i) => {
    if (x !== 0) kept[i % kept.length] = 1;
  });
  return kept;
}

/** Units of a kernel that are on; of a transposed convolution each stands there once per input channel. */
function countUnits({ view: { groups, units = 0 } }: Kernel, on?: Uint8Array): number {
  const seen = new Set<string>();
  for (let unit = 0; unit < units; unit++) {
    const group = groups?.[unit] ?? -1;
    if (on?.[unit] !== 0) seen.add(group < 0 ? `unit ${unit}` : String(group));
  }
  return seen.size;
}

/** Groups of units of which any has an incoming weight. */
function keptGroups(kernels: readonly Kernel[]): number {
  const kept = new Set<string>();
  kernels.forEach((kernel, k) => {
    keptUnits(kernel).forEach((on, unit) => {
      const group = kernel.view.groups?.[unit];
      if (on === 1 && group !== -1) kept.add(group === undefined ? `${k}/${unit}` : String(group));
    });
  });
  return kept.size;
}

/** The most non-zeros of any block of m consecutive inputs of a unit. */
function fullestBlock({ view, data }: Kernel, m: number): number {
  let most = 0;
  eachBlock(m, blocksOf(view), 0, (block, length) => {
    let kept = 0;
    for (let i = 0; i < length; i++) if (data[block[i]!] !== 0) kept++;
    most = Math.max(most, kept);
  });
  return most;
}

/** One check of a budget over everything, or added up over layers that each have their own. */
function perScope(
  budget: Budget,
  kernels: readonly Kernel[],
  of: (part: readonly Kernel[], budget: Budget) => Measure,
): { limit: number; got: number; met: boolean } {
  const parts = budget.scope === 'layer' ? byLayer(kernels, ({ view }) => view).map(({ views }) => views) : [kernels];
  const measures = parts.map((part) => of(part, { ...budget, scope: 'global' }));
  return {
    limit: measures.reduce((total, { limit }) => total + limit, 0),
    got: measures.reduce((total, { got }) => total + got, 0),
    met: measures.every(({ limit, got }) => got <= limit),
  };
}

function neuronCheck(
  budget: Budget & { neurons: number | string },
  kernels: readonly Kernel[],
): Omit<Counted, 'kind' | 'asked'> {
  const groups = groupUnits(viewsOf(kernels));
  const got = keptGroups(kernels);
  // Tied layers have their neurons in common, so a local budget is one per class of them.
  const limit =
    budget.scope === 'layer'
      ? groups.classes.reduce((total, { count }) => total + neuronCount(budget.neurons, count), 0)
      : neuronCount(budget.neurons, groups.count);
  return { limit, got, met: got <= limit };
}

function codeCheck(codebook: NonNullable<Budget['quantize']>['codebook'], kernels: readonly Kernel[]): Counted {
  const codesOf = (data: Float32Array): number[] => [...new Set(data)].filter((x) => x !== 0);
  if (codebook === 'int8') {
    const got = Math.max(...kernels.map(({ data }) => codesOf(data).length));
    const onGrid = kernels.every(({ data }) => {
      const kept = data.filter((x) => x !== 0);
      return kept.length === 0 || gridStep(kept) !== null;
    });
    return { kind: 'codes', asked: 'int8', limit: 254, got, met: onGrid && got <= 254 };
  }
  const codes = codesOf(joined(kernels));
  if (codebook === 'ternary') {
    const symmetric = codes.every((code) => Math.abs(code) === Math.abs(codes[0]!));
    return { kind: 'codes', asked: 'ternary', limit: 2, got: codes.length, met: codes.length <= 2 && symmetric };
  }
  return {
    kind: 'codes',
    asked: `${codebook} codes`,
    limit: codebook,
    got: codes.length,
    met: codes.length <= codebook,
  };
}

function limitChecks(budget: Budget, kernels: readonly Kernel[]): Counted[] {
  return Object.entries(budget.layers ?? {}).flatMap(([name, limits]) => {
    const units = seesUnits(budget);
    // Of a layer with several kernels, the one of its name has its units.
    const own = kernels.filter(({ view }) => (units ? view.name : layerNameOf(view)) === name);
    if (own.length === 0) return [];
    const got = units ? sum(own, (kernel) => countUnits(kernel, keptUnits(kernel))) : weightsOf(own);
    const size = units ? sum(own, (kernel) => countUnits(kernel)) : sum(own, ({ view }) => view.size);
    return (['floor', 'cap'] as const).flatMap((kind): Counted[] => {
      const share = limits[kind];
      if (share === undefined) return [];
      const limit = shareOf(parseShare(share), size);
      return [
        { kind, asked: `${kind} ${share} of ${name}`, limit, got, met: kind === 'floor' ? got >= limit : got <= limit },
      ];
    });
  });
}

/** @param fileBytes of the sparse package that was written; null where the budget is only for a part of it. */
function checksOf(budget: Budget, kernels: readonly Kernel[], model: Model, fileBytes: number | null): Counted[] {
  const { keep, weights, bytes, flops, neurons, pattern, alpha, radius, norm = 'l0', quantize } = budget;
  const checks: Counted[] = [];
  const add = (kind: Counted['kind'], asked: string, measured: Omit<Counted, 'kind' | 'asked'>): void =>
    void checks.push({ kind, asked, ...measured });
  if (keep !== undefined || weights !== undefined) {
    const measured = perScope(budget, kernels, (part, own) => ({
      limit: budgetKappa({ keep: own.keep, weights: own.weights }, viewsOf(part))!,
      got: weightsOf(part),
    }));
    add(
      'weights',
      keep === undefined ? String(weights) : typeof keep === 'number' ? planPercent(keep) : keep,
      measured,
    );
  }
  if (bytes !== undefined) {
    const measured = perScope(budget, kernels, (part) => ({
      limit: parseBytes(bytes),
      got: fileBytes ?? fileFormatOf(model)(false)(viewsOf(part), quantize).encodedBytes!(joined(part)),
    }));
    add('bytes', String(bytes), measured);
  }
  if (flops !== undefined) {
    const measured = perScope(budget, kernels, (part, own) => ({
      limit: flopsBudget(own.flops!, viewsOf(part)),
      got: sum(part, ({ view, data }) => view.flopsPerWeight * nonZeros(data)),
    }));
    add('flops', String(flops), measured);
  }
  if (neurons !== undefined) add('neurons', String(neurons), neuronCheck({ ...budget, neurons }, kernels));
  if (pattern !== undefined) {
    const { n, m } = parsePattern(pattern);
    const got = Math.max(...kernels.map((kernel) => fullestBlock(kernel, m)));
    add('pattern', pattern, { limit: n, got, met: got <= n });
  }
  if (quantize !== undefined) checks.push(codeCheck(quantize.codebook, kernels));
  if (alpha !== undefined) {
    const got = seesUnits(budget)
      ? keptGroups(kernels)
      : createCompression(budget, viewsOf(kernels)).cost(joined(kernels));
    add('penalty', `alpha ${alpha}, ${norm}`, { limit: null, got, met: null });
  }
  if (radius !== undefined) {
    const got = sum(kernels, ({ data }) => data.reduce((total, x) => total + (norm === 'l2' ? x * x : Math.abs(x)), 0));
    // The l1 ball chooses the support; what is retrained on it may leave the ball. [P, Table 1]
    add('norm', `${norm} radius ${radius}`, {
      limit: radius,
      got,
      met: norm === 'l1' ? null : got <= radius * (1 + 1e-5),
    });
  }
  return [...checks, ...limitChecks(budget, kernels)];
}

/**
 * @param model read back from what the run has written.
 * @param tasks of the plan, with the budgets that were in force at the end.
 * @param fileBytes of its sparse package.
 * @param trained weights that the run trained, by name.
 */
export function checkBudgets(
  model: Model,
  tasks: ResolvedPlan['tasks'],
  fileBytes: number,
  trained: (name: string) => boolean,
): BudgetCheck[] {
  const layers = summarizeModel(model);
  const data = new Map(model.weights.map((weight) => [weight.name, weight.data]));
  const frozen = layers
    .filter((layer) => layer.frozen)
    .flatMap(({ weights }) => weights.filter(({ name, prunable }) => prunable && !trained(name)))
    .reduce((total, { size }) => total + size, 0);
  // The budget of the whole model is not one of what the file freezes.
  const shown = (name: string) => (name === 'all' && frozen > 0 ? `all but ${count(frozen)} frozen` : name);
  return tasks.flatMap(({ name, layers: names, budget }) => {
    const kernels = layerViews(layers, names, budget, (weight) => trained(weight.name))
      .filter(({ view }) => view.size > 0)
      .map(({ view, weights }) => ({ view, data: data.get(weights[0]!)! }));
    const own = isOfFile(tasks, budget) ? fileBytes : null;
    return checksOf(budget, kernels, model, own).map((check) => ({ task: shown(name), ...check }));
  });
}
