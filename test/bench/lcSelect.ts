/**
 * `npm run bench:lc`: the l0 projection (the kappa largest of n magnitudes, written to theta) beside a full sort and the
 * memory-bandwidth floor, for 1 M, 25 M and 100 M normal weights. Best of several; every line is measured in this run.
 */
import { createRandom } from '../../daemon/lc/random.js';
import { countNonZeros, keepLargest } from '../../daemon/lc/select.js';

/** The best of several: what the work costs when nothing else runs. */
function milliseconds(repeats: number, work: () => void): number {
  work();
  let best = Infinity;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

function normalWeights(n: number): Float32Array {
  const v = new Float32Array(n);
  const random = createRandom(0);
  const distinct = Math.min(n, 1_000_000);
  for (let i = 0; i < distinct; i++) v[i] = random.normal() * 0.05;
  // Past a million, fresh values by scaling: all distinct magnitudes, without minutes of Box-Muller.
  for (let i = distinct; i < n; i++) v[i] = v[i - distinct]! * (1 + (random.next() - 0.5) * 0.2);
  return v;
}

const ms = (t: number): string => `${t.toFixed(t < 10 ? 2 : 0)} ms`.padStart(10);

console.log('weights      kept     select    passes   full sort   sort/select   copy (floor: read + write)');
for (const n of [1_000_000, 25_000_000, 100_000_000]) {
  const v = normalWeights(n);
  const theta = new Float32Array(n);
  const repeats = n > 10_000_000 ? 9 : 50;
  const copy = milliseconds(repeats, () => theta.set(v));
  // As a sort would be used: copy, sort by magnitude, read off the threshold. Float32Array.sort is the fastest there is here.
  const start = performance.now();
  for (let i = 0; i < n; i++) theta[i] = Math.abs(v[i]!);
  theta.sort();
  const sort = performance.now() - start;
  for (const share of [0.01, 0.05, 0.5]) {
    const kappa = Math.ceil(share * n);
    const select = milliseconds(repeats, () => keepLargest(v, kappa, theta));
    if (countNonZeros(theta) !== kappa) throw new Error(`kept ${countNonZeros(theta)}, not ${kappa}`);
    console.log(
      `${`${n / 1e6} M`.padStart(6)}  ${`${share * 100}%`.padStart(8)} ${ms(select)}   ${(select / copy).toFixed(1).padStart(5)}x ` +
        `${ms(sort)}   ${(sort / select).toFixed(1).padStart(8)}x    ${ms(copy)}`,
    );
  }
}
