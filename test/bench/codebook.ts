/** `npm run bench:codebook`: the C step of a learned codebook on 1 M and 10 M weights: processor time, and ||v - theta||^2 per weight. */
import { learnedCodebook } from '../../daemon/lc/quantize.js';
import { createRandom } from '../../daemon/lc/random.js';

const random = createRandom(0);
const drawn = Float32Array.from({ length: 1_000_000 }, () => random.normal() * 0.05);

console.log('weights   codes   kept   C step      ||v - theta||^2 / n');
for (const millions of [1, 10]) {
  const n = millions * 1_000_000;
  const v = new Float32Array(n);
  // Fresh values by scaling, without minutes of Box-Muller.
  for (let i = 0; i < n; i++)
    v[i] = drawn[i % drawn.length]! * (i < drawn.length ? 1 : 1 + (random.next() - 0.5) * 0.2);
  const theta = new Float32Array(n);
  for (const [codes, share] of [
    [4, 1],
    [16, 1],
    [256, 1],
    [16, 0.05],
  ] as const) {
    // prettier-ignore
    const compression = learnedCodebook(codes, Math.ceil(share * n), n);
    const start = process.cpuUsage();
    compression.project(v, 1, theta);
    const { user, system } = process.cpuUsage(start);
    let distance = 0;
    for (let i = 0; i < n; i++) distance += (v[i]! - theta[i]!) ** 2;
    console.log(`${`${millions} M`.padStart(7)} ${String(codes).padStart(7)} ${`${100 * share}%`.padStart(6)} ${`${((user + system) / 1e6).toFixed(2)} s`.padStart(8)}      ${(distance / n).toExponential(9)}`); // prettier-ignore
  }
}
