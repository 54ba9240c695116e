/** Means, deviations, the best rows, and who shares a reference. */
import { describe, expect, it } from 'vitest';
import type { ResolvedPlan } from '../../../../daemon/protocol/resolvedPlan.js';
import { sharedReferences } from '../../../../daemon/runs/sweeps/references.js';
import { spreadOf, withBest } from '../../../../daemon/runs/sweeps/results.js';
import { sweepCsv, sweepMarkdown, sweepTable } from '../../../../daemon/runs/sweeps/table.js';

const row = (kept: number, error: number | null, values = {}) => ({
  values,
  method: 'lc',
  runs: 2,
  folders: [],
  kept,
  prunable: 100,
  bytes: 2048,
  reference: { mean: 0.1, deviation: 0 },
  theta: { mean: 0.3, deviation: null },
  error: { mean: error, deviation: 0.01 },
  decision: { mean: null, deviation: null },
  seconds: 3,
});

describe('the spread of values', () => {
  it('is their mean and sample standard deviation', () => {
    expect(spreadOf([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3) });
    expect(spreadOf([7])).toEqual({ mean: 7, deviation: null });
    expect(spreadOf([7, null, 9])).toEqual({ mean: 8, deviation: Math.SQRT2 });
    expect(spreadOf([null])).toEqual({ mean: null, deviation: null });
  });
});

describe('the best rows', () => {
  it('are those that no other one beats in both error and weights', () => {
    const best = withBest([row(10, 0.2), row(5, 0.2), row(2, 0.3), row(2, 0.4), row(1, null), row(20, 0.1)]);
    expect(best.map((one) => one.best)).toEqual([false, true, true, false, true, true]);
  });
  it('are compared by the error on held-out data, where every row has one', () => {
    const held = (kept: number, error: number, decision: number | null) => ({
      ...row(kept, error),
      decision: { mean: decision, deviation: null },
    });
    const marks = (rows: Parameters<typeof withBest>[0]) => withBest(rows).map(({ best }) => best);
    expect(marks([held(10, 0.2, 0.1), held(5, 0.1, 0.2)])).toEqual([true, true]);
    expect(marks([held(5, 0.2, 0.1), held(10, 0.1, 0.2)])).toEqual([true, false]);
    expect(marks([held(5, 0.2, 0.1), held(10, 0.1, null)])).toEqual([true, true]);
  });
});

describe('the table', () => {
  const results = {
    rows: withBest([row(10, 0.2, { 'budget.keep': '10%' }), row(5, 0.3, { note: 'a|b,"c"' })]),
    set: 'test' as const,
  };
  it('has a column for each key, and says what the errors are of', () => {
    const { header, cells } = sweepTable(results);
    expect(header.slice(0, 4)).toEqual(['budget.keep', 'note', 'method', 'runs']);
    expect(cells[0]).toEqual([
      '10%',
      '',
      'lc',
      '2',
      '10.00%',
      '2 kB',
      '10.00% ± 0.00%',
      '30.00%',
      '20.00% ± 1.00%',
      '3 s',
      '*',
    ]);
    const markdown = sweepMarkdown('tiny', results);
    expect(markdown).toContain('| a\\|b,"c" |');
    expect(markdown).toContain('Errors of the test part of the data');
  });
  it('is a CSV without units', () => {
    const lines = sweepCsv(results).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^budget\.keep,note,method,runs,kept,.*,error deviation$/);
    expect(lines[1]).toBe('10%,,lc,2,0.1,2048,0.1,0.3,0.2,3,1,0,,0.01');
    expect(lines[2]).toContain(',"a|b,""c""",lc');
  });
});

describe('points that train the same reference', () => {
  const plan = (change: object) =>
    ({
      model: { architecture: 'lenet300' },
      data: { source: 'mnist' },
      reference: { epochs: 3 },
      engine: 'auto',
      seed: 0,
      tasks: [],
      ...change,
    }) as unknown as ResolvedPlan;
  it('begin with that of the first; another seed or rate trains its own, and a model with weights none', () => {
    const plans = [
      plan({}),
      plan({ tasks: ['other budget'], schedule: { a: 1.1 } }),
      plan({ seed: 1 }),
      plan({ seed: 1, tasks: ['other budget'] }),
      plan({ reference: { epochs: 4 } }),
      plan({ reference: { epochs: 0 } }),
      plan({ reference: { epochs: 0 } }),
      plan({ reference: { epochs: 0 }, open: ['reference.epochs'] }),
      plan({ reference: { epochs: 0 }, open: ['reference.epochs', 'schedule.epochs'] }),
    ];
    expect(sharedReferences(plans)).toEqual([null, 0, null, 2, null, null, null, null, 7]);
  });
});
