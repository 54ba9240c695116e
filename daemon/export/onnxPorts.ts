/** Values of an ONNX file in the order of its axes, and in that of the product's data. */
import { stridesOf } from '../protocol/shape.js';

/** What a value of the file is here. Shapes are without the batch axis. */
export interface Port {
  readonly shape: readonly number[];
  /** As `NetworkPort.fileAxes`. */
  readonly fileAxes?: readonly number[];
}

export interface OnnxRun {
  /** @param inputs each [count, ...shape] flat, maybe longer. @returns the output's values, [count, ...shape] flat. */
  run(inputs: readonly Float32Array[], count: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Where each value of a sample in the file's order of axes stands in the product's; null: at its own place. */
export function placesInFile({ shape, fileAxes }: Port): Uint32Array | null {
  if (!fileAxes) return null;
  const strides = stridesOf(shape);
  let places = Uint32Array.of(0);
  for (const axis of fileAxes)
    places = Uint32Array.from({ length: places.length * shape[axis]! }, (_, i) => {
      const n = shape[axis]!;
      return places[Math.floor(i / n)]! + (i % n) * strides[axis]!;
    });
  return places;
}

/** The values of a batch in the order of the file, or back. */
export function reordered(values: Float32Array, places: Uint32Array | null, count: number, back = false): Float32Array {
  if (!places) return values;
  const result = new Float32Array(count * places.length);
  for (let k = 0; k < count; k++) {
    const start = k * places.length;
    for (let i = 0; i < places.length; i++)
      if (back) result[start + places[i]!] = values[start + i]!;
      else result[start + i] = values[start + places[i]!]!;
  }
  return result;
}
