import { describe, expect, it } from 'vitest';
import { Stopped } from '../../../daemon/trainer/process/control.js';
import { execute } from '../../../daemon/trainer/process/execute.js';
import type { RunState } from '../../../daemon/trainer/state.js';
import { fakeRun, PLAN } from './fakeRun.js';

const short = {
  ...PLAN,
  schedule: { ...PLAN.schedule, iterations: 4, tolerance: 0 },
  reference: { ...PLAN.reference, epochs: 2 },
};

/** A clock by which every step takes so long that the engine computes one at a time. */
const hurried = () => {
  let now = 0;
  return () => (now += 30_000);
};

describe.each(['lc', 'magnitude', 'gradual'] as const)('resuming %s', (method) => {
  const plan = { ...short, method, retrain: { ...PLAN.retrain, epochs: 1, batchSize: 8 } };

  it('gives the same bits from every checkpoint, wherever it was taken', async () => {
    const whole = await execute(fakeRun(plan), null);
    const checkpointed = fakeRun(plan, { now: hurried(), onStep: () => void checkpointed.control.checkpoint() });
    const { weights } = await execute(checkpointed, null);
    expect(weights).toEqual(whole.weights);
    const phases = new Set(checkpointed.saved.map(({ progress }) => progress.phase));
    expect(phases.size).toBe(method === 'magnitude' ? 2 : 3);
    expect(checkpointed.saved.length).toBeGreaterThan(50);
    for (const [i, state] of checkpointed.saved.entries()) {
      if (i % 7 !== 0 && i < checkpointed.saved.length - 3) continue;
      const resumed = await execute(fakeRun(plan), structuredClone(state));
      expect(resumed.weights, `from checkpoint ${i}`).toEqual(whole.weights);
      expect(resumed.statistics).toEqual(whole.statistics);
      expect(resumed.retrained).toEqual(whole.retrained);
      expect(resumed.reference).toEqual(whole.reference);
      expect(resumed.theta).toEqual(whole.theta);
    }
  });
});

