import { afterAll, describe, expect, it } from 'vitest';
import { classWeights } from '../../../daemon/data/labels/classWeights.js';
import type { DataRequirements } from '../../../daemon/data/dataset.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { parsePlan } from '../../../daemon/plan/parsePlan.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import { classifier, dataConfig, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const labels = Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 'rare' : i % 2 ? 'odd' : 'even'));
workspace.write('table.csv', ['x,label', ...labels.map((label, i) => `${i},${label}`)].join('\n'));
const open = (
  wanted: ResolvedData['classWeights'],
  requirements: DataRequirements = classifier([1], 3),
  more: Partial<ResolvedData> = {},
) =>
  openDataset(dataConfig('table.csv', { classWeights: wanted, validation: 0.25, ...more }), requirements, {
    workspace: workspace.folder,
    seed: 3,
  });

describe('class weights', () => {
  it('balanced: inverse to the share of the training part alone, 1 on average over its samples', async () => {
    const dataset = await open('balanced');
    const { targets } = await readAll(dataset, dataset.train);
    const counts = [0, 1, 2].map((k) => targets.filter((t) => t[k] === 1).length);
    expect(dataset.classes).toEqual(['even', 'odd', 'rare']);
    const weights = dataset.classWeights!;
    counts.forEach((n, k) => expect(weights[k]).toBeCloseTo(targets.length / (3 * n), 12));
    const sum = targets.reduce((total, t) => total + weights[t.indexOf(1)]!, 0);
    expect(sum / targets.length).toBeCloseTo(1, 12);
    expect(dataset.notes.join(' ')).toMatch(/Classes weigh in the training loss: "even" .*"rare" .* are unweighted/);
  });

  it('by label, 1 for the others, and they follow the classes into another order', async () => {
    const dataset = await open({ rare: 4, odd: 0.5 });
    expect(dataset.classWeights).toEqual([1, 0.5, 4]);
    const appearance = dataset.encodings.find(({ order }) => order === 'appearance')!;
    const other = await dataset.withMapping({ encoding: appearance });
    expect(other.classes).toEqual(['rare', 'odd', 'even']);
    expect(other.classWeights).toEqual([4, 0.5, 1]);
    expect((await open(null)).classWeights).toBeNull();
  });

  it('a class without samples weighs 1 under "balanced"', () => {
    const data = { counts: [2, 0, 6], where: 'here' };
    expect(classWeights('balanced', ['a', 'b', 'c'], data)!.weights).toEqual([2, 1, 8 / 12]);
  });

  it('of a single yes/no output: [no, yes]', async () => {
    workspace.write('two.csv', ['x,label', ...labels.map((l, i) => `${i},${l === 'rare' ? 'yes' : 'no'}`)].join('\n'));
    const requirements = { inputShapes: [[1]], outputShape: [1], classification: true };
    const dataset = await open({ yes: 9 }, requirements, { source: 'two.csv' });
    expect(dataset.classWeights).toEqual([1, 9]);
  });

  it('errors list the labels; targets without classes, and weights that leave nothing, are errors', async () => {
    expect(await messageOf(open({ Rare: 2 }))).toMatch(
      /table\.csv.*"classWeights" names labels that the data does not have: "Rare"; its labels are "even", "odd", "rare"/,
    );
    expect(await messageOf(open({ toString: 2 } as never))).toMatch(/does not have: "toString"/);
    expect(await messageOf(open({ even: 0, odd: 0, rare: 0 }))).toMatch(/leaves no sample with a weight above 0/);
    const number = { inputShapes: [[1]], outputShape: [1], classification: false };
    workspace.write('number.csv', 'x,y\n1,0.5\n2,1.5\n3,0.25\n4,2\n5,1\n');
    expect(await messageOf(open('balanced', number, { source: 'number.csv' }))).toMatch(/one class each.*remove it/);
    workspace.write('multi.csv', 'x,p,q\n1,1,1\n2,0,1\n3,1,0\n4,0,0\n5,1,1\n');
    const both = { inputShapes: [[1]], outputShape: [2], classification: true };
    const several = open('balanced', both, { source: 'multi.csv', labels: ['p', 'q'] });
    expect(await messageOf(several)).toMatch(/one class each/);
  });

  it('a plan takes "balanced" or weights of 0 and above', () => {
    const problems = (weights: unknown) =>
      parsePlan(
        JSON.stringify({ model: 'm', data: { source: 'd', classWeights: weights }, budget: { keep: '1%' } }),
      ).problems.map(({ message }) => message);
    expect(problems('balanced')).toEqual([]);
    expect(problems({ a: 0, b: 2.5 })).toEqual([]);
    expect(problems({ a: -1 })[0]).toMatch(/data\.classWeights\.a/);
    expect(problems('equal').length).toBe(1);
  });
});
