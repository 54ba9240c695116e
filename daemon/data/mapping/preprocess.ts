import { forEachChunk, type SampleStore } from '../batches/sampleStore.js';

/** The plan's preprocessing, with "auto" resolved. Statistics come from the training part only. */
export interface Preprocess {
  /**
   * "unit" x/255, "symmetric" x/127.5 - 1, "signed" 2x - 1, "unsigned" (x + 1)/2, "standard" z-score of each feature (of each
   * channel, with the channel's mean), a number multiplies.
   */
  readonly scale: number | 'unit' | 'symmetric' | 'signed' | 'unsigned' | 'standard' | 'none';
  /** Subtracts the training mean of each feature ("image") or of each channel, after scaling. */
  readonly mean: 'image' | 'channel' | 'none';
}

/** x -> x * scale + shift, one pair for all features or one per feature. */
export interface AffineMap {
  readonly scale: number | Float64Array;
  readonly shift: number | Float64Array;
}

export interface FeatureStatistics {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** Several candidate scales need the statistics of the same rows: they are computed once. */
const known = new WeakMap<SampleStore, WeakMap<Uint32Array, Promise<FeatureStatistics>>>();

/** Mean and standard deviation (population) of every feature over the rows `indices`, in float64. Neither argument may change later. */
export function featureStatistics(store: SampleStore, indices: Uint32Array): Promise<FeatureStatistics> {
  let ofStore = known.get(store);
  if (!ofStore) known.set(store, (ofStore = new WeakMap()));
  let found = ofStore.get(indices);
  if (!found) ofStore.set(indices, (found = computeStatistics(store, indices)));
  return found;
}

async function computeStatistics(store: SampleStore, indices: Uint32Array): Promise<FeatureStatistics> {
  const { width, pixels } = store;
  // Sums about the first row, not about zero: a large offset with a small spread would cancel to noise.
  const origin = new Float64Array(width);
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  const add = (rows: Uint8Array | Float32Array, at: number) => {
    for (let i = 0; i < width; i++) {
      const d = rows[at + i]! - origin[i]!;
      sum[i]! += d;
      squares[i]! += d * d;
    }
  };
  if (pixels) {
    if (indices.length > 0) origin.set(pixels.subarray(indices[0]! * width, (indices[0]! + 1) * width));
    for (const index of indices) add(pixels, index * width);
  } else {
    await forEachChunk(store, indices, (rows, start, count) => {
      if (start === 0) origin.set(rows.subarray(0, width));
      for (let k = 0; k < count; k++) add(rows, k * width);
    });
  }
  const n = Math.max(1, indices.length);
  const mean = sum.map((s, i) => origin[i]! + s / n);
  const deviation = squares.map((s, i) => Math.sqrt(Math.max(0, s / n - (sum[i]! / n) ** 2)));
  return { mean, deviation };
}

/**
 * The affine map of `preprocess` for one input.
 * @param indices the training rows: no other row may enter a statistic.
 */
export async function affineMap(store: SampleStore, indices: Uint32Array, preprocess: Preprocess): Promise<AffineMap> {
  const { scale, mean } = preprocess;
  if (scale === 'standard') {
    const features = await featureStatistics(store, indices);
    const statistics = mean === 'channel' ? ofChannels(features, channelsOf(store.shape)) : features;
    // A constant feature carries no information: it becomes 0, not NaN.
    const factor = statistics.deviation.map((d, i) =>
      d > 1e-7 * Math.max(1, Math.abs(statistics.mean[i]!)) ? 1 / d : 1,
    );
    return { scale: factor, shift: factor.map((f, i) => -f * statistics.mean[i]!) };
  }
  const uniform = uniformMap(scale);
  if (mean === 'none') return uniform;
  const statistics = await featureStatistics(store, indices);
  const centre = mean === 'image' ? statistics.mean : channelMeans(statistics.mean, channelsOf(store.shape));
  return { scale: uniform.scale, shift: centre.map((m) => -m * uniform.scale) };
}

function uniformMap(scale: Exclude<Preprocess['scale'], 'standard'>): { scale: number; shift: number } {
  if (scale === 'unit') return { scale: 1 / 255, shift: 0 };
  if (scale === 'symmetric') return { scale: 1 / 127.5, shift: -1 };
  if (scale === 'signed') return { scale: 2, shift: -1 };
  if (scale === 'unsigned') return { scale: 0.5, shift: 0.5 };
  if (scale === 'none') return { scale: 1, shift: 0 };
  return { scale, shift: 0 };
}

/** [h, w, c] has c channels, [h, w] one; in a vector every feature is its own. */
function channelsOf(shape: readonly number[]): number {
  return shape.length === 2 ? 1 : (shape.at(-1) ?? 1);
}

function channelMeans(means: Float64Array, channels: number): Float64Array {
  const total = new Float64Array(channels);
  means.forEach((m, i) => (total[i % channels]! += m));
  return means.map((_, i) => (total[i % channels]! * channels) / means.length);
}

/** Mean and deviation of each channel over all its features: the variance within features and that of their means. */
function ofChannels({ mean, deviation }: FeatureStatistics, channels: number): FeatureStatistics {
  const means = channelMeans(mean, channels);
  const variances = channelMeans(
    deviation.map((d, i) => d ** 2 + (mean[i]! - means[i]!) ** 2),
    channels,
  );
  return { mean: means, deviation: variances.map(Math.sqrt) };
}

/** Applies the map in place to `count` rows of `width` values. */
export function applyAffine(map: AffineMap, rows: Float32Array, count: number, width: number): void {
  const { scale, shift } = map;
  if (typeof scale === 'number' && typeof shift === 'number') {
    if (scale === 1 && shift === 0) return;
    for (let i = 0; i < count * width; i++) rows[i] = rows[i]! * scale + shift;
    return;
  }
  const factor = typeof scale === 'number' ? new Float64Array(width).fill(scale) : scale;
  const offset = typeof shift === 'number' ? new Float64Array(width).fill(shift) : shift;
  for (let k = 0; k < count; k++) {
    const row = k * width;
    for (let i = 0; i < width; i++) rows[row + i] = rows[row + i]! * factor[i]! + offset[i]!;
  }
}

/** In words, for notes: "x/255, minus the mean image". */
export function describePreprocess({ scale, mean }: Preprocess): string {
  const scaled = {
    unit: 'x/255',
    symmetric: 'x/127.5 - 1',
    signed: '2x - 1',
    unsigned: '(x + 1)/2',
    standard: `per-${mean === 'channel' ? 'channel' : 'feature'} z-score of the training part`,
    none: 'as stored',
  };
  const text = typeof scale === 'number' ? `x * ${scale}` : scaled[scale];
  if (scale === 'standard' || mean === 'none') return text;
  return `${text}, minus the training mean of each ${mean === 'image' ? 'feature' : 'channel'}`;
}
