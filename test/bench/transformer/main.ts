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
import { Contender, type ContenderSpec } from '../engine/contender.js';
import { networkNames, type NetworkName } from './networks.js';
import { writeTransformer } from './problem.js';
import { profile } from './profile.js';
import { serve } from './worker.js';

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
const stepsOfTurn = 4;
const checkedSteps = 4;
const lossTolerance = 1e-4;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

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

interface Answer {
  readonly losses: readonly number[];
  /** Time of each step, and processor time of all threads, which other programs on the machine change least. */
  readonly seconds: readonly number[];
  readonly cpuSeconds: readonly number[];
  /** The most that the process has had, in MB. */
  readonly memory: number;
}

async function compare(name: NetworkName, folder: string): Promise<void> {
  const problem = writeTransformer(name, folder, batch);
  const sizes = `${problem.layers} layers of ${problem.width} in ${problem.heads} heads, ${problem.tokens} tokens, batch ${problem.batch}`; // prettier-ignore
  console.log(`\n${name}: ${sizes}; ${(problem.flops / 1e9).toFixed(1)} GFLOP a step`);
  const engines = options.engines.split(',').map((engine): ContenderSpec => ({ name: engine, command: [process.execPath, fileURLToPath(import.meta.url), '--worker', engine, '--threads', String(threads)] })); // prettier-ignore
  const all: { contender: Contender; memory: number; ours: boolean }[] = [];
  let reference: readonly number[] | undefined;
  for (const [i, spec] of [...engines, ...torchSettings()].entries()) {
    const contender = await Contender.start(spec, problem);
    const { losses, memory } = await contender.ask<Answer>({ cmd: 'losses', steps: checkedSteps });
    reference ??= losses;
    const worst = Math.max(...losses.map((loss, k) => Math.abs(loss - reference![k]!) / reference![k]!));
    if (!(worst < lossTolerance)) {
      console.log(`  ${spec.name}: OTHER LOSSES, by ${worst.toExponential(1)}: ${losses.join(' ')}`);
      process.exitCode = 1;
    }
    all.push({ contender, memory, ours: i < engines.length });
  }
  console.log(`  losses of the first steps: ${reference!.map((loss) => loss.toFixed(5)).join(' ')}`);
  // The least time of a step in each turn: what else runs on the machine only adds to it.
  for (let round = 0; round < rounds; round++)
    for (const { contender } of all) {
      const { seconds, cpuSeconds } = await contender.ask<Answer>({ cmd: 'time', steps: stepsOfTurn });
      contender.rates.push(problem.batch / Math.min(...seconds));
      contender.cpuRates.push(problem.batch / Math.min(...cpuSeconds));
    }
  const best = ({ contender }: (typeof all)[number]) => Math.max(...contender.rates);
  const bestCpu = Math.max(...all.filter(({ ours }) => !ours).flatMap(({ contender }) => contender.cpuRates));
  const [peer] = all.filter(({ ours }) => !ours).sort((a, b) => best(b) - best(a));
  for (const entry of all) {
    const { contender, memory, ours } = entry;
    const rate = best(entry);
    const parts = [
      `${rate.toFixed(2)} samples/s in the best turn, ${median(contender.rates).toFixed(2)} in the median one`,
      `${Math.max(...contender.cpuRates).toFixed(2)} a second of processor time`,
      `${((rate * problem.flops) / problem.batch / 1e9).toFixed(0)} GFLOP/s`,
      `${memory.toFixed(0)} MB at most`,
    ];
    if (peer && ours) {
      const paired = median(contender.rates.map((own, i) => own / peer.contender.rates[i]!));
      parts.push(
        `${(rate / best(peer)).toFixed(2)}x PyTorch's best setting (median of rounds ${paired.toFixed(2)}x; of processor time ${(Math.max(...contender.cpuRates) / bestCpu).toFixed(2)}x)`,
      );
    }
    console.log(`  ${contender.name}: ${parts.join('; ')}`);
    contender.end();
  }
}

if (options.worker) await serve(options.worker, threads);
else {
  const names = positionals.length > 0 ? positionals : [...networkNames];
  for (const name of names)
    if (!(networkNames as readonly string[]).includes(name)) {
      console.error(`no benchmark "${name}"; there are ${networkNames.join(', ')}`);
      process.exit(2);
    }
  console.log(`${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${threads} threads, ${rounds} rounds of ${stepsOfTurn} steps`); // prettier-ignore
  const folder = mkdtempSync(join(tmpdir(), 'lc-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const name of names as NetworkName[]) {
    if (options.profile) await profile(writeTransformer(name, folder, batch), threads);
    else await compare(name, folder);
  }
  process.exit();
}