describe('control', () => {
  it('stops at a step boundary with a checkpoint from which the run goes on as if nothing had happened', async () => {
    const whole = await execute(fakeRun(short), null);
    let state: RunState | null = null;
    let stops = 0;
    for (; stops < 100; stops++) {
      let steps = 0;
      const run = fakeRun(short, { onStep: () => void (++steps === 23 && run.control.stop('user')) });
      const ended = await execute(run, state).catch((error: unknown) => error);
      if (!(ended instanceof Stopped)) {
        expect((ended as typeof whole).weights).toEqual(whole.weights);
        break;
      }
      expect(ended.reason).toBe('user');
      state = run.saved.at(-1)!;
      expect(ended.step).toBe(state.progress.totalStep);
    }
    expect(stops).toBeGreaterThan(2);
    expect(stops).toBeLessThan(100);
  });

  it('pauses with a checkpoint, stays paused, and goes on to the same result', async () => {
    const whole = await execute(fakeRun(short), null);
    let paused: Promise<void> | null = null;
    const run = fakeRun(short, { onStep: () => void (paused ??= run.control.pause()) });
    const end = execute(run, null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await paused;
    expect(run.of('paused')).toHaveLength(1);
    const events = run.events.length;
    const checkpoints = run.saved.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(run.events.length).toBe(events);
    run.control.setBudget({ weights: 12 });
    await run.control.checkpoint();
    expect(run.saved.length).toBe(checkpoints + 1);
    expect(run.saved.at(-1)!.progress.pendingBudget).toEqual({ weights: 12 });
    run.control.resume();
    expect((await end).weights).toEqual(whole.weights);
    expect(run.of('start').map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  it('stops while paused', async () => {
    let asked = false;
    const run = fakeRun(short, {
      onStep() {
        if (asked) return;
        asked = true;
        void run.control.pause().then(() => run.control.stop('shutdown'));
      },
    });
    await expect(execute(run, null)).rejects.toMatchObject({ name: 'Stopped', reason: 'shutdown' });
  });

  it('writes a checkpoint on request', async () => {
    let checkpoint: Promise<void> | null = null;
    const run = fakeRun(short, { onStep: () => void (checkpoint ??= run.control.checkpoint()) });
    const end = execute(run, null);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await checkpoint;
    expect(run.saved.some(({ progress }) => progress.step > 0 && progress.phase === 'reference')).toBe(true);
    await end;
  });

  it('takes a new budget at the next iteration, also across a resumption', async () => {
    for (const interrupt of [false, true]) {
      let steps = 0;
      const run = fakeRun(short, {
        onStep() {
          steps += 1;
          // In the second L step.
          if (steps === 60) run.control.setBudget({ weights: 6 });
          if (steps === 61 && interrupt) run.control.stop('user');
        },
      });
      const first = await execute(run, null).catch((error: unknown) => error);
      const last = interrupt ? fakeRun(short) : run;
      if (interrupt) {
        expect(first).toBeInstanceOf(Stopped);
        await execute(last, run.saved.at(-1)!);
      }
      expect(last.of('budget')).toEqual([{ event: 'budget', budget: { weights: 6 }, iteration: 2 }]);
      const kept = [...(interrupt ? run.of('iteration') : []), ...last.of('iteration')].map((event) => event.kept);
      expect(kept).toEqual([12, 12, 6, 6]);
    }
  });

  it('refuses a budget that comes too late or cannot be met', async () => {
    const run = fakeRun(short);
    await execute(run, null);
    expect(() => run.control.setBudget({ weights: 6 })).toThrow(/iterations of this run are over/);
    expect(() => run.tasks({ weights: 1000 })).toThrow(/most is 80/);
  });
});

describe('divergence', () => {
  it('goes back to the last C step with half the learning rate, says so, and still ends', async () => {
    const plan = { ...short, training: { ...PLAN.training, learningRate: 0.4, decay: 1 } };
    const run = fakeRun(plan, { divergesAbove: 0.15 });
    const { weights } = await execute(run, null);
    expect(weights.every(Number.isFinite)).toBe(true);
    const warnings = run.of('warning');
    expect(warnings.map(({ code }) => code)).toEqual(['diverged', 'diverged']);
    expect(warnings[1]!.message).toContain('0.1');
    const wanted = run.saved.filter(
      ({ progress }) => progress.phase === 'l-step' && progress.step === 0 && progress.iteration === 0,
    );
    // The state after going back is that of the beginning, but for the rate.
    expect(wanted.map(({ progress }) => progress.rateScale)).toEqual([1, 0.5, 0.25]);
    expect(wanted[2]!.vectors.w).toEqual(wanted[0]!.vectors.w);
    expect(wanted[2]!.vectors.statistics).toEqual(wanted[0]!.vectors.statistics);
    expect(wanted[2]!.progress.random).toEqual(wanted[0]!.progress.random);
  });

  it('is resumed in the middle with the same result', async () => {
    const plan = { ...short, training: { ...PLAN.training, learningRate: 0.4, decay: 1 } };
    const whole = await execute(fakeRun(plan, { divergesAbove: 0.15 }), null);
    const run = fakeRun(plan, { divergesAbove: 0.15, now: hurried() });
    await execute(run, null);
    for (const state of run.saved.filter((_, i) => i % 9 === 0)) {
      const resumed = await execute(fakeRun(plan, { divergesAbove: 0.15 }), state);
      expect(resumed.weights).toEqual(whole.weights);
    }
  });

  it('fails clearly when smaller rates do not help', async () => {
    const run = fakeRun(short, { divergesAbove: 0 });
    await expect(execute(run, null)).rejects.toMatchObject({
      code: 'diverged',
      message: expect.stringContaining('learningRate'),
    });
    expect(run.of('warning')).toHaveLength(8);
  });

  it('notices weights that explode without becoming NaN', async () => {
    const run = fakeRun({
      ...short,
      training: { ...PLAN.training, learningRate: 1e5, decay: 1, momentum: 0 },
      schedule: { ...short.schedule, mu0: 1e-8 },
    });
    const ended = await execute(run, null).catch((error: unknown) => error);
    expect(run.of('warning')[0]!.code).toBe('diverged');
    if (ended instanceof Error) expect(ended).toMatchObject({ code: 'diverged' });
  });
});
