/**
 * `npm run study:budgets [-- --quick]`: budgets people have, each met on the written file: 8 kB of LeNet300, and a tenth of the
 * FLOPs, a fifth of the neurons and 2:4 of LeNet5, LC beside magnitude pruning with the same budget and equal epochs. Long; finished
 * rows are kept and an interrupted one is resumed. Writes docs/budgets.md after every row.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Budget, Plan } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { fileFormatOf } from '../../../daemon/export/sparse/packageFormat.js';
import { openStudy } from '../study/study.js';

const quick = process.argv.includes('--quick');
const workspace = resolve('artifacts', quick ? 'budgets-quick' : 'budgets');
const epochs = (n: number) => (quick ? Math.max(1, Math.round(n / 10)) : n);
const iterations = (n: number) => (quick ? 10 : n);

type Net = 'lenet300' | 'lenet5';
/** LeNet300 at the product's defaults; LeNet5, ten times the work per epoch, at a schedule a third as long. */
const settings: Record<Net, Omit<Plan, 'data' | 'model'>> = {
  lenet300: {
    schedule: { tolerance: 1e-3, iterations: iterations(40), epochs: quick ? 1 : 3 },
    retrain: { epochs: epochs(20) },
    reference: { epochs: epochs(20) },
  },
  lenet5: {
    schedule: { tolerance: 1e-3, iterations: iterations(20), epochs: 1, mu0: 3e-4, a: 1.25 },
    training: { learningRate: 0.05 },
    retrain: { epochs: epochs(10), learningRate: 0.02 },
    reference: { epochs: epochs(20), learningRate: 0.05, decay: 0.85, weightDecay: 5e-4 },
  },
};
const ROWS: readonly { readonly net: Net; readonly words: string; readonly budget: Budget }[] = [
  { net: 'lenet300', words: 'bytes: "8 kB"', budget: { bytes: '8 kB' } },
  { net: 'lenet5', words: 'flops: "10%"', budget: { flops: '10%' } },
  { net: 'lenet5', words: 'neurons: "20%"', budget: { neurons: '20%' } },
  { net: 'lenet5', words: 'pattern: "2:4"', budget: { pattern: '2:4' } },
];

function planOf(net: Net, budget: Budget): ResolvedPlan {
  const model = buildArchitecture(net, 0);
  return resolvePlan(
    { ...settings[net], model: { architecture: net }, data: 'mnist', budget },
    {
      name: net,
      planPath: null,
      modelPath: null,
      dataPath: (path) => path,
      layers: summarizeModel(model),
      format: fileFormatOf(model),
    },
  );
}

const percent = (fraction: number | null): string => (fraction === null ? '-' : (100 * fraction).toFixed(2));
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const number = (value: number): string => Number(value.toPrecision(6)).toLocaleString('en');

/** The requirement and the amount in the written file: "at most 8,192 bytes: 8,120". */
const checked = (done: Extract<RunEvent, { event: 'done' }>): string =>
  (done.budget ?? [])
    .map(
      ({ kind, limit, got, met }) =>
        `${kind} ${number(got)} of ${limit === null ? '-' : number(limit)}${met === false ? ' MISSED' : ''}`,
    ) // prettier-ignore
    .join(', ');

await mkdir(workspace, { recursive: true });
const study = await openStudy(workspace);
const rows: string[][] = [];
const references = new Map<Net, { path: WorkspacePath; error: number | null }>();
const folder = quick ? workspace : resolve('docs');
await mkdir(folder, { recursive: true });

for (const { net, words, budget } of ROWS) {
  if (!references.has(net)) {
    const done = await study.run(`reference-${net}`, { ...planOf(net, { keep: '1%' }), method: 'reference' });
    const folder = done.folder.split(/[\\/]/).at(-1)!;
    const path = WorkspacePath.parse(join('.lcprune', 'runs', folder, 'result', 'model.json'));
    references.set(net, { path, error: done.retrained.error });
  }
  const { path, error } = references.get(net)!;
  const plan = planOf(net, budget);
  const trained = { model: { path }, reference: { ...plan.reference, epochs: 0 } };
  for (const method of ['lc', 'magnitude'] as const) {
    const done = await study.run(`${net}-${words.replace(/\W+/g, '')}-${method}`, { ...plan, ...trained, method });
    const packed = await stat(join(done.folder, 'result', 'model.lcp')).catch(() => null);
    rows.push([
      net,
      words,
      method === 'lc' ? 'LC' : 'magnitude',
      checked(done),
      number(done.kept),
      packed ? number(packed.size) : '-',
      percent(error),
      percent(done.theta.error),
      percent(done.retrained.error),
    ]);
    const header = ['Network', 'Budget', 'Method', 'On disk, of what was asked', 'Weights kept', 'Sparse package, bytes', 'Reference', 'Before retraining', 'After retraining']; // prettier-ignore
    const table = [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
    console.log(`\n${table}`);
    await writeFileAtomic(
      join(folder, 'budgets.md'),
      `# Budgets on disk

Written by \`npm run study:budgets\`. MNIST, test errors in %, one seed, nothing tuned per row. "On disk" is read back from the written
sparse package. Magnitude pruning gets the same budget, projected onto once, and as many epochs as LC.

${table}
`,
    );
  }
}
