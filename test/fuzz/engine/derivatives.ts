/** A graph's own gradients against differences of its loss, both in float64. */
import type { CompiledSession } from '../../../daemon/engine/compiled/session.js';
import type { Random } from '../../../daemon/lc/random.js';
import type { Interpreter } from './float64/interpreter.js';
import { type Judgement, norm } from './judge.js';
import { costOf, type Oracle } from './oracle.js';

/** Errors of the differences of one network, in the units of `costOf`. */
const budget = 8e6;
const directions = 2;

interface Slope {
  readonly central: number;
  /** Whether the loss has a corner here: its slopes on both sides differ. */
  readonly kink: boolean;
}

/** The derivative along `direction` at `at`; the difference is symmetric if the loss is smooth. */
function slopeAlong(lossAt: (t: number) => number, here: number, h: number): Slope {
  const [ahead, behind] = [lossAt(h), lossAt(-h)];
  const [right, left] = [(ahead - here) / h, (here - behind) / h];
  const rounding = (64 * 2 ** -52 * (1 + Math.abs(here))) / h;
  return {
    central: (ahead - behind) / (2 * h),
    kink: Math.abs(right - left) > 1e-3 * (Math.abs(right) + Math.abs(left)) + 20 * rounding,
  };
}

/**
 * Every parameter along a few random directions, as far as the budget goes, in random order.
 *
 * @param noisy the gradient with random rounding, for a seed: a graph's constants (1 over a count) are float32 also here.
 */
export function checkDerivatives(
  session: CompiledSession,
  oracle: Oracle,
  at: Interpreter,
  random: Random,
  noisy: (seed: number) => Float64Array,
  { differ, notes }: Judgement,
): void {
  const { training, loss } = oracle;
  const here = at.value(loss)[0]!;
  const each = 2 * costOf(training, [loss]);
  const order = Uint32Array.from(session.parameters.keys());
  random.shuffle(order);
  const gradient = oracle.gradient(at);
  let spent = 0;
  for (let round = 0; round < directions; round++)
    for (const place of order) {
      if (spent > 0 && (spent += each) > budget) return;
      spent ||= each;
      const { name, offset, size } = session.parameters[place]!;
      const input = training.inputs.find((entry) => entry.role === 'parameter' && entry.name === name);
      if (!input) continue;
      const values = at.value(input.node);
      const d = Float64Array.from({ length: size }, () => random.normal() / Math.sqrt(size));
      const lossAt = (t: number) => at.with(input.node, values.map((v, i) => v + t * d[i]!)).value(loss)[0]!; // prettier-ignore
      const own = gradient.subarray(offset, offset + size);
      const along = (part: Float64Array) => part.reduce((sum, g, i) => sum + g * d[i]!, 0);
      const analytic = along(own);
      // A smaller step can avoid a corner or a curve nearby.
      const slopes = [1e-6, 1e-7, 1e-8].map((h) => () => ({ h, ...slopeAlong(lossAt, here, h) }));
      let kink = false;
      const fits = slopes.some((slope) => {
        const found = slope();
        kink = found.kink;
        const close = 1e-4 * Math.max(Math.abs(analytic), norm(own)) + (1e-14 * (1 + Math.abs(here))) / found.h;
        return Math.abs(found.central - analytic) <= close;
      });
      if (fits) continue;
      const rounding = Math.max(...[1, 2, 3, 4].map((seed) => Math.abs(along(noisy(seed).subarray(offset, offset + size)) - analytic))); // prettier-ignore
      if (kink) notes.add('kink');
      else if (Math.abs(slopes[0]!().central - analytic) <= 10 * rounding) notes.add('rounding');
      else differ.push(`graph: gradient of ${name.replace(/.*\//, '')} along a direction is ${analytic.toPrecision(4)}, the loss's slope ${slopes[1]!().central.toPrecision(4)}`); // prettier-ignore
    }
}
