import type { Random } from '../../lc/random.js';
import type { RandomSpec } from '../../network/ir.js';

/** Fills a random input of the graph for one run. */
export function fillRandom(random: Random, spec: RandomSpec, values: Float32Array): void {
  if (spec.kind === 'uniform') {
    // Rounding to float32 must not give 1, which is outside of [0, 1).
    for (let i = 0; i < values.length; i++) values[i] = Math.min(random.next(), 1 - 2 ** -24);
    return;
  }
  for (let i = 0; i < values.length; i++) values[i] = spec.mean + spec.std * random.normal();
}
