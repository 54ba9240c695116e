/** Computes the size of a sparse package before it is written: a `bytes` budget is resolved with it. */
import type { FileFormat, SparseFormat, SparseFormatOf } from '../../lc/budgets.js';
import type { Model } from '../../model/model.js';
import { summarizeModel } from '../../model/summarize.js';
import { bitsFor } from './bitStream.js';
import { sparsePositionCodes } from './positionCodes.js';
import { emptyPackageBytes, SECTION_BYTES } from './sparsePackage.js';
import { codeBits } from './valueCodes.js';

/** Kernel names by the possible names of a layer view: the kernel itself, or its layer if that has one kernel only. */
function kernelNames(model: Model): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name, weights } of summarizeModel(model)) {
    const kernels = weights.filter((weight) => weight.prunable).map((weight) => weight.name);
    if (kernels.length === 1) names.set(name, kernels[0]!);
    for (const kernel of kernels) names.set(kernel, kernel);
  }
  return names;
}

/** Bits per value and bytes of the table for `parts` kernels in one section. */
function valueWidth(quantize: Parameters<SparseFormatOf>[1], parts: number): { bits: number; table: number } {
  if (quantize === undefined) return { bits: 32, table: 0 };
  if (quantize.codebook === 'int8') return { bits: 8, table: 8 * parts };
  const codes = quantize.codebook === 'ternary' ? 2 : quantize.codebook;
  return { bits: codeBits(codes), table: 2 + 4 * codes };
}

/** Positions of the non-zeros. */
function keptPlaces(values: Float32Array): Uint32Array {
  const places = new Uint32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) places[count++] = i;
  return places.subarray(0, count);
}

/** A section of kernels in its cheapest codes, values as wide as the codebook allows. */
function sectionBytes(kernels: Float32Array, parts: number, quantize: Parameters<SparseFormatOf>[1]): number {
  const { bits, table } = valueWidth(quantize, parts);
  const kept = keptPlaces(kernels);
  const size = kernels.length;
  // Every position written, zeros too, which no codebook contains.
  let fewest = quantize === undefined ? SECTION_BYTES + 4 * size : Infinity;
  for (const code of sparsePositionCodes) {
    const parameter = code.parameter?.(kept, size) ?? 0;
    const stream = code.bits(kept, size, parameter) + bits * kept.length;
    fewest = Math.min(fewest, SECTION_BYTES + (code.parameter ? 1 : 0) + table + Math.ceil(stream / 8));
  }
  return fewest;
}

/**
 * The sparse package as a budget sees it: pass it to createCompression as `format`.
 * Its fixed width is that of `code: 'fixed'`: with float32 values exactly storedBytes(format, kept) bytes. `encodedBytes` is that of `code:
 * 'smallest'`, with float32 values exactly, unless values repeat by chance; with a codebook it is an upper bound. In both, layers that the budget
 * does not cover are counted in full.
 * @param model the reference.
 * @param whole whether the budget is for the file; otherwise for these kernels' sections in it.
 */
export function packageFormat(model: Model, whole = true): SparseFormatOf {
  const names = kernelNames(model);
  const order = new Map(model.weights.map(({ name }, i) => [name, i]));
  return (layers, quantize): SparseFormat => {
    const kernels = layers.map(({ name }) => names.get(name) ?? name);
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    const { bits, table } = valueWidth(quantize, layers.length);
    const empty = (sparse: ReadonlySet<string>, apart: boolean): number =>
      whole ? emptyPackageBytes(model, sparse, apart) : 0;
    const heads = new Map<string, { together: number; apart: number }>();
    const headOf = (sparse: readonly string[]): { together: number; apart: number } => {
      const key = sparse.join('\0');
      let head = heads.get(key);
      if (!head) {
        const set = new Set(sparse);
        heads.set(key, (head = { together: empty(set, false), apart: empty(set, true) }));
      }
      return head;
    };
    // In the order of the file.
    let start = 0;
    const placed = layers
      .map((layer, i) => ({ name: kernels[i]!, start, end: (start += layer.size) }))
      .filter(({ name }) => order.has(name))
      .sort((a, b) => order.get(a.name)! - order.get(b.name)!);
    return {
      overheadBytes: empty(new Set(kernels), false) + SECTION_BYTES + table,
      bitsPerWeight: bitsFor(size) + bits,
      encodedBytes(values) {
        const parts = placed.map(({ name, start, end }) => ({ name, data: values.subarray(start, end) }));
        // A kernel without zeros is written with the biases.
        const sparse = parts.filter(({ data }) => data.includes(0));
        const dense = whole ? 0 : parts.reduce((sum, { data }) => sum + (data.includes(0) ? 0 : 4 * data.length), 0);
        if (sparse.length === 0) return dense + headOf([]).together;
        const head = headOf(sparse.map(({ name }) => name));
        const joined = new Float32Array(sparse.reduce((sum, { data }) => sum + data.length, 0));
        let at = 0;
        for (const { data } of sparse) {
          joined.set(data, at);
          at += data.length;
        }
        const together = head.together + sectionBytes(joined, sparse.length, quantize);
        const apart = head.apart + sparse.reduce((sum, { data }) => sum + sectionBytes(data, 1, quantize), 0);
        return dense + Math.min(together, apart);
      },
    };
  };
}

/** The size that `bytes` bounds for this model: of its sparse package, or of a part of it. */
export const fileFormatOf =
  (model: Model): FileFormat =>
  (whole) =>
    packageFormat(model, whole);
