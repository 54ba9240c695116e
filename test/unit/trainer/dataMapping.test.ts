import { expect, it } from 'vitest';
import type { Part } from '../../../daemon/data/dataset.js';
import { drawSamples, isOpen, referenceOf } from '../../../daemon/trainer/dataMapping.js';

const softmax = (row: readonly number[]) => {
  const exps = row.map(Math.exp);
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((e) => e / sum);
};
const rows = [
  [2, -1, 0.5],
  [0, 3, 1],
];
const session = (output: readonly (readonly number[])[], outputShape: number[]) => ({
  outputShape,
  outputMask: async () => null,
  predict: async () => Float32Array.from(output.flat()),
});
const nothing = {} as Part;
const targets = [Float32Array.from([1, 0, 0, 0, 1, 0]), Float32Array.from([0, 0, 1, 1, 0, 0])];

it.each([
  ['probabilities', rows.map(softmax), false],
  ['logits', rows, true],
])('losses of each sample from %s, for each of several targets', async (_, output, fromLogits) => {
  const reference = referenceOf(session(output, [3]), { loss: 'categoricalCrossentropy', fromLogits }, () => nothing);
  expect(reference.chance).toBeCloseTo(Math.log(3), 12);
  const losses = reference.losses(await reference.predict([], 2), 2, targets);
  const log = rows.map((row) => softmax(row).map((p) => -Math.log(p)));
  const expected = [
    [log[0]![0], log[1]![1]],
    [log[0]![2], log[1]![0]],
  ];
  expected.flat().forEach((loss, i) => expect(losses.flat()[i]).toBeCloseTo(loss!, 5));
});

it('a yes/no output and positions of a sequence', async () => {
  const yes = referenceOf(session([[0.8], [0.1]], [1]), { loss: 'binaryCrossentropy' }, () => nothing);
  const [as, reversed] = yes.losses(await yes.predict([], 2), 2, [Float32Array.of(1, 0), Float32Array.of(0, 1)]);
  expect([...as!, ...reversed!].map((x) => Number(x.toFixed(5)))).toEqual(
    [0.8, 0.9, 0.2, 0.1].map((p) => Number((-Math.log(p)).toFixed(5))),
  );
  const sequence = referenceOf(
    session([rows.map(softmax).flat()], [2, 3]),
    { loss: 'categoricalCrossentropy' },
    () => nothing,
  );
  const [[loss]] = sequence.losses(await sequence.predict([], 1), 1, [targets[0]!]) as [[number]];
  const log = rows.map((row) => softmax(row).map((p) => -Math.log(p)));
  expect(loss).toBeCloseTo((log[0]![0]! + log[1]![1]!) / 2, 5);
});

it('padding is left out of the losses of a sequence', async () => {
  const padded = [...softmax(rows[0]!), 0.98, 0.01, 0.01, ...softmax(rows[1]!)];
  const sequence = referenceOf(session([padded], [3, 3]), { loss: 'categoricalCrossentropy' }, () => nothing);
  const target = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0);
  const [[loss]] = sequence.losses(await sequence.predict([], 1), 1, [target], Float32Array.of(1, 0, 1)) as [[number]];
  const log = rows.map((row) => softmax(row).map((p) => -Math.log(p)));
  // Over all three rows of a sample: what counts is known once all samples have been seen.
  expect(loss).toBeCloseTo((log[0]![0]! + log[1]![1]!) / 3, 5);
});

it('samples are drawn by the seed, in order, and all where they are few', () => {
  const split = { size: 1000 } as Part;
  const drawn = drawSamples(split, 100, 5);
  expect(drawn).toEqual(drawSamples(split, 100, 5));
  expect(drawn).not.toEqual(drawSamples(split, 100, 6));
  expect(new Set(drawn).size).toBe(100);
  expect([...drawn]).toEqual([...drawn].sort((a, b) => a - b));
  expect(drawSamples(split, 1000, 5).length).toBe(1000);
});

it('only a model that is given can decide, and only what the plan leaves open', () => {
  type Plan = Parameters<typeof isOpen>[0];
  const plan = (scale: 'auto' | 'unit', model: object = { path: 'm.json' }, epochs = 0) =>
    ({ data: { scale }, model, reference: { epochs } }) as Plan;
  const dataset = (encodings: number, range: 'unit' | null = 'unit') =>
    ({ encodings: Array(encodings).fill({}), range }) as never;
  expect(isOpen(plan('auto'), dataset(1))).toBe(true);
  // Inputs that are taken as stored leave no scale open.
  expect(isOpen(plan('auto'), dataset(1, null))).toBe(false);
  expect(isOpen(plan('unit'), dataset(2))).toBe(true);
  expect(isOpen(plan('unit'), dataset(1))).toBe(false);
  expect(isOpen(plan('auto', { architecture: 'lenet300' }), dataset(2))).toBe(false);
  expect(isOpen(plan('auto', { path: 'm.json' }, 5), dataset(2))).toBe(false);
});
