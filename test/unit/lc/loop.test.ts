import { describe, expect, it } from 'vitest';
import { cStep, costs, directCompression } from '../../../daemon/lc/cStep.js';
import type { CompressionTask } from '../../../daemon/lc/compression.js';
import { l0Constraint, l0Penalty } from '../../../daemon/lc/projections/l0.js';
import { l1Constraint, l1Penalty } from '../../../daemon/lc/projections/l1.js';
import { l2Constraint } from '../../../daemon/lc/projections/l2.js';
import { penaltyTarget, updateMultipliers } from '../../../daemon/lc/multipliers.js';
import { createStopTest, distance, updateSupport } from '../../../daemon/lc/stopTest.js';
import { nonZeros } from './oracles.js';
import { Regression, global, lcLoop, supportOf } from './regression.js';

describe('the LC loop on least squares with exact L steps', () => {
  const size = 10;

  it('after every L step lambda_old - mu (w - theta_old) = dL/dw', () => {
    const problem = new Regression(size, 1);
    lcLoop(problem, global(size, l0Constraint(4, size)), {}, ({ mu, w, thetaBefore, lambdaBefore }) => {
      const gradient = problem.gradient(w);
      // w is stored in float32, so the difference carries mu * 2^-24 * |w|.
      for (let i = 0; i < size; i++) {
        const left = lambdaBefore[i]! - mu * (w[i]! - thetaBefore[i]!);
        expect(Math.abs(left - gradient[i]!)).toBeLessThan(1e-5 * (1 + mu));
      }
    });
  });

  it('the C step is iterative hard thresholding: theta = H_kappa(theta_old - dL/dw / mu)', () => {
    const problem = new Regression(size, 2);
    lcLoop(problem, global(size, l0Constraint(4, size)), {}, ({ mu, w, thetaBefore, theta }) => {
      const gradient = problem.gradient(w);
      const step = [...thetaBefore].map((x, i) => x - gradient[i]! / mu);
      const kept = [...step.keys()].sort((i, j) => Math.abs(step[j]!) - Math.abs(step[i]!)).slice(0, 4);
      expect(supportOf(theta)).toEqual(kept.sort((i, j) => i - j));
      for (const i of kept) expect(theta[i]).toBeCloseTo(step[i]!, 4);
    });
  });

  it('at the end w = theta, lambda = dL/dw, and lambda is 0 on the survivors', () => {
    for (const seed of [1, 2, 3, 4]) {
      const problem = new Regression(size, seed);
      const tasks = global(size, l0Constraint(4, size));
      const { w, theta, lambda } = lcLoop(problem, tasks);
      expect(distance(tasks, w, theta).ratio).toBeLessThan(1e-3);
      const gradient = problem.gradient(w);
      for (let i = 0; i < size; i++) {
        expect(lambda[i]).toBeCloseTo(gradient[i]!, 2);
        if (theta[i] !== 0) expect(lambda[i]).toBeCloseTo(0, 2);
      }
    }
  });

  it('finds the best subset of brute force on most problems, a near one on all, and never loses to direct compression', () => {
    let best = 0;
    let direct = 0;
    const problems = 20;
    for (let seed = 0; seed < problems; seed++) {
      const problem = new Regression(size, 100 + seed);
      const { theta } = lcLoop(problem, global(size, l0Constraint(3, size)));
      const reached = problem.restricted(supportOf(theta));
      const optimum = problem.bestSubset(3);
      const magnitude = problem.reference();
      directCompression(global(size, l0Constraint(3, size)), problem.reference(), magnitude);
      const pruned = problem.restricted(supportOf(magnitude));
      expect(reached).toBeGreaterThanOrEqual(optimum - 1e-9);
      expect(reached).toBeLessThanOrEqual(pruned + 1e-9);
      if (reached < optimum + 1e-7) best++;
      if (pruned < optimum + 1e-7) direct++;
    }
    expect(best).toBeGreaterThanOrEqual(0.8 * problems);
    expect(best).toBeGreaterThan(direct);
  });

  it('QP, without multipliers, also brings w and theta together', () => {
    const problem = new Regression(size, 3);
    const tasks = global(size, l0Constraint(4, size));
    const { w, theta, lambda } = lcLoop(problem, tasks, { multipliers: 'QP', iterations: 120 });
    expect(distance(tasks, w, theta).ratio).toBeLessThan(1e-3);
    expect(nonZeros(theta)).toBe(4);
    expect(lambda).toEqual(new Float32Array(size));
  });

  it('l1 penalty: the lasso solution by its optimality conditions', () => {
    const problem = new Regression(size, 5);
    const alpha = 0.3;
    const { theta } = lcLoop(problem, global(size, l1Penalty(alpha)), { iterations: 60 });
    const gradient = problem.gradient(theta);
    expect(nonZeros(theta)).toBeLessThan(size);
    for (let i = 0; i < size; i++) {
      if (theta[i] !== 0) expect(gradient[i]).toBeCloseTo(-alpha * Math.sign(theta[i]!), 2);
      else expect(Math.abs(gradient[i]!)).toBeLessThan(alpha + 1e-2);
    }
  });

  it('l2 constraint: the gradient points along -theta on the ball; l1 constraint: on the ball', () => {
    const problem = new Regression(size, 6);
    const { theta } = lcLoop(problem, global(size, l2Constraint(1)), { iterations: 60 });
    expect(theta.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 3);
    const gradient = problem.gradient(theta);
    const ratio = gradient[0]! / theta[0]!;
    expect(ratio).toBeLessThan(0);
    for (let i = 0; i < size; i++) expect(gradient[i]).toBeCloseTo(ratio * theta[i]!, 2);

    const l1 = lcLoop(problem, global(size, l1Constraint(2)), { iterations: 60 });
    expect(l1.theta.reduce((sum, x) => sum + Math.abs(x), 0)).toBeCloseTo(2, 3);
  });

  it('l0 penalty: no single weight can be dropped with profit', () => {
    const problem = new Regression(size, 7);
    const alpha = 0.05;
    const { theta } = lcLoop(problem, global(size, l0Penalty(alpha)));
    const support = supportOf(theta);
    const objective = (kept: number[]) => problem.restricted(kept) + alpha * kept.length;
    expect(support.length).toBeGreaterThan(0);
    expect(support.length).toBeLessThan(size);
    for (const i of support) expect(objective(support)).toBeLessThan(objective(support.filter((k) => k !== i)) + 1e-6);
  });

  it('several tasks: each has its budget, and weights of no task are free', () => {
    const problem = new Regression(size, 8);
    const tasks: CompressionTask[] = [
      // Ranges apart from one another: gathered; and the rest in one piece.
      {
        name: 'a',
        ranges: [
          { start: 0, end: 2 },
          { start: 5, end: 8 },
        ],
        compression: l0Constraint(2, 5),
      },
      {
        name: 'b',
        ranges: [
          { start: 2, end: 4 },
          { start: 4, end: 5 },
        ],
        compression: l0Constraint(1, 3),
      },
    ];
    const w = problem.reference();
    const theta = new Float32Array(size).fill(7);
    directCompression(tasks, w, theta);
    expect(costs(tasks, theta)).toEqual([2, 1]);
    expect([theta[8], theta[9]]).toEqual([7, 7]);
    const largest = [0, 1, 5, 6, 7].sort((i, j) => Math.abs(w[j]!) - Math.abs(w[i]!)).slice(0, 2);
    for (const i of largest) expect(theta[i]).toBe(w[i]);

    const lambda = new Float32Array(size);
    updateMultipliers(tasks, lambda, 2, w, theta);
    for (let i = 0; i < 8; i++) expect(lambda[i]).toBe(Math.fround(2 * (theta[i]! - w[i]!)));
    expect([lambda[8], lambda[9]]).toEqual([0, 0]);
    const target = new Float32Array(size).fill(5);
    penaltyTarget(tasks, theta, lambda, 2, target);
    for (let i = 0; i < 8; i++) expect(target[i]).toBeCloseTo(theta[i]! + lambda[i]! / 2, 6);
    expect([target[8], target[9]]).toEqual([5, 5]);
    penaltyTarget(tasks, theta, null, 2, target);
    expect(target.slice(0, 8)).toEqual(theta.slice(0, 8));
  });

  it('refuses mu <= 0 with multipliers, and direct compression of a penalty without mu', () => {
    const tasks = global(2, l0Penalty(1));
    const w = Float32Array.of(1, 2);
    expect(() => cStep(tasks, w, new Float32Array(2), 0, new Float32Array(2))).toThrow(RangeError);
    expect(() => directCompression(tasks, w, new Float32Array(2))).toThrow(/mu/);
  });
});

