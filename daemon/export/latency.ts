/**
 * Latency of the reference, the pruned and the thinned network on this machine: onnxruntime on the ONNX files as written, one thread, and the sparse
 * module if all layers are dense. Times are of whole calls from JavaScript.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRandom } from '../lc/random.js';
import { loadRuntime, runtimeMissing } from '../engine/compiled/runtime.js';
import type { Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { sizeOf } from '../protocol/shape.js';
import { machineText } from './machine.js';
import { writeModule } from './formats.js';
import { inferenceSession } from './runOnnx.js';
import { thin } from './thin.js';
import { writeThinnedOnnx } from './thinnedOnnx.js';
import { writeOnnx } from './writeOnnx.js';

export interface Latency {
  readonly what: 'reference' | 'pruned' | 'thinned' | 'sparse module';
  /** Samples per call. */
  readonly batch: number;
  /** Microseconds per call: the median over the rounds. */
  readonly microseconds: number;
  /** Speed-up over the reference (over the pruned network if there is none) at this batch size; null: neither was measured. */
  readonly speedup: number | null;
}

export interface Latencies {
  readonly machine: string;
  readonly rows: readonly Latency[];
  /** The networks that could not be measured, and why. */
  readonly left: readonly { readonly what: Latency['what']; readonly reason: string }[];
}

export interface LatencyOptions {
  /** Samples per call. Default [1, 64]. */
  readonly batches?: readonly number[];
  readonly rounds?: number;
  /** Milliseconds a round of one candidate takes, where a call takes less. */
  readonly roundMs?: number;
}

interface Candidate {
  readonly what: Latency['what'];
  readonly batch: number;
  call(): unknown;
}

/** Calls that take longer than this are measured in fewer rounds. */
const SLOW_MS = 200;
const SLOW_ROUNDS = 5;
const WARM_UP_MS = 60;
const WARM_UP_CALLS = 5;
/**
 * Whether the environment variable LC_PRUNE_BRIEF_LATENCY=1 cuts measurements short: the same rows from a few calls each, whose times mean little.
 * The tests finish hundreds of runs and judge no time.
 */
const brief = process.env['LC_PRUNE_BRIEF_LATENCY'] === '1';
const BRIEF_ROUNDS = 3;

const uniform = (length: number): Float32Array => {
  const random = createRandom(20180618);
  return Float32Array.from({ length }, () => random.next());
};

/** The calls of one ONNX file; a file with a fixed batch size has that one only. */
async function onnxCandidates(
  what: Latency['what'],
  { file, model }: { readonly file: string; readonly model: Model },
  batches: readonly number[],
): Promise<{ candidates: Candidate[]; release(): Promise<void> }> {
  const ort = await loadRuntime();
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, executionProviders: ['cpu'] };
  const session = await inferenceSession(file, model, options);
  const candidates: Candidate[] = [];
  const seen = new Set<number>();
  for (const wanted of batches) {
    let batch = wanted;
    const feeds: Record<string, InstanceType<typeof ort.Tensor>> = {};
    for (const input of session.inputMetadata) {
      if (!input.isTensor || input.type !== 'float32')
        throw new UserError('model-unsupported', `its input "${input.name}" is no float32 tensor`);
      const shape = input.shape.map((size, axis) =>
        typeof size === 'number' && size > 0 ? size : axis === 0 ? wanted : 1,
      );
      batch = shape[0] ?? wanted;
      feeds[input.name] = new ort.Tensor('float32', uniform(sizeOf(shape)), shape);
    }
    if (seen.has(batch)) continue;
    seen.add(batch);
    candidates.push({ what, batch, call: () => session.run(feeds) });
  }
  return { candidates, release: () => session.release() };
}

async function moduleCandidates(file: string, batches: readonly number[]): Promise<Candidate[]> {
  const { predict, inputSize } = (await import(pathToFileURL(file).href)) as {
    predict(inputs: Float32Array): Float32Array;
    inputSize: number;
  };
  return batches.map((batch) => {
    const inputs = uniform(batch * inputSize);
    return { what: 'sparse module', batch, call: () => predict(inputs) };
  });
}

