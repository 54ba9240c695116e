import { describe, expect, it } from 'vitest';
import { REFERENCE, RETRAIN, SCHEDULE } from '../../../daemon/plan/defaults.js';
import { plannedTime, proposeTimes, secondsOfRun } from '../../../daemon/plan/proposeTimes.js';
import { aboutTime } from '../../../daemon/protocol/outlookText.js';

const plan = { schedule: SCHEDULE, retrain: RETRAIN };
const pace = (samplesPerSecond: number) => ({ samplesPerSecond, train: 60_000, held: 10_000 });

describe('proposeTimes', () => {
  it('is the usual length where that takes five minutes at most, and a quarter of it', () => {
    const [first, quick, ...rest] = proposeTimes(plan, pace(100_000));
    expect(first).toMatchObject({ iterations: 40, epochs: 3, retrainEpochs: 20 });
    // 60,000 samples x 140 epochs at 100,000 a second, and what is evaluated.
    expect(first!.seconds).toBeGreaterThan(84);
    expect(first!.seconds).toBeLessThan(100);
    expect(first!.text).toMatch(/^about \d+ (s|min): 40 iterations of 3 epochs, 20 epochs of retraining$/);
    expect(quick!.seconds).toBeLessThan(first!.seconds / 3);
    expect(rest).toEqual([]);
  });

  it.each([20_000, 5_000, 1_000, 200, 20])(
    'fits into five minutes at %d samples a second, and offers the usual one',
    (rate) => {
      const proposals = proposeTimes(plan, pace(rate));
      const [first] = proposals;
      expect(first!.iterations).toBeGreaterThanOrEqual(15);
      expect(first!.epochs).toBeLessThanOrEqual(3);
      const usual = proposals.at(-1)!;
      expect(usual).toMatchObject({ iterations: 40, epochs: 3, retrainEpochs: 20 });
      expect(usual.seconds).toBeGreaterThan(300);
      // The number of evaluations is fixed, so a very slow model still takes longer.
      if (rate >= 5_000) expect(first!.seconds).toBeLessThan(330);
      expect(first!.seconds).toBeLessThan(usual.seconds);
    },
  );

  it('never asks for more than the plan does, whatever that is', () => {
    const short = { schedule: { ...SCHEDULE, iterations: 4, epochs: 1 }, retrain: { ...RETRAIN, epochs: 0 } };
    for (const proposal of proposeTimes(short, pace(100))) {
      expect(proposal.iterations).toBeLessThanOrEqual(4);
      expect(proposal.epochs).toBeLessThanOrEqual(1);
      expect(proposal.epochs).toBeGreaterThan(0);
      expect(proposal.retrainEpochs).toBe(0);
    }
  });

  it('says times as a guess', () => {
    expect([0.2, 3.4, 42, 89, 100, 260, 5_000, 5_500, 40_000].map(aboutTime)).toEqual([
      'about 1 s',
      'about 3 s',
      'about 40 s',
      'about 90 s',
      'about 2 min',
      'about 4 min',
      'about 83 min',
      'about 1.5 h',
      'about 11 h',
    ]);
  });
});

describe('plannedTime', () => {
  it('is of the plan as it stands, however long, with the training of its reference', () => {
    const at = pace(1_000);
    const given = plannedTime({ ...plan, reference: { ...REFERENCE, epochs: 0 } }, at);
    expect(given).toEqual(proposeTimes(plan, at).at(-1));
    const trained = plannedTime({ ...plan, reference: { ...REFERENCE, epochs: 10 } }, at);
    // Ten passes over 60,000 samples, and ten without gradients over 10,000.
    expect(trained.seconds - given.seconds).toBeCloseTo((10 * (60_000 + 10_000 / 3)) / 1_000, 6);
    expect(trained.text).toContain('10 epochs for the reference, 40 iterations of 3 epochs');
  });
});

describe('secondsOfRun', () => {
  it('of a path is less than that of as many runs, more with a bound, and grows by the warm part for each budget', () => {
    const budgets = [{ keep: '10%' }, { keep: '5%' }, { keep: '1%' }];
    const path = { budgets, warmStart: 0.7, maxErrorIncrease: null, maxError: null, refinements: 4 };
    const slow = pace(10_000);
    const given = { ...plan, reference: { ...REFERENCE, epochs: 0 } };
    const one = secondsOfRun({ ...given }, slow);
    const curve = secondsOfRun({ ...given, path }, slow);
    const search = secondsOfRun({ ...given, path: { ...path, maxError: 0.03 } }, slow);
    // 60,000 samples x (12 iterations of 3 epochs and 20 of retraining) at 10,000 a second, and what is evaluated.
    const warm = (curve - one) / 2;
    expect(warm).toBeGreaterThan(6 * 56);
    expect(warm).toBeLessThan(1.3 * 6 * 56);
    expect(search - curve).toBeCloseTo(4 * warm, 6);
  });
});
