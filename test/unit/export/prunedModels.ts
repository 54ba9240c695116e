/** Models with zeros in the places that a test needs. */
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { withWeights } from '../../../daemon/model/weights.js';

/** Keeps each kernel weight with probability `share`, seeded. */
export function keepShare(of: LayersModel, share: number, seed: number): LayersModel {
  const random = createRandom(seed);
  const cut = of.weights
    .filter(({ name }) => name.endsWith('kernel'))
    .map(({ name, data }) => [name, data.map((x) => (random.next() < share ? x : 0))] as const);
  return withWeights(of, new Map(cut));
}

/** Keeps this many weights of each named kernel, spread over it at random; every one kept is non-zero. */
export function keepExactly(of: LayersModel, kept: ReadonlyMap<string, number>): LayersModel {
  const random = createRandom(11);
  const cut = [...kept].map(([name, count]) => {
    const { data } = of.weights.find((weight) => weight.name === name)!;
    const order = Uint32Array.from({ length: data.length }, (_, i) => i);
    random.shuffle(order);
    const result = new Float32Array(data.length);
    for (const i of order.subarray(0, count)) result[i] = data[i] === 0 ? 1 : data[i]!;
    return [name, result] as const;
  });
  return withWeights(of, new Map(cut));
}
