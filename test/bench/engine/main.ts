/**
 * `npm run bench:engine [-- NET... --engines=onnx-cpu,... --threads=2 --rounds=5 --batch=N]`: L-step training throughput of the
 * engines beside PyTorch on the CPU (optional; Debian's python3-torch and libopenblas0), same weights, same batches, same
 * losses. PyTorch's settings are all tried in the run and its best one is the peer. Contenders take turns, each alone: the
 * others are stopped, or a spinning thread pool would be measured with them. `--profile` prints where our own step goes.
 * `--graph` prints how large our own step is. `--before=CHECKOUT/dist/bench/engine.mjs` adds the engines of another checkout's build, and each of ours as a ratio to its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Contender, type ContenderSpec } from './contender.js';
import { problemNames, writeProblem, type Problem, type ProblemName } from './problems.js';
import { profile } from './profile.js';
import { graphSizes } from './graphSizes.js';
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
    graph: { type: 'boolean', default: false },
    batch: { type: 'string' },
    before: { type: 'string' },
  },
});
const threads = Number(options.threads);
const rounds = Number(options.rounds);
const batch = options.batch === undefined ? undefined : Number(options.batch);
/** Seconds of one turn. */
const turn = 1.5;
const checkedSteps = 6;
/** Losses of the first steps differ by rounding, which steps amplify: PyTorch's own layouts disagree by 1.2e-4 on ResNet-20. */
const lossTolerance = 3e-4;

/** Every combination of what is known to move PyTorch on a CPU. */
function torchSettings(problem: Problem): ContenderSpec[] {
  const script = fileURLToPath(new URL('../../test/bench/engine/torch_worker.py', import.meta.url));
  const layouts = problem.inputShape.length === 3 ? ['channels_last', 'contiguous'] : ['contiguous'];
  const specs: ContenderSpec[] = [];
  for (const count of new Set([threads, 1]))
    for (const layout of layouts)
      for (const blas of count > 1 ? ['1', undefined] : ['1'])
        for (const wait of count > 1 ? ['passive', 'active', undefined] : [undefined]) {
          const env = {
            ...(blas ? { OPENBLAS_NUM_THREADS: blas } : {}),
            ...(wait ? { OMP_WAIT_POLICY: wait } : {}),
          };
          const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
          const name = ['PyTorch', `${count} threads`, ...(layouts.length > 1 ? [layout] : []), ...words].join(' ');
          specs.push({ name, command: [options.python, script, String(count), layout], env });
        }
  return specs;
}

