import { keptIn } from '../lc/projections/magnitude.js';
import type { LayerKept } from '../protocol/events.js';
import type { PrunedLayer } from './run.js';

/** Number of non-zero weights of each pruned layer, and in total. */
export function countKept(
  layers: readonly PrunedLayer[],
  theta: Float32Array,
): { kept: number; perLayer: LayerKept[] } {
  const perLayer = layers.map(({ layer, ranges }) => ({
    layer,
    weights: ranges.reduce((sum, { start, end }) => sum + end - start, 0),
    kept: ranges.reduce((sum, range) => sum + keptIn(theta, range), 0),
  }));
  return { kept: perLayer.reduce((sum, { kept }) => sum + kept, 0), perLayer };
}

export const prunableWeights = (layers: readonly PrunedLayer[]): number =>
  layers.reduce((sum, { ranges }) => sum + ranges.reduce((size, { start, end }) => size + end - start, 0), 0);
