/** TensorFlow.js layers-models whose kernels are stored as 8 or 16 bit integers (the manifest's `quantization`). */
import { basename, dirname, extname, join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import type { LayersModel, WeightTensor } from '../../model/model.js';
import { layersModel } from '../../model/files/writeTfjs.js';
import { summarizeModel } from '../../model/summarize.js';

export interface Quantization {
  readonly dtype: 'uint8' | 'uint16';
  readonly scale: number;
  readonly min: number;
}

/**
 * value = q * scale + min with q from 0 to 255 or 65535. min is a whole number of scales, so zero is always one of the values and pruned weights stay
 * zero. (As the converter's quantization.py does.)
 */
export function quantize(
  data: Float32Array,
  dtype: Quantization['dtype'],
): { codes: Uint8Array | Uint16Array; quantization: Quantization } {
  const top = dtype === 'uint8' ? 255 : 65_535;
  let [low, high] = [0, 0];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = high === low ? 1 : (high - low) / top;
  const zero = Math.round(-low / scale);
  const code = (value: number): number => Math.min(top, Math.max(0, Math.round(value / scale) + zero));
  const codes = dtype === 'uint8' ? Uint8Array.from(data, code) : Uint16Array.from(data, code);
  return { codes, quantization: { dtype, scale, min: -(zero * scale) } };
}

function encoded(
  weight: WeightTensor,
  dtype: Quantization['dtype'],
  quantized: boolean,
): { bytes: Uint8Array; entry: object } {
  const { name, shape, data } = weight;
  if (quantized) {
    const { codes, quantization } = quantize(data, dtype);
    const entry = { name, shape, dtype: 'float32', quantization: { ...quantization, original_dtype: 'float32' } };
    return { bytes: new Uint8Array(codes.buffer), entry };
  }
  const bytes =
    weight.dtype === 'float32'
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : weight.dtype === 'int32'
        ? new Uint8Array(Int32Array.from(data).buffer)
        : Uint8Array.from(data, (value) => Number(value !== 0));
  return { bytes, entry: { name, shape, dtype: weight.dtype } };
}

/**
 * Writes model.json and one shard beside it. Kernels are quantized; biases and normalisation, which are small, are not.
 * @throws UserError('disk').
 */
export async function writeTfjsQuantized(
  model: LayersModel,
  path: string,
  dtype: Quantization['dtype'],
): Promise<void> {
  const kernels = new Set(
    summarizeModel(model).flatMap(({ weights }) => weights.filter((one) => one.prunable).map(({ name }) => name)),
  );
  const parts = model.weights.map((weight) => encoded(weight, dtype, kernels.has(weight.name)));
  const shard = `${basename(path, extname(path)).replace(/[^A-Za-z0-9._-]/g, '_')}.${dtype}.bin`;
  await writeFileAtomic(
    join(dirname(path), shard),
    parts.map(({ bytes }) => bytes),
  );
  const json = layersModel(model, [{ paths: [shard], weights: parts.map(({ entry }) => entry) }]);
  await writeFileAtomic(path, JSON.stringify(json));
}
