import { sizeOf } from '../../protocol/shape.js';

/** Most input values in memory at once: 64 MiB of float32. */
const VALUES = 1 << 24;

/**
 * How many samples may be read at once, depending on their size.
 * @param shapes of a sample's inputs. @param most the number for small samples. @returns 1 to `most`.
 */
export function samplesAtOnce(shapes: readonly (readonly number[])[], most: number): number {
  const values = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  return Math.max(1, Math.min(most, Math.floor(VALUES / Math.max(1, values))));
}
