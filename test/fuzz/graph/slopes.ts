/** A graph's gradients against differences of its loss, both in float64. */
import { createRandom } from '../../../daemon/lc/random.js';
import type { Node } from '../../../daemon/network/ir.js';
import { gradients } from '../../../daemon/network/gradient/gradients.js';
import { Interpreter } from '../engine/float64/interpreter.js';
import type { Values } from '../engine/float64/tensors.js';
import type { Sample } from './grammar.js';

export interface SlopeVerdict {
  /** kink: the loss has a corner here, so no difference approximates a derivative. */
  readonly kind: 'agree' | 'kink' | 'differ';
  readonly what: string;
  /** Operations of the graph and of its gradients. */
  readonly ops: ReadonlySet<string>;
}

const directions = 3;
const empty = { inputs: [], outputs: [], nodes: [] };

/** All inputs along a few random directions at once. */
export function checkSlopes({ growth, loss }: Sample, seed: number): SlopeVerdict {
  const { feeds, graph } = growth;
  const inputs = [...feeds.keys()];
  const found = gradients(graph, loss, inputs);
  const finished = graph.finish(
    [loss, ...found.flatMap((node) => node ?? [])].map((node) => ({ role: 'output', node })),
  );
  const ops = new Set(finished.nodes.map(({ op }) => op));
  const here = new Interpreter(empty, feeds);
  const value = here.value(loss)[0]!;
  const slopes = found.map((node) => node && here.value(node));
  inputs.forEach((input, i) => {
    if (slopes[i] && slopes[i].length !== feeds.get(input)!.length) throw new RangeError('a gradient has another size than its input'); // prettier-ignore
  });
  const random = createRandom(seed, 1);
  let kind: 'agree' | 'kink' = 'agree';
  for (let round = 0; round < directions; round++) {
    const along = new Map<Node, Values>(inputs.map((input) => [input, feeds.get(input)!.map(() => random.normal())]));
    const lossAt = (t: number) => {
      const moved = inputs.map((input): [Node, Values] => [input, feeds.get(input)!.map((v, i) => v + t * along.get(input)![i]!)]); // prettier-ignore
      return new Interpreter(empty, new Map(moved)).value(loss)[0]!;
    };
    let [analytic, size] = [0, 0];
    inputs.forEach((input, i) =>
      slopes[i]?.forEach((g, k) => {
        const term = g * along.get(input)![k]!;
        analytic += term;
        size += Math.abs(term);
      }),
    );
    let kink = false;
    const steps = [1e-4, 1e-5, 1e-6, 1e-7].map((h) => () => {
      const [ahead, behind] = [lossAt(h), lossAt(-h)];
      const rounding = (1e-15 * (1 + Math.abs(value))) / h;
      const [right, left] = [(ahead - value) / h, (value - behind) / h];
      kink = Math.abs(right - left) > 1e-2 * (Math.abs(right) + Math.abs(left)) + 100 * rounding;
      const central = (ahead - behind) / (2 * h);
      // Constants of a graph (1 / n) are float32.
      return { central, fits: Math.abs(central - analytic) <= 2e-6 * (size + Math.abs(central)) + 10 * rounding };
    });
    let last = NaN;
    const fits = steps.some((step) => {
      const { central, fits } = step();
      last = central;
      return fits;
    });
    if (fits) continue;
    if (!kink) return { kind: 'differ', what: `seed ${seed}: along a direction the gradient is ${analytic}, the loss's slope ${last}`, ops }; // prettier-ignore
    kind = 'kink';
  }
  return { kind, what: '', ops };
}
