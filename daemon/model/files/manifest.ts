/** The weights manifest of TensorFlow.js (tfjs-core, io/types.ts): which tensors lie in which shards, and how they are encoded. */
import { float16 } from '../../files/halfPrecision.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { isObject } from '../layers/layerConfig.js';
import type { WeightTensor } from '../model.js';

export type StoredType = 'float32' | 'int32' | 'bool' | 'uint8' | 'uint16' | 'float16';

export interface ManifestWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: WeightTensor['dtype'];
  /** As the bytes are. */
  readonly stored: StoredType;
  /** value = stored * scale + min, where the weight is quantized to integers. */
  readonly scale?: number;
  readonly min?: number;
  /** Optimizer state, which is not the model's. */
  readonly optimizer: boolean;
}

/** Shards that are read as one run of bytes, and the tensors in them, in order. */
export interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly ManifestWeight[];
}

const BYTES: Record<StoredType, number> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 };
/** More than any model that fits in memory; shapes above it are nonsense. */
const MAX_ELEMENTS = 2 ** 33;

export const byteSize = (weight: ManifestWeight): number => sizeOf(weight.shape) * BYTES[weight.stored];
export const groupBytes = (group: ManifestGroup): number =>
  group.weights.reduce((sum, weight) => sum + byteSize(weight), 0);

function parseWeight(raw: unknown, place: string, invalid: (problem: string) => never): ManifestWeight {
  if (!isObject(raw) || typeof raw.name !== 'string') return invalid(`${place} has no name`);
  const where = `${place} ("${raw.name.slice(0, 100)}")`;
  const { name, shape, dtype = 'float32', quantization } = raw;
  const isSize = (dim: unknown): dim is number => Number.isSafeInteger(dim) && (dim as number) >= 0;
  if (!Array.isArray(shape) || !(shape as unknown[]).every(isSize))
    invalid(`${where} has a shape that is not a list of sizes`);
  if (sizeOf(shape as number[]) > MAX_ELEMENTS)
    invalid(`${where} has an impossible shape ${JSON.stringify(shape).slice(0, 80)}`);
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    invalid(`${where} has dtype ${JSON.stringify(dtype).slice(0, 40)}; float32, int32 and bool can be read`);
  }
  const common = {
    name,
    shape: shape as number[],
    dtype: dtype as WeightTensor['dtype'],
    optimizer: raw.group === 'optimizer',
  };
  if (quantization === undefined || quantization === null) return { ...common, stored: common.dtype };
  const stored = isObject(quantization) ? quantization.dtype : undefined;
  if (isObject(quantization) && stored === 'float16' && dtype === 'float32') return { ...common, stored };
  if (isObject(quantization) && (stored === 'uint8' || stored === 'uint16') && dtype !== 'bool') {
    const { scale, min } = quantization;
    if (typeof scale !== 'number' || typeof min !== 'number')
      return invalid(`${where} is quantized without scale and min`);
    return { ...common, stored, scale, min };
  }
  return invalid(
    `${where} has quantization ${JSON.stringify(quantization).slice(0, 60)}; uint8, uint16 and float16 can be read`,
  );
}

/** @throws UserError('model-invalid') naming the field. */
export function parseManifest(raw: unknown, file: string): ManifestGroup[] {
  const invalid = (problem: string): never => {
    throw new UserError('model-invalid', `${file}: ${problem}; save the model again`, {
      file,
      field: 'weightsManifest',
    });
  };
  if (!Array.isArray(raw)) return invalid('weightsManifest is not a list');
  const names = new Set<string>();
  return (raw as unknown[]).map((group, i): ManifestGroup => {
    const place = `weightsManifest[${i}]`;
    if (!isObject(group) || !Array.isArray(group.weights)) return invalid(`${place} has no weights`);
    const paths = group.paths;
    if (!Array.isArray(paths) || !(paths as unknown[]).every((path) => typeof path === 'string' && path !== '')) {
      return invalid(`${place}.paths is not a list of file names`);
    }
    const weights = (group.weights as unknown[]).map((weight, k) =>
      parseWeight(weight, `${place}.weights[${k}]`, invalid),
    );
    for (const weight of weights) {
      if (names.has(weight.name)) invalid(`two weights are named "${weight.name}", so they cannot be told apart`);
      names.add(weight.name);
    }
    return { paths: paths as string[], weights };
  });
}

/** The values of one tensor, dequantized as tfjs-core's decodeWeight does. @param bytes exactly its bytes, little-endian. */
export function decodeWeight(weight: ManifestWeight, bytes: Uint8Array): Float32Array {
  const size = sizeOf(weight.shape);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (weight.stored === 'float32') {
    if (bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, size);
    return new Float32Array(bytes.slice().buffer);
  }
  const values = new Float32Array(size);
  const round = weight.dtype === 'int32';
  const scaled = (q: number): number => {
    if (weight.scale === undefined) return q;
    const value = q * weight.scale + weight.min!;
    return round ? Math.round(value) : value;
  };
  for (let i = 0; i < size; i++) {
    switch (weight.stored) {
      case 'int32':
        values[i] = view.getInt32(4 * i, true);
        break;
      case 'float16':
        values[i] = float16(view.getUint16(2 * i, true));
        break;
      case 'uint16':
        values[i] = scaled(view.getUint16(2 * i, true));
        break;
      case 'bool':
      case 'uint8':
        values[i] = scaled(bytes[i]!);
        break;
    }
  }
  return values;
}
