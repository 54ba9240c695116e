/** Signals end trainers, over the fake engine: the content of the run's log, record and report, and the continuation. */
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../daemon/lc/random.js';
import type { RunEvent } from '../../daemon/protocol/events.js';
import { baselinePlan } from '../../daemon/runs/baselinePlan.js';
import { readEvents, readRunPlan, runSummary } from '../../daemon/runs/list/registry.js';
import { resumeRun, startRun, type RunHandle } from '../../daemon/runs/supervisor.js';
import { takeLock } from '../../daemon/trainer/process/lock.js';
import { PLAN } from '../unit/trainer/fakeRun.js';
import { bundleTrainer, type Bundle } from './trainer/bundle.js';

let bundle: Bundle;
let workspace: string;
beforeAll(async () => {
  bundle = await bundleTrainer('test/integration/trainer/fakeTrainer.ts');
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'crash-')));
  process.env['FAKE_STEP_MS'] = '3';
  delete process.env['FAKE_DEADLY'];
});
afterEach(() => rm(workspace, { recursive: true }));

const plan = { ...PLAN, engine: 'native-cpu', schedule: { ...PLAN.schedule, tolerance: 0 } };
const options = () => ({ workspace, trainer: bundle.path });
const random = createRandom(Number(process.env['KILL_SEED'] ?? 11));

const history = async (folder: string): Promise<RunEvent[]> => (await readEvents(folder, 0, 100_000)).events;
const of = <E extends RunEvent['event']>(events: readonly RunEvent[], kind: E) =>
  events.filter((event): event is Extract<RunEvent, { event: E }> => event.event === kind);

const result = (folder: string) =>
  readdir(join(folder, 'result')).then((names) =>
    Promise.all(
      names
        .filter((name) => name.endsWith('.bin'))
        .sort()
        .map((name) => readFile(join(folder, 'result', name), 'base64')),
    ),
  );

type Failed = Extract<RunEvent, { event: 'failed' }>;

/** Ends the trainer at some moment after the first LC iteration. */
async function crash(handle: RunHandle, signal: NodeJS.Signals): Promise<Failed> {
  await new Promise<void>((resolve) => handle.onEvent((event) => event.event === 'iteration' && resolve()));
  await wait(random.below(150));
  process.kill(handle.pid, signal);
  // Until the end is written, lists of runs do not report another one.
  let ended = false;
  const end = handle.done.then(() => (ended = true));
  const seen = new Set<string>();
  while (!ended) {
    const { state } = await runSummary(handle.folder, true);
    if (!ended) seen.add(state);
    await Promise.race([end, wait(20)]);
  }
  expect([...seen]).toEqual(['running']);
  const last = await handle.done;
  expect(last.event).toBe('failed');
  return last as Failed;
}