describe('the stop test', () => {
  const tasks = global(4, l0Constraint(2, 4));

  it('measures ||w - theta|| and its ratio to ||w||', () => {
    const { distance: d, ratio } = distance(tasks, Float32Array.of(3, 0, 4, 0), Float32Array.of(3, 0, 0, 0));
    expect(d).toBe(4);
    expect(ratio).toBe(0.8);
    expect(distance(tasks, new Float32Array(4), new Float32Array(4)).ratio).toBe(0);
  });

  it('counts changes of the support, in the tasks only', () => {
    const support = new Uint8Array(5);
    expect(updateSupport(tasks, Float32Array.of(1, 0, 2, 0, 9), support)).toBe(2);
    expect([...support]).toEqual([1, 0, 1, 0, 0]);
    expect(updateSupport(tasks, Float32Array.of(-1, 3, 0, 0, 0), support)).toBe(2);
    expect(updateSupport(tasks, Float32Array.of(5, 6, 0, 0, 0), support)).toBe(0);
  });

  it('needs both a small ratio and a support stable for long enough, and continues from its state', () => {
    const settings = { tolerance: 0.01, stableIterations: 2 };
    const test = createStopTest(settings);
    expect(test.update(0.001, 0, 9)).toBe(false);
    expect(test.update(0.001, 1, 9)).toBe(false);
    expect(test.update(0.5, 0, 9)).toBe(false);
    const resumed = createStopTest(settings, JSON.parse(JSON.stringify(test.state)) as { stable: number });
    expect(resumed.update(0.5, 0, 9)).toBe(false);
    expect(resumed.update(0.009, 0, 9)).toBe(true);
    expect(test.update(0.009, 0, 9)).toBe(true);
    // Of many kept weights a few change places at every C step: up to a tenth is stable.
    const large = createStopTest(settings);
    expect(large.update(0.009, 100, 1000)).toBe(false);
    expect(large.update(0.009, 100, 1000)).toBe(true);
    expect(large.update(0.009, 101, 1000)).toBe(false);
  });
});
