/**
 * `npm run paper:lenet300 [-- --quick]`: the ten rows of the paper's Table 1 for LeNet300 on MNIST, ours beside theirs.
 * Long; Ctrl-C and start it again: finished rows are kept, an interrupted one is resumed. `--quick` is a tenth of the epochs, to try
 * the script. Writes docs/paper-lenet300.md with the table and the curve.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { curveSvg } from '../../../daemon/export/curve.js';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { LENET300_ROWS, type PaperRow } from './rows.js';
import { openStudy } from '../study/study.js';

const quick = process.argv.includes('--quick');
const workspace = resolve('artifacts', quick ? 'paper-lenet300-quick' : 'paper-lenet300');
const epochs = (n: number) => (quick ? Math.max(1, Math.round(n / 10)) : n);

/** The paper's mean-image preprocessing; everything else is the product's default, written out by `resolvePlan`. */
const common: Plan = {
  model: { architecture: 'lenet300' },
  data: { source: 'mnist', preprocess: { scale: 'unit', mean: 'image' } },
  budget: { keep: '1%' },
  schedule: { tolerance: 1e-3, mu0: 1e-4, a: 1.15, iterations: 40, epochs: epochs(4) },
  retrain: { epochs: epochs(40), learningRate: 0.05, decay: 0.95, decayMode: 'epoch' },
  reference: { epochs: epochs(40), learningRate: 0.1, decay: 0.95, decayMode: 'epoch' },
};

function planOf(changes: Partial<Plan>, rest: Partial<ResolvedPlan> = {}): ResolvedPlan {
  const layers = summarizeModel(buildArchitecture('lenet300', 0));
  const plan = resolvePlan(
    { ...common, ...changes },
    { name: 'lenet300', planPath: null, modelPath: null, dataPath: (path) => path, layers },
  );
  return { ...plan, ...rest };
}

const percent = (fraction: number | null): string => (fraction === null ? '-' : (100 * fraction).toFixed(2));
const share = (kept: number, of: number): string => Number(((100 * kept) / of).toPrecision(2)).toString();

await mkdir(workspace, { recursive: true });
const study = await openStudy(workspace);
const reference = await study.run('reference', planOf({}, { method: 'reference' }));
const model = {
  path: WorkspacePath.parse(join('.lcprune', 'runs', reference.folder.split(/[\\/]/).at(-1)!, 'result', 'model.json')),
};

const header = [
  'Method',
  'Setting',
  'Kept % [fc1 fc2 fc3]: paper',
  'ours',
  'Before retraining: paper',
  'ours',
  'After retraining: paper',
  'ours',
  'At or below',
];
const rows: string[][] = [];
const ours: { row: PaperRow; kept: number; after: number }[] = [];
for (const row of LENET300_ROWS) {
  const plan = planOf({ budget: row.budget });
  const done = await study.run(row.id, {
    ...plan,
    model,
    // It is trained already.
    reference: { ...plan.reference, epochs: 0 },
    method: row.run,
    schedule: { ...plan.schedule, ...row.schedule },
  });
  const after = 100 * (done.retrained.error ?? 1);
  ours.push({ row, kept: (100 * done.kept) / done.prunable, after });
  const { paper } = row;
  rows.push([
    row.method,
    paper.setting,
    `${paper.kept} [${paper.perLayer.join(' ')}]`,
    `${share(done.kept, done.prunable)} [${done.perLayer.map((layer) => share(layer.kept, layer.weights)).join(' ')}]`,
    paper.before.toFixed(2),
    percent(done.theta.error),
    paper.after.toFixed(2),
    after.toFixed(2),
    after <= paper.after ? 'yes' : 'no',
  ]);
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const table = [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
console.log(`\nreference error ${percent(reference.retrained.error)}% (paper 2.28%)\n\n${table}`);

const points = (run: 'lc' | 'magnitude', of: (one: (typeof ours)[number]) => readonly [number, number]) =>
  ours
    .filter((one) => one.row.run === run)
    .map(of)
    .sort((a, b) => a[0] - b[0]);
const svg = curveSvg(
  [
    { name: 'LC, ours', points: points('lc', ({ kept, after }) => [kept, after]), markers: true },
    { name: 'LC, paper', points: points('lc', ({ row }) => [row.paper.kept, row.paper.after]), markers: true },
    { name: 'magnitude, ours', points: points('magnitude', ({ kept, after }) => [kept, after]), markers: true },
    {
      name: 'magnitude, paper',
      points: points('magnitude', ({ row }) => [row.paper.kept, row.paper.after]),
      markers: true,
    },
  ],
  { title: 'LeNet300 on MNIST: test error after retraining', x: 'kept %', y: 'error %', logX: true },
);
const folder = quick ? workspace : resolve('docs');
await mkdir(folder, { recursive: true });
await writeFileAtomic(join(folder, 'paper-lenet300.svg'), svg.replaceAll('currentColor', '#57606a'));
await writeFileAtomic(
  join(folder, 'paper-lenet300.md'),
  `# LeNet300 on MNIST: the paper's Table 1 and ours

Written by \`npm run paper:lenet300\`. Test errors in %; reference ${percent(reference.retrained.error)} (paper 2.28); 266,200 prunable weights; one seed, nothing tuned per row.
Every row has the same schedule: ${common.schedule!.iterations} LC iterations of ${common.schedule!.epochs} epochs at mu = ${common.schedule!.mu0} x ${common.schedule!.a}^j, then ${common.retrain!.epochs} epochs of retraining;
magnitude pruning gets as many epochs. The reference is a ReLU network (the paper does not say which activation it used), so that at the same
kappa or alpha the l1 rows and the penalty rows need not keep the same share of the weights as the paper's: read both columns together.

${table}

![Error against kept weights](paper-lenet300.svg)
`,
);
