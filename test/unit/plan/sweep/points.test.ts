/** The points of a sweep: their order, their values, and the plan of each. */
import { parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { pointText, sweepPoints, valuesOf, withValues } from '../../../../daemon/plan/sweep/points.js';

describe('a list of values', () => {
  it('is numbers where they are numbers, and texts elsewhere', () => {
    expect(valuesOf('k', '10%, 0.5,1e-3,lc,true')).toEqual(['10%', 0.5, 0.001, 'lc', true]);
  });
  it('holds ranges of whole numbers', () => {
    expect(valuesOf('seed', '0..3')).toEqual([0, 1, 2, 3]);
    expect(valuesOf('seed', '-1..1,7')).toEqual([-1, 0, 1, 7]);
  });
  it.each([
    ['', 'empty value'],
    ['1,,2', 'empty value'],
    ['4..1', 'goes down; write 1..4'],
    ['0..2000000000', 'at most 1000'],
  ])('is refused: %j', (text, reason) => {
    expect(() => valuesOf('k', text)).toThrow(reason);
  });
});

describe('points', () => {
  it('are each value with each, the last key first', () => {
    expect(sweepPoints({ over: { 'budget.keep': '10%,5%', seed: [0, 1] } }).map(pointText)).toEqual([
      'budget.keep=10% seed=0',
      'budget.keep=10% seed=1',
      'budget.keep=5% seed=0',
      'budget.keep=5% seed=1',
    ]);
  });
  it('that are listed come with each value too', () => {
    const points = [{ 'schedule.a': 1.1, 'schedule.iterations': 30 }, { 'schedule.a': 1.5 }];
    expect(sweepPoints({ over: { seed: '0..1' }, points }).map(pointText)).toEqual([
      'schedule.a=1.1 schedule.iterations=30 seed=0',
      'schedule.a=1.1 schedule.iterations=30 seed=1',
      'schedule.a=1.5 seed=0',
      'schedule.a=1.5 seed=1',
    ]);
  });
  it('are refused where there is nothing to go over, a key is given twice, or they are too many', () => {
    expect(() => sweepPoints({ over: {} })).toThrow('goes over nothing');
    expect(() => sweepPoints({ over: { seed: '0' }, points: [{ seed: 1 }] })).toThrow(
      '"seed" is both in "over" and in "points"',
    );
    expect(() => sweepPoints({ over: { seed: '0..99', x: '1..11' } })).toThrow('1100 points');
  });
});

describe('the plan of a point', () => {
  const text = '{\n  // kept\n  "budget": { "keep": "1%" },\n  "tasks": [{ "name": "a" }]\n}';
  it('has the values in place of its own, or added, and its comments', () => {
    const changed = withValues(text, {
      'budget.keep': '5%',
      seed: 3,
      'tasks.0.name': 'b',
      'training.learningRate': 0.1,
    });
    expect(changed).toContain('// kept');
    expect(parse(changed)).toEqual({
      budget: { keep: '5%' },
      tasks: [{ name: 'b' }],
      seed: 3,
      training: { learningRate: 0.1 },
    });
  });
});
