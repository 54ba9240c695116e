// @vitest-environment node
import { beforeAll, describe, expect, it } from 'vitest';
import type { PathPoint } from '../../../daemon/protocol/events.js';
import type { RunView } from '../../../webview/messages/monitor.js';

// strings.ts reads the page's translations when it loads.
(globalThis as { document?: unknown }).document = { getElementById: () => null };
let curve: typeof import('../../../webview/pathCard/pathCurve.js');
beforeAll(async () => {
  curve = await import('../../../webview/pathCard/pathCurve.js');
});

const evaluation = (error: number | null) => ({ loss: 0.1, error, samples: 100 });
const point = (index: number, kept: number, error: number | null): PathPoint => ({
  point: index,
  budget: { weights: kept },
  from: index === 0 ? null : index - 1,
  kept,
  prunable: 1000,
  perLayer: [],
  bytes: 4 * kept,
  theta: evaluation(error),
  retrained: evaluation(error),
  decision: error,
  epochs: 10,
  seconds: 1,
});
const view = (id: string, points: PathPoint[] | null, answer: number | null = null) =>
  ({
    id,
    ...(points && {
      path: {
        points,
        total: 3,
        answer:
          answer === null ? null : { point: answer, set: 'test', reference: 0.01, maxErrorIncrease: 0.01, met: true },
      },
    }),
  }) as unknown as RunView;

describe('the curve of a path', () => {
  it('is of runs with finished points, small to large, without points that have no error', () => {
    const runs = curve.pathRuns([
      view('plain', null),
      view('empty', []),
      view('path', [point(0, 100, 0.02), point(1, 10, null), point(2, 50, 0.03)]),
    ]);
    expect(runs.map(({ view: { id }, points }) => [id, points.map(({ kept }) => kept)])).toEqual([['path', [50, 100]]]);
  });

  it('begins at the answer, before it at the latest point', () => {
    const points = [point(0, 100, 0.02), point(1, 10, 0.5), point(2, 50, 0.03)];
    expect(curve.firstChoice(curve.pathRuns([view('a', points)])[0]!).point).toBe(2);
    expect(curve.firstChoice(curve.pathRuns([view('a', points, 0)])[0]!).point).toBe(0);
  });

  it('a place on the axis means the point nearest to it on the log scale', () => {
    const points = [point(2, 10, 0.1), point(1, 100, 0.1), point(0, 1000, 0.1)];
    const x = curve.logScale(0.01, 1, 50, 250);
    for (const [i, one] of points.entries())
      expect(curve.nearestPoint(points, x.of(x.at(curve.shareOf(one)) + 49))).toBe(i);
    expect(curve.nearestPoint(points, x.of(x.at(0.1) + 51))).toBe(2);
    expect(curve.nearestPoint(points, x.of(-1e6))).toBe(0);
  });

  it('scales and their inverses agree; ticks lie inside, also of a single value', () => {
    for (const scale of [
      curve.logScale(0.005, 0.1, 0, 100),
      curve.linearScale(0.01, 0.05, 100, 0),
      curve.logScale(0.1, 0.1, 0, 9),
      curve.linearScale(0.02, 0.02, 0, 9),
    ]) {
      for (const tick of scale.ticks) {
        expect(scale.of(scale.at(tick))).toBeCloseTo(tick, 10);
        expect(scale.at(tick)).toBeGreaterThan(-1e-6);
        expect(scale.at(tick)).toBeLessThan(100 + 1e-6);
      }
      expect(scale.ticks.length).toBeGreaterThan(0);
    }
    expect(curve.logScale(0.005, 0.1, 0, 100).ticks).toEqual([0.005, 0.01, 0.02, 0.05, 0.1]);
  });

  it('describes a point in one line', () => {
    expect(curve.pointText(point(0, 100, 0.02), { referenceError: 0.015, errorSet: 'test' })).toBe(
      '10.00% kept: 100 weights, 400 B as a sparse package, test error 2.00% (reference 1.50%)',
    );
    expect(curve.pointText({ ...point(0, 100, 0.02), bytes: null }, { referenceError: null, errorSet: null })).toBe(
      '10.00% kept: 100 weights, error 2.00%',
    );
  });
});
