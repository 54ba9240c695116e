import { sizeOf } from '../../protocol/shape.js';

/**
 * One array of the data set as it was stored: `size` rows, one per sample, each of `shape`. Rows are raw values; the model gets an affine map of them
 * (`preparedInput.ts`).
 */
export interface SampleStore {
  readonly size: number;
  readonly shape: readonly number[];
  /** Values per row: the product of `shape`. */
  readonly width: number;
  /** Whole numbers in [0, 255], as images are stored. */
  readonly bytes: boolean;
  /** Resident in memory (true), or read from disk row by row. */
  readonly resident: boolean;
  /** All rows in memory, if they are there and are bytes: a pass over every value need not copy them first. */
  readonly pixels?: Uint8Array;
  /** Raw rows `indices[from .. from+count)` into the start of `out`. */
  gather(indices: Uint32Array, from: number, count: number, out: Float32Array): void | Promise<void>;
  close(): void;
}

/** Rows in one typed array, `size * width` values. */
export function memoryStore(data: Uint8Array | Float32Array, size: number, shape: readonly number[]): SampleStore {
  const width = sizeOf(shape);
  if (data.length !== size * width) throw new RangeError(`${data.length} values are not ${size} rows of ${width}`);
  const copyRow =
    data instanceof Float32Array
      ? (row: number, out: Float32Array, at: number) => out.set(data.subarray(row * width, (row + 1) * width), at)
      : (row: number, out: Float32Array, at: number) => {
          const start = row * width;
          for (let i = 0; i < width; i++) out[at + i] = data[start + i]!;
        };
  return {
    size,
    shape,
    width,
    bytes: data instanceof Uint8Array,
    resident: true,
    ...(data instanceof Uint8Array && { pixels: data }),
    gather(indices, from, count, out) {
      for (let k = 0; k < count; k++) copyRow(indices[from + k]!, out, k * width);
    },
    close() {},
  };
}

/** The same rows read as another shape of equal size. */
export function reshapedStore(store: SampleStore, shape: readonly number[]): SampleStore {
  if (sizeOf(shape) !== store.width)
    throw new RangeError(`rows of ${store.width} cannot be read as ${shape.join('x')}`);
  return { ...store, shape };
}

/** A store whose samples have the values of another's in another order. @param place of each value of a sample in the given one. */
function reordered(store: SampleStore, shape: readonly number[], place: (i: number) => number): SampleStore {
  const places = Uint32Array.from({ length: store.width }, (_, i) => place(i));
  const row = new Float32Array(store.width);
  const reorder = (count: number, out: Float32Array): void => {
    for (let k = 0; k < count; k++) {
      const start = k * store.width;
      row.set(out.subarray(start, start + store.width));
      for (let i = 0; i < store.width; i++) out[start + i] = row[places[i]!]!;
    }
  };
  // The pixels lie in the other order.
  const { pixels: _, ...rest } = store;
  return {
    ...rest,
    shape,
    gather(indices, from, count, out) {
      const pending = store.gather(indices, from, count, out);
      if (pending) return pending.then(() => reorder(count, out));
      reorder(count, out);
    },
  };
}

/** Images stored channel by channel, [channels, height, width], as [height, width, channels]. */
export function channelsLast(store: SampleStore): SampleStore {
  const [channels = 1, height = 1, width = 1] = store.shape;
  const area = height * width;
  return reordered(store, [height, width, channels], (i) => (i % channels) * area + Math.floor(i / channels));
}

/** The reverse: images stored pixel by pixel, [height, width, channels], as [channels, height, width]. */
export function channelsFirst(store: SampleStore): SampleStore {
  const [height = 1, width = 1, channels = 1] = store.shape;
  const area = height * width;
  return reordered(store, [channels, height, width], (i) => (i % area) * channels + Math.floor(i / area));
}

/** Calls `visit` with consecutive raw rows in chunks, until it returns false; `rows` is valid during the call only. */
export async function forEachChunk(
  store: SampleStore,
  indices: Uint32Array,
  visit: (rows: Float32Array, start: number, count: number) => boolean | void,
): Promise<void> {
  const chunk = Math.max(1, Math.min(indices.length, Math.floor(1_000_000 / Math.max(1, store.width))));
  const rows = new Float32Array(chunk * store.width);
  for (let start = 0; start < indices.length; start += chunk) {
    const count = Math.min(chunk, indices.length - start);
    await store.gather(indices, start, count, rows);
    if (visit(rows, start, count) === false) return;
  }
}

export function identityIndices(size: number): Uint32Array {
  const indices = new Uint32Array(size);
  for (let i = 0; i < size; i++) indices[i] = i;
  return indices;
}
