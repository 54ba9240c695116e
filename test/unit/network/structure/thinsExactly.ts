import { expect } from 'vitest';
import { inferencePass, thin } from '../../../../daemon/network/structure/structure.js';
import { thinGraph } from '../../../../daemon/network/structure/thin.js';
import { randomPass } from './randomPass.js';
import { difference, outputsOf, randomData } from './thinned.js';

/**
 * Removes units from the network of the seed, and compares what it computes in float64 with what the pruned one does.
 * @returns weights before and after.
 */
export function thinsExactly(seed: number): { readonly before: number; readonly after: number } {
  const { network, weights, tokens } = randomPass(seed);
  const graph = inferencePass(network);
  const thinned = thin(network, weights);
  const data = randomData(graph, seed, tokens);
  const left = new Map([...thinned.weights].map(([name, { data: values }]) => [name, values]));
  const worst = difference(outputsOf(thinned.graph, left, data), outputsOf(graph, weights, data));
  expect(worst, `network ${seed}`).toBeLessThanOrEqual(1e-6);
  // A second pass may find more, for example the width of the only remaining head.
  const again = thinGraph(thinned.graph, left);
  const twice = new Map([...again.weights].map(([name, { data: values }]) => [name, values]));
  const worse = difference(outputsOf(again.graph, twice, data), outputsOf(thinned.graph, left, data));
  expect(worse, `network ${seed}, thinned twice`).toBeLessThanOrEqual(1e-6);
  const sum = (all: Iterable<ArrayLike<number>>) => [...all].reduce((total, { length }) => total + length, 0);
  return { before: sum([...left.keys()].map((name) => weights.get(name)!)), after: sum(left.values()) };
}