function hasTorch(): boolean {
  try {
    execFileSync(options.python, ['-c', 'import torch, numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const perSecond = (rate: number): string => Math.round(rate).toLocaleString('en').padStart(9);

async function started(spec: ContenderSpec, problem: Problem): Promise<Contender | null> {
  try {
    return await Contender.start(spec, problem);
  } catch (error) {
    console.log(`  ${spec.name}: left out, ${(error as Error).message}`);
    return null;
  }
}

/** Steps that fill one turn. */
async function turnSteps(contender: Contender, problem: Problem): Promise<number> {
  const rate = await contender.rate(problem, 3);
  return Math.max(2, Math.round((turn * rate) / problem.batch));
}

/** Tries every setting once; keeps the three fastest alive. */
async function bestTorch(problem: Problem, reference: readonly number[]): Promise<Contender[]> {
  const tried: { contender: Contender; rate: number }[] = [];
  for (const spec of torchSettings(problem)) {
    const contender = await started(spec, problem);
    if (!contender) continue;
    await checkLosses(contender, reference);
    const steps = Math.ceil((await turnSteps(contender, problem)) / 2);
    const rate = Math.max(await contender.rate(problem, steps), await contender.rate(problem, steps));
    console.log(`  tried ${perSecond(rate)} samples/s  ${spec.name}`);
    tried.push({ contender, rate });
    tried.sort((a, b) => b.rate - a.rate);
    for (const { contender } of tried.splice(3)) contender.end();
  }
  return tried.map(({ contender }) => contender);
}

async function firstLosses(contender: Contender): Promise<number[]> {
  return (await contender.ask<{ losses: number[] }>({ cmd: 'losses', steps: checkedSteps })).losses;
}

async function checkLosses(contender: Contender, reference: readonly number[]): Promise<void> {
  const losses = await firstLosses(contender);
  const worst = Math.max(...losses.map((loss, i) => Math.abs(loss - reference[i]!) / reference[i]!));
  if (worst < lossTolerance) return;
  console.log(
    `  ${contender.name}: OTHER LOSSES, by ${worst.toExponential(1)}: ${losses.map((x) => x.toFixed(5)).join(' ')}`,
  );
  process.exitCode = 1;
}

async function compare(name: ProblemName, folder: string, withTorch: boolean): Promise<void> {
  const problem = writeProblem(name, folder, batch);
  console.log(`\n${problem.description}; ${(problem.flops / 1e6).toFixed(1)} MFLOP a sample`);
  const ours: Contender[] = [];
  const before = new Map<Contender, Contender>();
  for (const engine of options.engines.split(',')) {
    for (const count of new Set([threads, 1])) {
      const from = (script: string, name: string) => {
        const command = [process.execPath, script, '--worker', engine, '--threads', String(count)];
        return started({ name: `${engine} ${count} threads${name}`, command }, problem);
      };
      const contender = await from(fileURLToPath(import.meta.url), '');
      if (contender) ours.push(contender);
      const other = contender && options.before ? await from(resolve(options.before), ', before') : null;
      if (contender && other) before.set(contender, other);
    }
  }
  if (ours.length === 0) return;
  const reference = await firstLosses(ours[0]!);
  console.log(`  losses of the first steps: ${reference.map((x) => x.toFixed(5)).join(' ')}`);
  for (const contender of ours.slice(1)) await checkLosses(contender, reference);
  const torch = withTorch ? await bestTorch(problem, reference) : [];
  for (const contender of before.values()) await checkLosses(contender, reference);
  const all = [...ours.flatMap((contender) => [contender, before.get(contender) ?? []].flat()), ...torch];
  const steps = new Map<Contender, number>();
  for (const contender of all) steps.set(contender, await turnSteps(contender, problem));
  for (let round = 0; round < rounds; round++) {
    for (const contender of all) contender.rates.push(await contender.rate(problem, steps.get(contender)!));
  }
  const best = (contender: Contender) => Math.max(...contender.rates);
  const peer = [...torch].sort((a, b) => best(b) - best(a))[0];
  const bestCpu = Math.max(...torch.flatMap(({ cpuRates }) => cpuRates));
  const peak = peer && (await peer.ask<{ flops: number }>({ cmd: 'peak' })).flops;
  for (const contender of all) {
    const flops = best(contender) * problem.flops;
    const cpu = Math.max(...contender.cpuRates);
    const parts = [
      `${perSecond(best(contender))} samples/s best, ${perSecond(median(contender.rates))} median`,
      `${perSecond(cpu)} a second of processor time`,
      `${(flops / 1e9).toFixed(1)} GFLOP/s${peak ? ` (${Math.round((100 * flops) / peak)}% of its GEMM peak)` : ''}`,
    ];
    if (peer && ours.includes(contender)) {
      const paired = median(contender.rates.map((rate, i) => rate / peer.rates[i]!));
      parts.push(
        `${(best(contender) / best(peer)).toFixed(2)}x PyTorch's best (median of rounds ${paired.toFixed(2)}x; of processor time ${(cpu / bestCpu).toFixed(2)}x)`,
      );
    }
    const other = before.get(contender);
    if (other) {
      const paired = median(contender.rates.map((rate, i) => rate / other.rates[i]!));
      const ofCpu = median(contender.cpuRates.map((rate, i) => rate / other.cpuRates[i]!));
      parts.push(
        `${paired.toFixed(3)}x the build before (median of rounds; best turns ${(best(contender) / best(other)).toFixed(3)}x; of processor time ${ofCpu.toFixed(3)}x)`,
      );
    }
    console.log(`  ${contender.name}: ${parts.join('; ')}\n    ${contender.about}`);
  }
  if (peak) console.log(`  GEMM 1024^3 in PyTorch: ${(peak / 1e9).toFixed(0)} GFLOP/s`);
  for (const contender of all) contender.end();
}

if (options.worker) await serve(options.worker, threads);
else {
  const names = positionals.length > 0 ? positionals : [...problemNames];
  for (const name of names) {
    if (!(problemNames as readonly string[]).includes(name)) {
      console.error(`no benchmark "${name}"; there are ${problemNames.join(', ')}`);
      process.exit(2);
    }
  }
  const alone = options.profile || options.graph;
  const withTorch = !alone && hasTorch();
  console.log(
    `${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; ${threads} threads, ${rounds} rounds of ${turn} s`,
  );
  if (!withTorch && !alone)
    console.log('PyTorch is absent: no ratios. On Debian: apt install python3-torch python3-numpy libopenblas0');
  const folder = mkdtempSync(join(tmpdir(), 'lc-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  if (options.graph)
    await graphSizes(
      (names as ProblemName[]).map((name) => () => writeProblem(name, folder, batch)),
      threads,
    );
  else
    for (const name of names as ProblemName[]) {
      if (options.profile) await profile(writeProblem(name, folder, batch), threads);
      else await compare(name, folder, withTorch);
    }
  process.exit();
}