async function timed(call: Candidate['call'], calls: number): Promise<number> {
  const start = performance.now();
  // An await costs as much as a small network.
  for (let i = 0; i < calls; i++) {
    const result = call();
    if (result instanceof Promise) await result;
  }
  return (performance.now() - start) / calls;
}

/** Milliseconds per call of a warmed-up candidate, roughly. */
async function warmUp({ call }: Candidate): Promise<number> {
  const start = performance.now();
  let calls = 0;
  let least = Infinity;
  while (calls < WARM_UP_CALLS || (!brief && performance.now() - start < WARM_UP_MS)) {
    least = Math.min(least, await timed(call, 1));
    calls += 1;
    if (least > SLOW_MS && calls >= 2) break;
  }
  return Math.max(least, 1e-4);
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
};

/** Milliseconds per call. The candidates alternate, so that other load on the machine affects all of them alike. */
async function measure(candidates: readonly Candidate[], rounds: number, roundMs: number): Promise<number[]> {
  const plans: { calls: number; rounds: number; times: number[] }[] = [];
  for (const candidate of candidates) {
    const ms = await warmUp(candidate);
    plans.push({
      calls: Math.max(1, Math.round(roundMs / ms)),
      rounds: ms > SLOW_MS ? Math.min(SLOW_ROUNDS, rounds) : rounds,
      times: [],
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, plan] of plans.entries())
      if (round < plan.rounds) plan.times.push(await timed(candidates[i]!.call, plan.calls));
  }
  return plans.map(({ times }) => median(times));
}

/**
 * @param model the pruned model. @param reference of the same shapes; null if it is not known.
 * @returns rows in the order reference, pruned, thinned, sparse module; networks that cannot be measured are listed. @throws UserError('disk'
 * 'engine-unavailable').
 */
export async function measureLatency(
  model: Model,
  reference: Model | null,
  { batches = [1, 64], rounds = 15, roundMs = 15 }: LatencyOptions = {},
): Promise<Latencies> {
  const folder = await mkdtemp(join(tmpdir(), 'lc-prune-'));
  const left: { what: Latency['what']; reason: string }[] = [];
  const candidates: Candidate[] = [];
  const releases: (() => Promise<void>)[] = [];
  const { model: thinned, refusal } = thin(model);
  const missing = await runtimeMissing();
  // One line stands for all networks: the reason is the same.
  if (missing) left.push({ what: 'pruned', reason: `${missing}; export the run on a machine that has it to measure` });
  if (refusal) left.push({ what: 'thinned', reason: refusal.message });
  const attempt = async (what: Latency['what'], open: () => Promise<void>) => {
    try {
      await open();
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'model-unsupported') throw error;
      left.push({ what, reason: error.message });
    }
  };
  try {
    for (const [what, one] of [
      ['reference', reference],
      ['pruned', model],
      ['thinned', thinned],
    ] as const) {
      if (missing || !one || (what === 'thinned' && one === model)) continue;
      await attempt(what, async () => {
        const file = join(folder, `${what}.onnx`);
        await (what === 'thinned' ? writeThinnedOnnx : writeOnnx)(one, file);
        const opened = await onnxCandidates(what, { file, model: one }, batches);
        candidates.push(...opened.candidates);
        releases.push(opened.release);
      });
    }
    await attempt('sparse module', async () => {
      const file = join(folder, 'module.mjs');
      await writeModule(thinned, file);
      candidates.push(...(await moduleCandidates(file, batches)));
    });
    const times = brief ? await measure(candidates, BRIEF_ROUNDS, 0) : await measure(candidates, rounds, roundMs);
    const rows = candidates.map(({ what, batch }, i) => ({ what, batch, microseconds: 1000 * times[i]! }));
    const speedupOf = ({ batch, microseconds }: (typeof rows)[number]): number | null => {
      const base = rows.find((row) => row.batch === batch && row.what !== 'sparse module');
      return base ? base.microseconds / microseconds : null;
    };
    return {
      machine: machineText(),
      rows: rows.map((row) => ({ ...row, speedup: speedupOf(row) })),
      left,
    };
  } finally {
    for (const release of releases) await release();
    await rm(folder, { recursive: true, force: true });
  }
}
