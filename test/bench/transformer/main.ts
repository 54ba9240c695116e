/**
 * `npm run bench:transformer [-- NET... --engines=native-cpu,onnx-cpu --threads=2 --rounds=5 --batch=N]`: training steps of
 * transformers beside onnxruntime on the same graph and PyTorch's best setting on the same CPU (Debian's python3-torch; left
 * out where absent), same weights and batch, same losses. Contenders take turns, each alone. `--profile` prints where our own
 * step goes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ContenderSpec } from '../engine/contender.js';
import { profileSteps } from '../engine/stepProfile.js';
import { compareInTurns } from '../engine/turns.js';
import { networkNames, type NetworkName } from './networks.js';
import { writeTransformer } from './problem.js';
import { serve, trainerOf } from './worker.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engines: { type: 'string', default: 'native-cpu,onnx-cpu' },
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '5' },
    python: { type: 'string', default: existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3' },
    worker: { type: 'string' },
    profile: { type: 'boolean', default: false },
    batch: { type: 'string' },
  },
});
const threads = Number(options.threads);
const rounds = Number(options.rounds);
const batch = options.batch === undefined ? undefined : Number(options.batch);
const lossTolerance = 1e-4;

/** Every combination of what is known to move PyTorch's products on a CPU. */
function torchSettings(): ContenderSpec[] {
  const script = fileURLToPath(new URL('../../test/bench/transformer/torch_worker.py', import.meta.url));
  try {
    execFileSync(options.python, ['-c', 'import torch, numpy'], { stdio: 'ignore' });
  } catch {
    console.log('PyTorch is absent: no ratios. On Debian: apt install python3-torch python3-numpy libopenblas0');
    return [];
  }
  const environments: Record<string, string>[] = [{}, { OMP_WAIT_POLICY: 'passive' }, { OPENBLAS_NUM_THREADS: '1' }];
  return environments.map((env) => {
    const words = Object.entries(env).map(([key, value]) => ` ${key}=${value}`);
    return { name: `PyTorch${words.join('')}`, command: [options.python, script, String(threads)], env };
  });
}

async function compare(name: NetworkName, folder: string): Promise<void> {
  const problem = writeTransformer(name, folder, batch);
  const sizes = `${problem.layers} layers of ${problem.width} in ${problem.heads} heads, ${problem.tokens} tokens, batch ${problem.batch}`; // prettier-ignore
  console.log(`\n${name}: ${sizes}; ${(problem.flops / 1e9).toFixed(1)} GFLOP a step`);
  const engines = options.engines.split(',').map((engine): ContenderSpec => ({ name: engine, command: [process.execPath, fileURLToPath(import.meta.url), '--worker', engine, '--threads', String(threads)] })); // prettier-ignore
  await compareInTurns(problem, { ours: engines, peers: torchSettings() }, { rounds, lossTolerance });
}

if (options.worker) await serve(options.worker, threads);
else {
  const names = positionals.length > 0 ? positionals : [...networkNames];
  for (const name of names)
    if (!(networkNames as readonly string[]).includes(name)) {
      console.error(`no benchmark "${name}"; there are ${networkNames.join(', ')}`);
      process.exit(2);
    }
  console.log(`${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${threads} threads, ${rounds} rounds`); // prettier-ignore
  const folder = mkdtempSync(join(tmpdir(), 'lc-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of names as NetworkName[]) {
    if (options.profile) {
      const problem = writeTransformer(name, folder, batch);
      const title = `${name}, batch ${problem.batch}; ${threads} threads`;
      await profileSteps(await trainerOf('native-cpu', problem, threads), title, problem.flops);
    } else await compare(name, folder);
  }
  process.exit();
}
