/** Describes each input for "Try a sample": its shape and names, and the range and kind of its stored values. */
import { imageShape } from '../../data/preview.js';
import type { AffineMap } from '../../data/mapping/preprocess.js';
import { samplesAtOnce } from '../../data/batches/samplesAtOnce.js';
import type { SampleSource } from '../../engine/engine.js';
import type { InputForm } from '../../protocol/whatChanged.js';
import { sizeOf } from '../../protocol/shape.js';
import { rounded } from '../../protocol/format.js';

/** Most samples that are examined, if they are small. */
const LOOKED_AT = 256;
/** Significant digits of stored values: float32's precision. */
const DIGITS = 7;
/** Most values shown of an example. */
const EXAMPLE = 256;

export interface NamedInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Names of its values, if they have any. */
  readonly columns: readonly string[];
  /** The map from stored values to those of the network. */
  readonly map: AffineMap;
}

const at = (values: AffineMap['scale'], i: number): number => (typeof values === 'number' ? values : values[i]!);

/** The stored values of a network's inputs, [samples, size] flat; in float32's precision. */
export function asStored({ scale, shift }: AffineMap, values: Float32Array, size: number): Float32Array {
  return values.map((value, i) => {
    const factor = at(scale, i % size);
    return factor === 0 ? 0 : (value - at(shift, i % size)) / factor;
  });
}

/** The value of most of an image's border: the median over all of them. */
function borderOf(values: Float32Array, samples: number, [height, width, channels]: readonly [number, number, number]) {
  const border: number[] = [];
  for (let sample = 0; sample < samples; sample++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if (y === 0 || x === 0 || y === height - 1 || x === width - 1)
          border.push(values[((sample * height + y) * width + x) * channels]!);
  border.sort((a, b) => a - b);
  return border[border.length >> 1] ?? 0;
}

/** Lowest and highest of the finite values; null if there is none. */
function rangeOf(values: Float32Array): [number, number] | null {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of values)
    if (Number.isFinite(value)) [lowest, highest] = [Math.min(lowest, value), Math.max(highest, value)];
  return lowest <= highest ? [lowest, highest] : null;
}

/** @param source with inputs as the networks get them; `targetSize` values of a target. */
export async function inputForms(
  source: SampleSource,
  inputs: readonly NamedInput[],
  targetSize: number,
): Promise<InputForm[]> {
  const samples = Math.min(
    samplesAtOnce(
      inputs.map(({ shape }) => shape),
      LOOKED_AT,
    ),
    source.size,
  );
  const sizes = inputs.map(({ shape }) => sizeOf(shape));
  const buffers = sizes.map((size) => new Float32Array(samples * size));
  await source.read(0, samples, buffers, new Float32Array(samples * targetSize));
  return inputs.map(({ name, shape, columns, map }, i) => {
    const size = sizes[i]!;
    const stored = asStored(map, buffers[i]!, size);
    const image = imageShape(shape);
    const range = rangeOf(stored);
    return {
      name,
      shape: [...shape],
      image: image && [...image],
      columns: [...columns],
      stored: range ? [rounded(range[0], DIGITS), rounded(range[1], DIGITS)] : [0, 1],
      background: image ? rounded(borderOf(stored, samples, image), DIGITS) : 0,
      example: size <= EXAMPLE ? [...stored.subarray(0, size)].map((value) => (Number.isFinite(value) ? rounded(value, DIGITS) : 0)) : [], // prettier-ignore
    };
  });
}
