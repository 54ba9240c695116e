/** Data for drawing a layer: histograms of w and theta, and which inputs are still used. */
import type { LayerPicture } from '../../protocol/messages.js';

const BINS = 80;

function histogram(values: Float32Array, low: number, high: number, skipZeros: boolean): number[] {
  const counts = new Array<number>(BINS).fill(0);
  const scale = BINS / (high - low);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if ((skipZeros && value === 0) || !Number.isFinite(value)) continue;
    counts[Math.min(BINS - 1, Math.max(0, Math.floor((value - low) * scale)))]!++;
  }
  return counts;
}

/**
 * Kept weights per input unit of a kernel: Dense [in, out] per input, Conv2D [kh, kw, in, out] per input channel; in general per index of the last
 * axis but one.
 */
export function keptPerInput(theta: Float32Array, shape: readonly number[]): number[] {
  const outputs = shape.at(-1) ?? 1;
  const inputs = shape.at(-2) ?? 1;
  const kept = new Array<number>(inputs).fill(0);
  for (let i = 0; i < theta.length; i++) if (theta[i] !== 0) kept[Math.floor(i / outputs) % inputs]!++;
  return kept;
}

/** [28, 28, 1] for 784 inputs: the sides of a square grey or colour image, or null. */
export function imageOf(inputs: number): number[] | null {
  for (const [channels, least] of [
    [1, 8],
    [3, 16],
  ] as const) {
    const side = Math.sqrt(inputs / channels);
    if (Number.isInteger(side) && side >= least) return [side, side, channels];
  }
  return null;
}

/** @param w, theta the layer's prunable weights, row-major in `shape`. */
export function drawLayer(
  layer: string,
  shape: readonly number[],
  w: Float32Array,
  theta: Float32Array,
  inputImage: readonly number[] | null,
): LayerPicture {
  let low = Infinity;
  let high = -Infinity;
  let zeros = 0;
  for (const values of [w, theta]) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  for (let i = 0; i < theta.length; i++) if (theta[i] === 0) zeros++;
  if (!Number.isFinite(high - low)) [low, high] = [-1, 1];
  else if (high === low) [low, high] = [low - 1, low + 1];
  return {
    layer,
    shape: [...shape],
    edges: Array.from({ length: BINS + 1 }, (_, i) => low + ((high - low) * i) / BINS),
    w: histogram(w, low, high, false),
    theta: histogram(theta, low, high, true),
    zeros,
    keptPerInput: keptPerInput(theta, shape),
    inputImage: inputImage ? [...inputImage] : null,
  };
}
