/**
 * `npm run bench:lc`: the l0 projection (the kappa largest of n magnitudes, written to theta) beside a full sort and the
 * memory-bandwidth floor, for 1 M, 25 M and 100 M normal weights; then every kind of C step on 25 M weights.
 */
import { createRandom } from '../../daemon/lc/random.js';
import { createCompression, viewLength, type BudgetSpec, type LayerView } from '../../daemon/lc/budgets.js';
import { cStep } from '../../daemon/lc/cStep.js';
import { countNonZeros, keepLargest } from '../../daemon/lc/projections/select.js';

/** Processor time in milliseconds: the work has one thread, and another program's turn on the processor does not count. */
function timed(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** The best of several, after a first that compiles. */
function milliseconds(repeats: number, work: () => void): number {
  work();
  return Math.min(...Array.from({ length: repeats }, () => timed(work)));
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

console.log('weights      kept     select   /copy   full sort   sort/select   copy (floor: one read, one write)');
for (const n of [1_000_000, 25_000_000, 100_000_000]) {
  const v = normalWeights(n);
  const theta = new Float32Array(n);
  const repeats = n > 10_000_000 ? 9 : 50;
  const copy = milliseconds(repeats, () => theta.set(v));
  // As a sort would be used: copy, sort by magnitude, read off the threshold. Float32Array.sort is the fastest there is here.
  const sort = timed(() => {
    for (let i = 0; i < n; i++) theta[i] = Math.abs(v[i]!);
    theta.sort();
  });
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

const layers: LayerView[] = [3, 1, 64, 2].map((thousands, i) => ({
  name: `layer${i}`,
  size: thousands * 360_000,
  shape: [thousands * 100, 3600],
  units: 3600,
  flopsPerWeight: [1152, 128, 2, 2][i]!,
}));
console.log('\nC step with multipliers, 25.2 M weights in 4 layers (v = w - lambda/mu, projection in place)');
for (const budget of [
  { keep: '5%' },
  { alpha: 1e-6 },
  { radius: 1e4, norm: 'l1' },
  { radius: 100, norm: 'l2' },
  { keep: '5%', layers: { layer0: { floor: '20%' }, layer2: { cap: '4%' } } },
  { pattern: '2:4' },
  { flops: '10%' },
  { neurons: '25%' },
  { keep: '5%', quantize: { codebook: 'int8' } },
  { weights: 400_000, quantize: { codebook: 16 } },
] satisfies BudgetSpec[]) {
  const size = layers.reduce((total, layer) => total + viewLength(layer, budget), 0);
  const w = normalWeights(size);
  const lambda = w.map((x) => x * 1e-4);
  const theta = new Float32Array(size);
  const compression = createCompression(budget, layers);
  const tasks = [{ name: 'all', ranges: [{ start: 0, end: size }], compression }];
  const time = milliseconds(3, () => cStep(tasks, w, lambda, 1e-2, theta));
  console.log(`${ms(time)}  ${JSON.stringify(budget)}`);
}
