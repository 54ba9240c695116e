/** The kept share of a layer: by a run, or of the file. */
import type { LayerKept } from '../../daemon/protocol/events.js';
import type { GraphNode, Layer } from './graph.js';

/** In [0, 1]; null if it is undefined: no weights to prune, or none is zero and no run prunes it. */
export function keptShare(layer: Layer, kept: LayerKept | undefined): number | null {
  if (kept) return kept.kept / Math.max(1, kept.weights);
  return layer.zeros && layer.prunable > 0 ? 1 - layer.zeros / layer.prunable : null;
}

/** Over all layers of a node with weights to prune, weighted by their number: mean, minimum and maximum; null if undefined. */
export function nodeShare(
  { layers }: GraphNode,
  kept: ReadonlyMap<string, LayerKept> | null,
): { mean: number; least: number; most: number } | null {
  const shares = layers.flatMap((layer) => {
    const share = keptShare(layer, kept?.get(layer.name));
    return share === null ? [] : [{ share, weight: layer.prunable }];
  });
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return null;
  const all = shares.map(({ share }) => share);
  return {
    mean: shares.reduce((sum, { share, weight }) => sum + share * weight, 0) / total,
    least: Math.min(...all),
    most: Math.max(...all),
  };
}

/** Upper ends of the steps in which a picture shows shares. */
export const STEPS = [0.01, 0.05, 0.2, 0.999] as const;

/** The step of a share: 0 for the smallest to 4 for all. */
export const stepOf = (share: number): number => {
  const step = STEPS.findIndex((end) => share <= end);
  return step < 0 ? STEPS.length : step;
};
