/** The size of a sparse package before it is written: what a `bytes` budget is resolved with. */
import type { SparseFormat, SparseFormatOf } from '../lc/budgets.js';
import type { BudgetSpec, LayerView } from '../lc/budgetSpec.js';
import { storedBytes } from '../lc/sparseFormat.js';
import type { Model } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import { bitsFor } from './bitStream.js';
import { emptyPackageBytes } from './sparsePackage.js';
import { codeBits } from './valueCodes.js';

/** Kernel names by what a layer view may be called: the kernel itself, or its layer where that has one kernel only. */
function kernelNames(model: Model): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name, weights } of summarizeModel(model)) {
    const kernels = weights.filter((weight) => weight.prunable).map((weight) => weight.name);
    if (kernels.length === 1) names.set(name, kernels[0]!);
    for (const kernel of kernels) names.set(kernel, kernel);
  }
  return names;
}

/**
 * The sparse package of fixed width as a budget sees it: pass it to createCompression as `format`. A file written with
 * `code: 'fixed'` and float32 values has exactly storedBytes(format, kept) bytes; one with 'smallest', or with a codebook,
 * at most that many. Layers that the budget does not cover are counted in full.
 * @param model the reference.
 */
export function packageFormat(model: Model): SparseFormatOf {
  const names = kernelNames(model);
  return (layers, quantize): SparseFormat => {
    const kernels = new Set(layers.map(({ name }) => names.get(name) ?? name));
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    const { bits, table } = valueWidth(quantize, layers.length);
    return { overheadBytes: emptyPackageBytes(model, kernels) + table, bitsPerWeight: bitsFor(size) + bits };
  };
}

function valueWidth(quantize: Parameters<SparseFormatOf>[1], layers: number): { bits: number; table: number } {
  if (quantize === undefined) return { bits: 32, table: 0 };
  if (quantize.codebook === 'int8') return { bits: 8, table: 8 * layers };
  const codes = quantize.codebook === 'ternary' ? 2 : quantize.codebook;
  return { bits: codeBits(codes), table: 2 + 4 * codes };
}

/**
 * Bytes of the package that keeps so many weights of each kernel (and stores all other tensors in full), fixed width.
 * @param kept by kernel name.
 */
export function sparseBytes(model: Model, kept: ReadonlyMap<string, number>): number {
  const tensors = model.weights.filter(({ name }) => kept.has(name));
  const layers = tensors.map(({ name, data, shape }) => ({ name, size: data.length, shape, flopsPerWeight: 0 }));
  const total = tensors.reduce((sum, { name }) => sum + kept.get(name)!, 0);
  return storedBytes(packageFormat(model)(layers, undefined), total);
}

/** Bits that the gap code needs for `kept` of `size` places at most, wherever they are: the gaps add up to size - kept. */
function gapBitsAtMost(kept: number, size: number): number {
  let fewest = Infinity;
  for (let k = 0; k < 31; k++) fewest = Math.min(fewest, kept * (1 + k) + Math.floor((size - kept) / 2 ** k));
  return fewest;
}

/**
 * The most weights that a package of code 'smallest' surely holds within `bytes`, wherever they lie: more than
 * kappaOfBytes gives for the fixed width, since gaps are shorter than positions. The file is never larger.
 * @param bytes of the file. @returns 0 when not one weight fits; the layers' size at most.
 */
export function weightsWithin(
  model: Model,
  layers: readonly LayerView[],
  quantize: BudgetSpec['quantize'],
  bytes: number,
): number {
  const size = layers.reduce((sum, layer) => sum + layer.size, 0);
  const { overheadBytes, bitsPerWeight } = packageFormat(model)(layers, quantize);
  const valueBits = bitsPerWeight - bitsFor(size);
  const fits = (kept: number): boolean => {
    const positions = Math.min(kept * bitsFor(size) - 8, gapBitsAtMost(kept, size), size - 8);
    // A byte more for the parameter of the gap code, which the other codes lack.
    return overheadBytes + 1 + Math.ceil((positions + kept * valueBits) / 8) <= bytes;
  };
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
