import { createHash } from 'node:crypto';
import { invalidData } from '../dataError.js';
import { bytesPerNumber, decodeNumbers, isByteFormat, isFloatFormat, type NumberFormat } from './numberFormat.js';
import type { RawTargets } from '../rawDataset.js';
import { identityIndices, memoryStore, type SampleStore } from '../batches/sampleStore.js';
import { sizeOf } from '../../protocol/shape.js';

/** One array of a data file: the first axis counts samples. */
export interface ArrayFile {
  readonly name: string;
  readonly store: SampleStore;
  /** Whole numbers, so that the array can hold class labels. */
  readonly integers: boolean;
  /** sha256, hex, of the values' bytes. */
  readonly hash: string;
}

export function sha256(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/**
 * Values in C order as an array in memory.
 * @param bytes exactly the values.
 * @throws UserError('data-invalid') for an empty array, and for NaN or infinity with sample and position.
 */
export function checkedArray(
  name: string,
  bytes: Uint8Array,
  format: NumberFormat,
  shape: readonly number[],
): ArrayFile {
  const size = shape[0] ?? 1;
  const rowShape = shape.slice(1);
  if (shape.length === 0) throw invalidData(name, 'this is a single number, not an array of samples');
  if (sizeOf(shape) === 0) throw invalidData(name, `the array is empty (${shape.join(' x ')})`);
  const count = sizeOf(shape);
  let data: Uint8Array | Float32Array;
  if (isByteFormat(format)) data = bytes.subarray(0, count);
  else {
    data = new Float32Array(count);
    decodeNumbers(bytes, format, count, data, 0);
    if (isFloatFormat(format)) refuseNonFinite(name, data, 0, sizeOf(rowShape));
  }
  return {
    name,
    store: memoryStore(data, size, rowShape),
    integers: !isFloatFormat(format),
    hash: sha256(`${format.kind} ${shape.join(' ')}\n`, bytes.subarray(0, count * bytesPerNumber(format))),
  };
}

/** @throws UserError naming the first NaN or infinity; values begin at sample `firstSample`, `width` per sample. */
export function refuseNonFinite(name: string, values: Float32Array, firstSample: number, width: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // Finite minus itself is 0; NaN and infinities are not.
    if (value - value === 0) continue;
    const sample = firstSample + Math.floor(i / width);
    throw invalidData(
      name,
      `sample ${sample} has the value ${value === value ? 'infinity (or beyond float32)' : 'NaN'} at position ${i % width}: remove or replace such samples`,
    );
  }
}

/** The array as targets: class labels when it holds whole numbers, one per sample or per position; else values. */
export async function asTargets(array: ArrayFile): Promise<RawTargets> {
  const { store, name } = array;
  if (!array.integers || !store.resident) return { kind: 'values', store, where: name };
  const values = new Float32Array(store.size * store.width);
  await store.gather(identityIndices(store.size), 0, store.size, values);
  return { kind: 'labels', labels: wholeNumbers(values), positions: store.width, where: name };
}

/** As int32. Larger values saturate: they then lie outside the range of classes instead of wrapping into it. */
export function wholeNumbers(values: Float32Array): Int32Array {
  return Int32Array.from(values, (v) => Math.max(-0x80000000, Math.min(0x7fffffff, v)));
}
