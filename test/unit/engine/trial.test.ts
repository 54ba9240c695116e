import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EngineSession } from '../../../daemon/engine/engine.js';
import { trialRates, type Batch } from '../../../daemon/engine/trial.js';

/** A clock that only steps move on. */
let now = 0;
const batch: Batch = { inputs: [], target: new Float32Array(0), size: 10 };

/** An engine whose steps take `times`, the last of them for all that follow; counts them. */
function timed(...times: number[]) {
  const session = {
    steps: 0,
    getRandomState: () => [],
    setRandomState: () => undefined,
    gradient: async () => {
      now += times[Math.min(session.steps++, times.length - 1)]!;
      return { loss: 0, gradient: new Float32Array(0) };
    },
  };
  return session as typeof session & EngineSession;
}

async function rates(first: EngineSession, second: EngineSession, known?: number) {
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return trialRates([first, second], batch, 'training', known);
}

afterEach(() => vi.restoreAllMocks());

describe('the trial of two engines', () => {
  it('is a look where one of them is clearly faster, either way: the user waits for the first point', async () => {
    for (const [a, b] of [
      [1, 5],
      [5, 1],
    ] as const) {
      const [first, second] = [timed(a), timed(b)];
      expect(await rates(first, second)).toEqual([10_000 / a, 10_000 / b]);
      expect([first.steps, second.steps]).toEqual([30 / a, 30 / b]);
    }
  });

  it('is as long as before where they are close', async () => {
    const [first, second] = [timed(1), timed(2)];
    expect(await rates(first, second)).toEqual([10_000, 5_000]);
    expect([first.steps, second.steps]).toEqual([150, 75]);
  });

  it('does not rely on a step or two, which may have been interrupted', async () => {
    const [first, second] = [timed(100, 1), timed(5)];
    expect(await rates(first, second)).toEqual([10_000, 2_000]);
  });

  it('looks again where an engine is absurdly fast: the other one was put aside', async () => {
    const [first, second] = [timed(1), timed(50, 50, 50, 2)];
    expect(await rates(first, second)).toEqual([10_000, 5_000]);
  });

  it('times the second engine once where its rate is known and nothing is close', async () => {
    const [first, second] = [timed(1), timed(5)];
    expect(await rates(first, second, 2_000)).toEqual([10_000, 2_000]);
    expect(second.steps).toBe(0);
  });
});
