import type { Compression } from '../compression.js';

/** A layer's part of the view and its own compression. */
export interface LayerPart {
  readonly name: string;
  /** Weights of the part. */
  readonly size: number;
  readonly compression: Compression;
}

/** Local budgets: each layer's part of the view is projected by itself; costs and gaps add up. */
export function perLayer(parts: readonly LayerPart[]): Compression {
  let at = 0;
  const placed = parts.map((part) => {
    const start = at;
    at += part.size;
    return { ...part, start, end: at };
  });
  const inexact = parts.some(({ compression }) => compression.gap);
  return {
    description: parts.map(({ name, compression }) => `${name}: ${compression.description}`).join('; '),
    project(v, mu, theta) {
      for (const { start, end, compression } of placed) {
        const target = theta.subarray(start, end);
        compression.project(theta === v ? target : v.subarray(start, end), mu, target);
      }
    },
    cost: (theta) =>
      placed.reduce((total, { start, end, compression }) => total + compression.cost(theta.subarray(start, end)), 0),
    ...(inexact && { gap: () => parts.reduce((total, { compression }) => total + (compression.gap?.() ?? 0), 0) }),
  };
}
