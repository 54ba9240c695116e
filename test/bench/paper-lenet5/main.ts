/**
 * `npm run paper:lenet5 [-- --quick]`: Caffe's LeNet5 on MNIST at 1% of its weights, LC beside magnitude pruning with equal
 * epochs. Long; Ctrl-C and start it again: finished rows are kept, an interrupted one is resumed. `--quick` is a tenth of the
 * epochs, to try the script. Writes docs/paper-lenet5.md after every row.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { resolvePlan } from '../../../daemon/plan/resolvePlan.js';
import { WorkspacePath } from '../../../daemon/protocol/paths.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { openStudy } from '../study/study.js';

const quick = process.argv.includes('--quick');
const workspace = resolve('artifacts', quick ? 'paper-lenet5-quick' : 'paper-lenet5');
const epochs = (n: number) => (quick ? Math.max(1, Math.round(n / 10)) : n);

/** A convolutional network learns in fewer epochs than LeNet300: one per LC iteration. Everything else is the product's default. */
const common: Plan = {
  model: { architecture: 'lenet5' },
  data: 'mnist',
  budget: { keep: '1%' },
  schedule: { tolerance: 1e-3, iterations: quick ? 10 : 40, epochs: 1 },
  training: { learningRate: 0.05 },
  retrain: { epochs: epochs(15), learningRate: 0.02 },
  // Caffe's own weight decay.
  reference: { epochs: epochs(20), learningRate: 0.05, decay: 0.85, weightDecay: 5e-4 },
};

function planOf(budget: Plan['budget']): ResolvedPlan {
  const layers = summarizeModel(buildArchitecture('lenet5', 0));
  return resolvePlan(
    { ...common, budget },
    { name: 'lenet5', planPath: null, modelPath: null, dataPath: (path) => path, layers },
  );
}

const percent = (fraction: number | null): string => (fraction === null ? '-' : (100 * fraction).toFixed(2));
const share = (kept: number, of: number): string => Number(((100 * kept) / of).toPrecision(2)).toString();
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

await mkdir(workspace, { recursive: true });
const study = await openStudy(workspace);
const reference = await study.run('reference', { ...planOf(common.budget), method: 'reference' });
const model = {
  path: WorkspacePath.parse(join('.lcprune', 'runs', reference.folder.split(/[\\/]/).at(-1)!, 'result', 'model.json')),
};

const header = ['Kept', 'Method', 'Weights', 'Kept % per layer', 'Before retraining', 'After retraining', 'Goal'];
const rows: string[][] = [];
const folder = quick ? workspace : resolve('docs');
await mkdir(folder, { recursive: true });
for (const [keep, method, goal] of [
  ['1%', 'lc', '1.10'],
  ['1%', 'magnitude', '-'],
] as const) {
  const plan = planOf({ keep });
  const trained = { model, reference: { ...plan.reference, epochs: 0 } };
  const done = await study.run(`${method}-${keep}`, { ...plan, ...trained, method });
  rows.push([
    keep,
    method === 'lc' ? 'LC, l0 constraint' : 'magnitude',
    String(done.kept),
    done.perLayer.map((layer) => `${layer.layer} ${share(layer.kept, layer.weights)}`).join(', '),
    percent(done.theta.error),
    percent(done.retrained.error),
    goal,
  ]);
  const table = [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
  console.log(`\nreference error ${percent(reference.retrained.error)}% (goal 0.90)\n\n${table}`);
  await writeFileAtomic(
    join(folder, 'paper-lenet5.md'),
    `# LeNet5 (Caffe) on MNIST

Written by \`npm run paper:lenet5\`. Test errors in %; reference ${percent(reference.retrained.error)} (goal 0.90); ${done.prunable.toLocaleString('en')} prunable weights; one seed, nothing tuned per row.
${common.schedule!.iterations} LC iterations of one epoch, then ${common.retrain!.epochs} epochs of retraining; magnitude pruning gets as many epochs. For comparison: 1.1 at 1% kept, with a
reference of 0.9 [Lee et al. 2019, SNIP, Table 1].

${table}
`,
  );
}
