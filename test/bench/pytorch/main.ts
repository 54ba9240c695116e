/**
 * `npm run bench:pytorch [-- NET... --threads=1 --rounds=5 --batch=8]`: training steps of networks that PyTorch exports, 3 x 224 x 224: the
 * product's session on the ONNX file beside PyTorch's best setting on the same number of threads (Debian's python3-torchvision; skipped
 * where absent), same weights and batch. The losses of the first steps are compared. Contenders take turns, each alone. Peak memory is
 * that of the whole process. `--profile` prints where our own step goes. `--before=CHECKOUT/dist/bench/pytorch.mjs` adds another checkout's build.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ContenderSpec } from '../engine/contender.js';
import { profileSteps } from '../engine/stepProfile.js';
import { compareInTurns } from '../engine/turns.js';
import { type ExportedProblem, serve, trainerOf } from './worker.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '5' },
    batch: { type: 'string', default: '8' },
    python: { type: 'string', default: existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3' },
    worker: { type: 'string' },
    before: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
});
const names = ['resnet18', 'mobilenet_v2', 'vit-tiny'];
const threads = Number(options.threads);
const rounds = Number(options.rounds);
/** Rounding differs, and norms over eight images amplify it: PyTorch's own layouts disagree by as much. */
const lossTolerance = 2e-3;

const script = fileURLToPath(new URL('../../test/bench/pytorch/torch_worker.py', import.meta.url));

/** Exports a network and writes its batch. */
function writeExported(name: string, folder: string): ExportedProblem {
  execFileSync(options.python, ['-W', 'ignore', script, 'export', name, folder, options.batch], { stdio: ['ignore', 'ignore', 'inherit'] }); // prettier-ignore
  const file = (end: string) => join(folder, `${name}.${end}`);
  const files = { modelFile: file('onnx'), imagesFile: file('images'), labelsFile: file('labels') };
  return { name, batch: Number(options.batch), learningRate: 1e-4, folder, ...files };
}

/** Every combination of what is known to move PyTorch on a CPU. */
function torchSettings(name: string): ContenderSpec[] {
  const layouts = name === 'vit-tiny' ? ['contiguous'] : ['channels_last', 'contiguous'];
  return layouts.flatMap((layout) =>
    ['onednn', 'plain'].map((products) => ({
      name: `PyTorch ${layout} ${products}`,
      command: [options.python, '-W', 'ignore', script, String(threads), layout, products],
    })),
  );
}

function hasTorch(): boolean {
  try {
    execFileSync(options.python, ['-c', 'import torchvision'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const rows: string[] = [];

async function compare(name: string, folder: string): Promise<void> {
  const problem = writeExported(name, folder);
  console.log(`\n${name}: 3 x 224 x 224, batch ${problem.batch}`);
  const ours = (build: string, suffix = ''): ContenderSpec => ({
    name: `native-cpu${suffix}`,
    command: [process.execPath, build, '--worker', 'native-cpu', '--threads', String(threads)],
  });
  const other = options.before ? [ours(resolve(options.before), ', before')] : [];
  const specs = { ours: [ours(fileURLToPath(import.meta.url)), ...other], peers: torchSettings(name) };
  for (const { own, peer, ratio, medianRatio, processorRatio } of await compareInTurns(problem, specs, { rounds, lossTolerance })) {
    const figures = [own.best, peer.best, ratio, medianRatio, processorRatio].map((figure) => figure.toFixed(2));
    const memories = [own.memory, peer.memory].map((memory) => memory.toFixed(0));
    rows.push(`| ${[own.name === 'native-cpu' ? name : `${name}, before`, problem.batch, ...figures, ...memories].join(' | ')} |`);
  }
} // prettier-ignore

if (options.worker) await serve(options.worker, threads);
else if (!hasTorch())
  console.log(`skipped: ${options.python} has no torchvision (Debian: python3-torchvision, libopenblas0)`);
else {
  const wanted = positionals.length > 0 ? positionals : names;
  for (const name of wanted)
    if (!names.includes(name)) {
      console.error(`no benchmark "${name}"; there are ${names.join(', ')}`);
      process.exit(2);
    }
  console.log(`${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${threads} threads, ${rounds} rounds`); // prettier-ignore
  const folder = mkdtempSync(join(tmpdir(), 'lc-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of wanted) {
    if (options.profile) {
      const title = `${name}, batch ${options.batch}; ${threads} threads`;
      await profileSteps(await trainerOf(writeExported(name, folder), threads), title);
    } else await compare(name, folder);
  }
  if (rows.length > 0) {
    console.log('\n| network | batch | native-cpu, samples/s | PyTorch\'s best | ratio | median of rounds | of processor time | MB at most | PyTorch\'s |'); // prettier-ignore
    console.log(`| --- |${' ---: |'.repeat(8)}`);
    console.log(rows.join('\n'));
  }
  process.exit();
}
