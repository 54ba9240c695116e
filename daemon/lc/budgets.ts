/** Compiles a user's budget into a C step; computes its size before the run and checks it afterwards. */
import { inLayer } from './budgetError.js';
import type { BudgetSpec } from './budgets/budgetSpec.js';
import { everything, mostWeights } from './budgets/counted.js';
import { goalKind, parseBudget, requireLayers, structureKind, type ParsedBudget } from './budgets/parseBudget.js';
import { CODEBOOK, WORDS, type Counted, type Kind } from './budgets/registry.js';
import { limitChecks, multiplesCheck, type Checked, type WrittenKernels } from './budgets/written.js';
import type { Compression } from './compression.js';
import { byLayer, partLength, type LayerView } from './layerView.js';
import { perLayer } from './projections/perLayer.js';
import { compressedColumns, type SparseFormatOf } from './sparseFormat.js';

export { BudgetError } from './budgetError.js';
export { seesUnits, viewLength, type BudgetSpec } from './budgets/budgetSpec.js';
export { byLayer, layerNameOf, unitsOf, type LayerView } from './layerView.js';
export { parseBytes, parseShare, shareOf } from './share.js';
export { isOfFile } from './sparseFormat.js';
export type { FileFormat, SparseFormat, SparseFormatOf } from './sparseFormat.js';

export interface BudgetOptions {
  /** The file format that `bytes` refers to: the one that will be exported. Default: compressed columns of fixed width (sparseFormat.ts). */
  readonly format?: SparseFormatOf;
}

function parseFor(budget: BudgetSpec, layers: readonly LayerView[]): ParsedBudget {
  const parsed = parseBudget(budget);
  requireLayers(parsed, layers);
  return parsed;
}

/** Groups build local budgets in their own way, because ties join layers. */
const isLocal = ({ scope, units }: ParsedBudget): boolean => scope === 'layer' && !units;

/**
 * The C step of a budget over the layers whose weights, concatenated in this order, are the view (see LayerView).
 * @throws BudgetError when the budget contradicts itself or cannot be met, with the nearest valid value.
 */
export function createCompression(
  budget: BudgetSpec,
  layers: readonly LayerView[],
  { format = compressedColumns }: BudgetOptions = {},
): Compression {
  const parsed = parseFor(budget, layers);
  const over = (part: readonly LayerView[]): Compression =>
    parsed.goal === null
      ? everything(parsed, part)
      : goalKind(parsed.goal.kind).compression(parsed.goal, parsed, part, format);
  if (!isLocal(parsed)) return over(layers);
  return perLayer(
    byLayer(layers, (view) => view).map(({ name, views }) => ({
      name,
      size: views.reduce((total, view) => total + partLength(view, parsed.units), 0),
      compression: inLayer(name, () => over(views)),
    })),
  );
}

/**
 * Largest number of weights that the budget keeps over these layers; null if it is not known before the run (penalty forms, radii, FLOPs, neurons,
 * bytes of a file with codes of variable length). @throws BudgetError as createCompression.
 */
export function budgetKappa(
  budget: BudgetSpec,
  layers: readonly LayerView[],
  { format = compressedColumns }: BudgetOptions = {},
): number | null {
  const parsed = parseFor(budget, layers);
  const over = (part: readonly LayerView[]): number | null =>
    parsed.goal === null
      ? mostWeights(parsed, part)
      : goalKind(parsed.goal.kind).kappa(parsed.goal, parsed, part, format);
  if (!isLocal(parsed)) return over(layers);
  let total = 0;
  for (const { name, views } of byLayer(layers, (view) => view)) {
    const kappa = inLayer(name, () => over(views));
    if (kappa === null) return null;
    total += kappa;
  }
  return total;
}

/** One requirement of a budget, named by the quantity that is counted. */
export type NamedCheck = Checked & { readonly kind: Counted | 'floor' | 'cap' | 'roundTo' };

/** Checks every requirement of the budget on the written file. @throws BudgetError as createCompression. */
export function checkWritten(budget: BudgetSpec, written: WrittenKernels): NamedCheck[] {
  const parsed = parseBudget(budget);
  const { goal, structures, quantize } = parsed;
  const checks: (readonly [Kind, Checked])[] = structures.map((structure) => [
    structure.kind,
    structureKind(structure.kind).check(structure, written),
  ]);
  if (goal) checks.unshift([goal.kind, goalKind(goal.kind).check(goal, parsed, written)]);
  if (quantize) checks.push([quantize.kind, CODEBOOK.check(quantize, written)]);
  const named = checks.map(([kind, checked]) => ({ kind: WORDS[kind].counts, ...checked }));
  const multiples =
    parsed.roundTo > 1 ? [{ kind: 'roundTo' as const, ...multiplesCheck(parsed, written.kernels) }] : [];
  return [...named, ...multiples, ...limitChecks(parsed, written.kernels)];
}

/** Whether the kept number is a result of the run, as with penalties. @throws BudgetError as createCompression. */
export function isFound(budget: BudgetSpec): boolean {
  const { goal } = parseBudget(budget);
  return goal !== null && (goalKind(goal.kind).isFound?.(goal) ?? false);
}

/**
 * Whether the budget constrains values that retraining would change, as codebooks and the l2 norm do. (With l1, the support is retrained. [P, Table
 * 1])
 * @throws BudgetError as createCompression.
 */
export function boundsValues(budget: BudgetSpec): boolean {
  const { goal, quantize } = parseBudget(budget);
  return quantize !== undefined || (goal !== null && (goalKind(goal.kind).boundsValues?.(goal) ?? false));
}
