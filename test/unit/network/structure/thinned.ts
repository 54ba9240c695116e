/** A pass and its thinned form, computed in float64 on the same inputs. */
import { createRandom } from '../../../../daemon/lc/random.js';
import type { Graph } from '../../../../daemon/network/ir.js';
import { Interpreter } from '../../../fuzz/engine/float64/interpreter.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export type Weights = ReadonlyMap<string, ArrayLike<number>>;

/** Outputs of an inference pass. @param data by number of the input. */
export function outputsOf(graph: Graph, weights: Weights, data: readonly ArrayLike<number>[]): Float64Array[] {
  const feeds = new Map(
    graph.inputs.map((input) => [
      input.node,
      input.role === 'data' ? data[input.index]! : input.role === 'parameter' || input.role === 'state' ? weights.get(input.name)! : [],
    ]),
  ); // prettier-ignore
  const interpreter = new Interpreter(graph, feeds);
  return graph.outputs.map(({ node }) => Float64Array.from(interpreter.value(node)));
}

/** Random values for the data inputs of a graph; whole numbers below `tokens` where that is given. */
export function randomData(graph: Graph, seed: number, tokens = 0): Float64Array[] {
  const random = createRandom(seed);
  const data: Float64Array[] = [];
  for (const input of graph.inputs)
    if (input.role === 'data')
      data[input.index] = Float64Array.from({ length: sizeOf(input.node.shape) }, () =>
        tokens ? random.below(tokens) : random.normal(),
      );
  return data;
}

/** The largest difference, relative to the largest of the values (at least 1). */
export function difference(actual: readonly Float64Array[], expected: readonly Float64Array[]): number {
  let worst = actual.length === expected.length ? 0 : Infinity;
  expected.forEach((values, k) => {
    const scale = values.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
    if (actual[k]?.length !== values.length) worst = Infinity;
    values.forEach((v, i) => {
      const d = Object.is(v, actual[k]![i]) ? 0 : Math.abs(v - actual[k]![i]!) / scale;
      worst = Math.max(worst, Number.isNaN(d) ? Infinity : d);
    });
  });
  return worst;
}