describe('a trainer that a signal ends', { timeout: 120_000 }, () => {
  it('leaves a marked run that continues on the next engine, and log, record, result and report name the change', async () => {
    const handle = await startRun(plan, options());
    const last = await crash(handle, 'SIGSEGV');
    expect(last).toMatchObject({ ending: { how: 'SIGSEGV', cause: 'crash', engine: 'native-cpu', next: 'onnx-cpu' } });
    expect(last.message).toMatch(/engine native-cpu\) was ended by SIGSEGV at iteration \d+; resume .*onnx-cpu/);
    expect((await readdir(join(handle.folder, 'checkpoints'))).map((name) => join(handle.folder, 'checkpoints', name))).toContain(last.ending!.checkpoint); // prettier-ignore
    expect((await history(handle.folder)).at(-1)).toEqual(last);
    expect(await runSummary(handle.folder)).toMatchObject({
      state: 'crashed',
      engine: 'native-cpu',
      message: last.message,
      ending: last.ending,
    });
    expect(await readdir(handle.folder)).not.toContain('lock');

    const resumed = await resumeRun(handle.folder, { ...options(), engine: 'onnx-cpu' });
    expect((await runSummary(handle.folder)).state).toBe('running');
    const done = await resumed.done;
    const events = await history(handle.folder);
    const [change, ...none] = of(events, 'engine');
    expect(none).toEqual([]);
    expect(change).toMatchObject({
      from: 'native-cpu',
      to: 'onnx-cpu',
      phase: 'l-step',
      endings: [{ engine: 'native-cpu', how: 'SIGSEGV' }],
      message: expect.stringMatching(/engine changed from native-cpu to onnx-cpu at iteration \d+ after SIGSEGV/),
    });
    const { time: _, event: __, ...record } = change!;
    expect(await readRunPlan(handle.folder)).toMatchObject({ engine: 'onnx-cpu', continuations: [record] });
    expect(done).toMatchObject({ event: 'done', kept: 12, continuations: [record] });
    expect(JSON.parse(await readFile(join(handle.folder, 'result', 'result.json'), 'utf8'))).toMatchObject({
      continuations: [record],
    });
    for (const name of ['report.md', 'report.html'])
      expect(await readFile(join(handle.folder, 'result', name), 'utf8')).toContain(record.message);
    const iterations = of(events, 'iteration').map(({ iteration }) => iteration);
    expect(iterations).toEqual(Array.from({ length: 12 }, (_, j) => j));
    expect(await runSummary(handle.folder)).not.toHaveProperty('ending');
    // A baseline begins on the engine with which the run ended, and has no history.
    const baseline = await baselinePlan(handle.folder, 'magnitude', { workspace });
    expect(baseline.engine).toBe('onnx-cpu');
    expect(baseline).not.toHaveProperty('continuations');
  });

  it.each(['SIGABRT', 'SIGILL', 'SIGBUS', 'SIGFPE'] as const)(
    'by %s goes on on its own engine too, with the same bytes, and says how it had ended',
    async (signal) => {
      process.env['FAKE_STEP_MS'] = '0';
      const whole = await startRun(plan, options());
      await whole.done;
      process.env['FAKE_STEP_MS'] = '3';
      const handle = await startRun(plan, options());
      expect((await crash(handle, signal)).ending).toMatchObject({ how: signal, cause: 'crash', next: 'onnx-cpu' });
      process.env['FAKE_STEP_MS'] = '0';
      const resumed = await resumeRun(handle.folder, options());
      expect(await resumed.done).toMatchObject({ event: 'done' });
      expect(of(await history(handle.folder), 'engine')).toMatchObject([
        { from: 'native-cpu', to: 'native-cpu', message: expect.stringContaining(`the trainer ended by ${signal}`) },
      ]);
      expect((await readRunPlan(handle.folder)).engine).toBe('native-cpu');
      expect(await result(handle.folder)).toEqual(await result(whole.folder));
    },
  );

  it('keeps the record if the run crashes again before its next checkpoint', async () => {
    const handle = await startRun(plan, options());
    await crash(handle, 'SIGSEGV');
    process.env['FAKE_STEP_MS'] = '400';
    const second = await resumeRun(handle.folder, { ...options(), engine: 'onnx-cpu' });
    process.kill(second.pid, 'SIGBUS');
    await second.done;
    process.env['FAKE_STEP_MS'] = '0';
    const third = await resumeRun(handle.folder, { ...options(), engine: 'tfjs-cpu' });
    expect(await third.done).toMatchObject({ event: 'done' });
    const events = of(await history(handle.folder), 'engine');
    expect(events.map(({ from, to, endings }) => ({ from, to, endings }))).toEqual([
      { from: 'native-cpu', to: 'onnx-cpu', endings: [{ engine: 'native-cpu', how: 'SIGSEGV' }] },
      { from: 'onnx-cpu', to: 'tfjs-cpu', endings: [{ engine: 'onnx-cpu', how: 'SIGBUS' }] },
    ]);
    // TensorFlow.js draws other dropout masks than the compiled graphs.
    expect(events.map(({ message }) => /dropout/.test(message))).toEqual([false, true]);
    expect((await readRunPlan(handle.folder)).continuations).toHaveLength(2);
  });

  it('an engine that crashes while loading is passed over; a resumption that crashes so is marked too', async () => {
    process.env['FAKE_DEADLY'] = 'onnx-cpu';
    const handle = await startRun(plan, options());
    expect((await crash(handle, 'SIGSEGV')).ending!.next).not.toBe('onnx-cpu');
    const before = await readRunPlan(handle.folder);
    await expect(resumeRun(handle.folder, { ...options(), engine: 'onnx-cpu' })).rejects.toMatchObject({
      name: 'UserError',
      ending: { how: 'SIGSEGV', engine: 'onnx-cpu' },
    });
    expect(await runSummary(handle.folder)).toMatchObject({ state: 'crashed', ending: { engine: 'onnx-cpu' } });
    expect(await readRunPlan(handle.folder)).toEqual(before);
    process.env['FAKE_STEP_MS'] = '0';
    const resumed = await resumeRun(handle.folder, { ...options(), engine: 'tfjs-cpu' });
    expect(await resumed.done).toMatchObject({ event: 'done' });
    expect(of(await history(handle.folder), 'engine')).toMatchObject([
      { from: 'native-cpu', to: 'tfjs-cpu', message: expect.stringContaining('SIGSEGV and SIGSEGV of onnx-cpu') },
    ]);
  });

  it('a run that crashes before it begins leaves nothing, and names the engine', async () => {
    process.env['FAKE_DEADLY'] = 'native-cpu';
    await expect(startRun(plan, options())).rejects.toMatchObject({
      name: 'UserError',
      ending: null,
      message: expect.stringMatching(/native-cpu\) was ended by SIGSEGV before training began.*another engine/),
    });
    expect(await readdir(workspace)).toEqual([]);
  });

  it('if killed from outside, it is interrupted, with a likely cause, and continues without an entry', async () => {
    const handle = await startRun(plan, options());
    const last = await crash(handle, 'SIGKILL');
    expect(last).toMatchObject({ ending: { how: 'SIGKILL', cause: 'memory', next: null } });
    expect(last.message).toMatch(/perhaps for want of memory.*"training.batchSize"/);
    expect(await runSummary(handle.folder)).toMatchObject({ state: 'interrupted', ending: { cause: 'memory' } });
    process.env['FAKE_STEP_MS'] = '0';
    const resumed = await resumeRun(handle.folder, options());
    expect(await resumed.done).not.toHaveProperty('continuations');
    expect(of(await history(handle.folder), 'engine')).toEqual([]);
  });

  it('an engine that is not there leaves the run as it was', async () => {
    const handle = await startRun(plan, options());
    await crash(handle, 'SIGSEGV');
    const before = await readFile(join(handle.folder, 'events.jsonl'), 'utf8');
    await expect(resumeRun(handle.folder, { ...options(), engine: 'abacus' })).rejects.toMatchObject({
      code: 'engine-unavailable',
      message: expect.stringContaining('native-cpu'),
    });
    expect(await readFile(join(handle.folder, 'events.jsonl'), 'utf8')).toBe(before);
    expect((await runSummary(handle.folder)).state).toBe('crashed');
  });

  it('a stopped run changes its engine on request, and reports it', async () => {
    const handle = await startRun(plan, options());
    await handle.stop('user');
    process.env['FAKE_STEP_MS'] = '0';
    const resumed = await resumeRun(handle.folder, { ...options(), engine: 'onnx-cpu' });
    expect(await resumed.done).toMatchObject({
      continuations: [
        { from: 'native-cpu', to: 'onnx-cpu', endings: [], message: expect.stringContaining('as asked') },
      ],
    });
  });

  it('nothing is written into the log of a run that another trainer has taken over', async () => {
    const handle = await startRun(plan, options());
    await new Promise<void>((resolve) => handle.onEvent((event) => event.event === 'iteration' && resolve()));
    const lock = join(handle.folder, 'lock');
    // This very process, standing in for the other trainer, takes the lock as soon as the first one is gone.
    process.kill(handle.pid, 'SIGSEGV');
    for (;;) {
      const release = await takeLock(lock).catch(() => null);
      if (release) break;
    }
    const before = await readFile(join(handle.folder, 'events.jsonl'), 'utf8');
    expect(await handle.done).toMatchObject({ event: 'failed', ending: { how: 'SIGSEGV' } });
    expect(await readFile(join(handle.folder, 'events.jsonl'), 'utf8')).toBe(before);
  });

  it('a line that the trainer left unfinished is cut off before the mark', async () => {
    process.env['FAKE_STEP_MS'] = '40';
    const handle = await startRun(plan, options());
    await handle.checkpoint();
    process.kill(handle.pid, 'SIGSTOP');
    const log = join(handle.folder, 'events.jsonl');
    const whole = await readFile(log, 'utf8');
    await writeFile(log, '{"event":"batch","ti', { flag: 'a' });
    process.kill(handle.pid, 'SIGABRT');
    process.kill(handle.pid, 'SIGCONT');
    const last = await handle.done;
    const text = await readFile(log, 'utf8');
    expect(text.startsWith(whole)).toBe(true);
    expect(text.slice(whole.length).startsWith('{"event":"failed"')).toBe(true);
    expect((await history(handle.folder)).at(-1)).toEqual(last);
  });
});
