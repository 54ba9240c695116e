/** A thousand finished runs with long logs in one folder: the list of a window that opens. */
import { link, lstat, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UntimedRunEvent } from '../../../daemon/protocol/events.js';
import { createRunFolder, runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { usageOf } from '../../fixtures/processUsage.js';
import { PLAN } from '../../unit/trainer/fakeRun.js';
import { Daemon, temporaryFolder } from './harness.js';

const RUNS = 1000;
/** Lines of a log: a run of LeNet300 over half an hour. */
const BATCHES = 3000;
const NOON = Date.UTC(2026, 0, 2, 12);

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let script: string;
let workspace: string;

beforeAll(async () => {
  scratch = await temporaryFolder();
  script = await bundle('test/fixtures/daemon/fakeDaemon.ts', join(scratch.path, 'dist'));
  workspace = join(scratch.path, 'w');
  await mkdir(workspace);
  const evaluation = { loss: 0.5, error: 0.25, samples: 100 };
  const events: UntimedRunEvent[] = [
    { event: 'start', run: 'r', plan: 'p', method: 'lc', engine: 'native-cpu', device: 'CPU', seed: 1, weights: 100, prunable: 80, kappa: 8, totalSteps: BATCHES, resumed: false },
    ...Array.from({ length: BATCHES }, (_, step): UntimedRunEvent => ({ event: 'batch', phase: 'l-step', iteration: 0, step, epoch: step / 100, loss: 1 / (step + 1), learningRate: 0.1, samplesPerSecond: 1000 })),
    { event: 'done', reference: evaluation, theta: evaluation, retrained: evaluation, kept: 8, prunable: 80, perLayer: [], seconds: 60, folder: '.' },
  ]; // prettier-ignore
  const log = join(scratch.path, 'events.jsonl');
  await writeFile(log, events.map((event, i) => `${JSON.stringify({ ...event, time: NOON + i })}\n`).join(''));
  for (let i = 0; i < RUNS; i++) {
    const folder = await createRunFolder(workspace, PLAN, NOON + 1000 * i);
    // One file under a thousand names is still read a thousand times.
    await link(log, runPaths(folder).events);
  }
  // What was written a moment ago may still be changing.
  await new Promise((done) => setTimeout(done, 2500));
}, 300_000);
afterAll(() => scratch?.remove());

const TRIES = 8;

/** Milliseconds of the clock and of processor until a new daemon has listed all runs for a new window. */
async function firstList(): Promise<{ clock: number; processor: number }> {
  const daemon = await Daemon.start(script);
  try {
    const client = await daemon.client([workspace]);
    const before = (await usageOf(daemon.hello.pid)).cpu;
    const began = performance.now();
    const runs = await client.ask('lc/runs', null);
    const clock = Math.round(performance.now() - began);
    const processor = Math.round(1000 * ((await usageOf(daemon.hello.pid)).cpu - before));
    expect(runs).toHaveLength(RUNS);
    expect(runs.every(({ state, kept, seconds }) => state === 'done' && kept === 8 && seconds === 60)).toBe(true);
    return { clock, processor };
  } finally {
    await daemon.close();
  }
}

const told = ({ clock, processor }: { clock: number; processor: number }) => `${clock} ms (processor: ${processor} ms)`;

it('is there within a second, once some process has read the logs', async () => {
  const unread = await firstList();
  expect((await lstat(join(workspace, '.lcprune', 'runs.index.json'))).size).toBeLessThan(2e6);
  const lists: Awaited<ReturnType<typeof firstList>>[] = [];
  while (lists.length < TRIES && !lists.some(({ processor }) => processor < 1000)) lists.push(await firstList());
  console.log(`first list of ${RUNS} runs without the index: ${told(unread)}; with it: ${lists.map(told).join(', ')}`);
  // What it computes, not what it waits for, and the best of some: other work on the machine makes it wait, and takes its caches.
  const best = Math.min(...lists.map(({ processor }) => processor));
  expect(best).toBeLessThan(1000);
  expect(best).toBeLessThan(unread.processor / 2);
}, 300_000);
