/** The comparisons of two networks' answers against plain loops over the raw outputs. */
import { describe, expect, it } from 'vitest';
import type { EvaluatedBatch } from '../../../../daemon/engine/engine.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { MATRIX_CLASSES } from '../../../../daemon/protocol/whatChanged.js';
import { Answers, type AnswerForm } from '../../../../daemon/trainer/whatChanged/answers.js';
import { chooseSamples, type Scored } from '../../../../daemon/trainer/whatChanged/changedSamples.js';
import { changedClasses, classChanges } from '../../../../daemon/trainer/whatChanged/classChanges.js';
import { changedLabels, labelChanges } from '../../../../daemon/trainer/whatChanged/labelChanges.js';
import { changedNumbers, numberChanges, residualsOf } from '../../../../daemon/trainer/whatChanged/numberChanges.js';
import { asStored, inputForms } from '../../../../daemon/trainer/whatChanged/inputForms.js';

const random = createRandom(11);
const floats = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * random.normal());
const name = (i: number) => `n${i}`;

/** Batches of 7, in a buffer that is longer than the batch. */
function gathered(form: AnswerForm, values: Float32Array, target: Float32Array, head: EvaluatedBatch['head'], mask: Float32Array | null = null): Answers {
  const answers = new Answers(form);
  const size = form.positions * form.width;
  for (let start = 0; start < form.samples; start += 7) {
    const samples = Math.min(7, form.samples - start);
    const part = (of: Float32Array, each: number) => {
      const buffer = new Float32Array(7 * each + 3).fill(99);
      buffer.set(of.subarray(start * each, (start + samples) * each));
      return buffer;
    };
    answers.add({ start, samples, values: part(values, size), head, target: part(target, size), mask: mask && part(mask, form.positions) });
  }
  return answers;
} // prettier-ignore

const oneHot = (labels: readonly number[], width: number) =>
  Float32Array.from(labels.flatMap((label) => Array.from({ length: width }, (_, i) => Number(i === label))));

const largest = (row: Float32Array) => row.indexOf(Math.max(...row));

describe.each([
  ['one answer a sample', 1, 5],
  ['positions, some of them padding', 4, 3],
  ['more classes than a matrix has room for', 1, MATRIX_CLASSES + 5],
])('classes: %s', (_, positions, width) => {
  const samples = 60;
  const rows = samples * positions;
  const labels = Array.from({ length: rows }, () => Math.floor(width * random.next()));
  const target = oneHot(labels, width);
  const before = floats(rows * width);
  const after = before.map((value) => value + 0.6 * random.normal());
  const mask = positions > 1 ? Float32Array.from({ length: rows }, () => Number(random.next() > 0.3)) : null;
  const form: AnswerForm = { kind: 'classes', samples, positions, width };
  const reference = gathered(form, before, target, 'softmax', mask);
  const pruned = gathered(form, after, target, 'softmax', mask);
  const counted = Array.from({ length: rows }, (_, row) => row).filter((row) => mask?.[row] !== 0);
  const answer = (values: Float32Array, row: number) => largest(values.subarray(row * width, (row + 1) * width));

  it('counts who is taken for whom', () => {
    const result = classChanges(reference, pruned, width, name);
    expect(reference.rows).toBe(counted.length);
    const count = (values: Float32Array, i: number, j: number) => counted.filter((row) => labels[row] === i && answer(values, row) === j).length; // prettier-ignore
    for (let i = 0; i < width; i++) {
      const own = counted.filter((row) => labels[row] === i);
      const wrong = (values: Float32Array) => own.filter((row) => answer(values, row) !== i).length;
      expect(result.classes[i]).toEqual({ name: name(i), samples: own.length, reference: wrong(before), pruned: wrong(after) }); // prettier-ignore
    }
    if (width <= MATRIX_CLASSES) {
      const matrix = (values: Float32Array) =>
        Array.from({ length: width }, (_, i) => Array.from({ length: width }, (_, j) => count(values, i, j)));
      expect(result.matrices).toEqual({ reference: matrix(before), pruned: matrix(after) });
      expect(result.pairs).toBeNull();
    } else {
      expect(result.matrices).toBeNull();
      expect(result.pairs!.length).toBeGreaterThan(10);
      for (const pair of result.pairs!) {
        const [i, j] = [pair.label, pair.answer].map((text) => Number(text.slice(1))) as [number, number];
        expect(i).not.toBe(j);
        expect([pair.reference, pair.pruned]).toEqual([count(before, i, j), count(after, i, j)]);
      }
    }
  });

  it('finds the samples whose answer changed, and whether for the worse', () => {
    const found = new Map(changedClasses(reference, pruned).map((one) => [one.index, one]));
    for (let sample = 0; sample < samples; sample++) {
      const own = counted.filter((row) => Math.floor(row / positions) === sample);
      const changed = own.filter((row) => answer(before, row) !== answer(after, row)).length;
      const wrong = (values: Float32Array) => own.filter((row) => answer(values, row) !== labels[row]).length;
      const verdict = wrong(after) > wrong(before) ? 'worse' : wrong(after) < wrong(before) ? 'better' : 'other';
      if (changed === 0) expect(found.has(sample)).toBe(false);
      else expect(found.get(sample)!.verdict).toBe(verdict);
      if (changed > 0 && positions > 1) expect(found.get(sample)!.score).toBe(changed);
      if (changed > 0 && positions === 1) {
        const row = [...after.subarray(sample * width, (sample + 1) * width)];
        const share = Math.exp(Math.max(...row)) / row.reduce((sum, value) => sum + Math.exp(value), 0);
        expect(found.get(sample)!.score).toBeCloseTo(share, 5);
      }
    }
  });
});

it('a single yes or no is a class of two, on the side of 1/2 that the head says', () => {
  const form: AnswerForm = { kind: 'yes-no', samples: 4, positions: 1, width: 1 };
  const target = Float32Array.of(1, 0, 1, 0);
  const logits = gathered(form, Float32Array.of(0.2, -3, -0.1, 0.4), target, 'sigmoid');
  expect([...logits.answers]).toEqual([1, 0, 0, 1]);
  expect(logits.sure![1]).toBeCloseTo(1 - 1 / (1 + Math.exp(3)), 6);
  const shares = gathered(form, Float32Array.of(0.6, 0.2, 0.4, 0.5), target, 'none');
  expect([...shares.answers]).toEqual([1, 0, 0, 0]);
  expect(classChanges(logits, shares, 2, name).matrices).toEqual({ reference: [[1, 1], [1, 1]], pruned: [[2, 0], [1, 1]] }); // prettier-ignore
});

it('several yes-or-no answers are missed or made up; one 1 for each sample is a class instead', () => {
  const [samples, width] = [50, 4];
  const target = Float32Array.from({ length: samples * width }, () => Number(random.next() > 0.6));
  const [before, after] = [floats(samples * width), floats(samples * width)];
  const form: AnswerForm = { kind: 'several', samples, positions: 1, width };
  const reference = gathered(form, before, target, 'sigmoid');
  const pruned = gathered(form, after, target, 'sigmoid');
  expect(reference.oneHot).toBe(false);
  const count = (values: Float32Array, label: number, right: number) =>
    [...target.keys()].filter((at) => at % width === label && target[at] === right && Number(values[at]! > 0) !== right).length; // prettier-ignore
  const result = labelChanges(reference, pruned, name);
  result.labels.forEach((one, label) => {
    expect(one.reference).toEqual({ missed: count(before, label, 1), invented: count(before, label, 0) });
    expect(one.pruned).toEqual({ missed: count(after, label, 1), invented: count(after, label, 0) });
    expect(one.yes).toBe([...target.keys()].filter((at) => at % width === label && target[at] === 1).length);
  });
  const changed = Array.from({ length: samples }, (_, i) => i).filter((i) =>
    Array.from({ length: width }, (_, k) => i * width + k).some((at) => before[at]! > 0 !== after[at]! > 0),
  );
  expect(changedLabels(reference, pruned).map(({ index }) => index)).toEqual(changed);
  expect(gathered(form, before, oneHot(Array(samples).fill(2), width), 'sigmoid').oneHot).toBe(true);
});

it('residuals of numbers: figures of all, a histogram that loses none, whoever came nearer', () => {
  const [samples, width] = [200, 3];
  const target = floats(samples * width, 5);
  const before = target.map((y) => y + 0.5 * random.normal());
  const after = target.map((y, i) => y + (i === 7 ? 1e6 : random.normal()));
  const form: AnswerForm = { kind: 'numbers', samples, positions: 1, width };
  const reference = gathered(form, before, target, 'none');
  const pruned = gathered(form, after, target, 'none');
  const residuals = (values: Float32Array, k?: number) =>
    [...values.keys()].filter((i) => k === undefined || i % width === k).map((i) => values[i]! - target[i]!);
  for (const [answers, values] of [
    [reference, before],
    [pruned, after],
  ] as const)
    for (const k of [undefined, 0, 1, 2]) {
      const own = residuals(values, k);
      const { rmse, meanAbsolute } = residualsOf(answers, k);
      expect(rmse).toBeCloseTo(Math.sqrt(own.reduce((sum, r) => sum + r * r, 0) / own.length), 6);
      expect(meanAbsolute).toBeCloseTo(own.reduce((sum, r) => sum + Math.abs(r), 0) / own.length, 6);
    }
  const result = numberChanges(reference, pruned, name);
  const { edges, ...counts } = result.histogram;
  for (const bins of [counts.reference, counts.pruned])
    expect(bins.reduce((sum, n) => sum + n, 0)).toBe(samples * width);
  // One wild value does not squeeze all others into a bin.
  expect(edges.at(-1)!).toBeLessThan(10);
  const inner = (values: Float32Array, i: number) => residuals(values).filter((r) => r >= edges[i]! && r < edges[i + 1]!).length; // prettier-ignore
  expect(Math.abs(counts.reference[20]! - inner(before, 20))).toBeLessThanOrEqual(1);
  const mean = (values: Float32Array, i: number) => residuals(values).slice(i * width, (i + 1) * width).reduce((sum, r) => sum + Math.abs(r), 0); // prettier-ignore
  const changed = changedNumbers(reference, pruned);
  expect(changed).toHaveLength(samples);
  for (const { index, verdict } of changed) expect(verdict).toBe(mean(after, index) > mean(before, index) ? 'worse' : 'better'); // prettier-ignore
  expect(chooseSamples(changed, 96).shown[0]!.index).toBe(2);
});

it('what is shown is bounded: half of it lost answers, and places that one kind leaves are the others’', () => {
  const of = (verdict: Scored['verdict'], n: number): Scored[] => Array.from({ length: n }, (_, i) => ({ index: i, verdict, score: i })); // prettier-ignore
  const many = chooseSamples([...of('worse', 1000), ...of('better', 1000), ...of('other', 1000)], 20);
  expect(many.counts).toEqual({ worse: 1000, better: 1000, other: 1000 });
  expect(many.shown).toHaveLength(20);
  expect(many.shown.slice(0, 3)).toEqual([999, 998, 997].map((i) => ({ index: i, verdict: 'worse', score: i })));
  const few = chooseSamples([...of('worse', 2), ...of('better', 1000)], 20);
  expect(few.shown.filter(({ verdict }) => verdict === 'better')).toHaveLength(18);
  expect(() => new Answers({ kind: 'classes', samples: 1 << 16, positions: 1 << 16, width: 3 })).toThrow(/at most/);
});

it('stored values come back from those of the network; a picture knows its background', async () => {
  const map = { scale: Float64Array.of(0.5, 0.1), shift: Float64Array.of(-1, 2) };
  expect([...asStored(map, Float32Array.of(1, 4, 2, 3), 2)]).toEqual([4, 20, 6, 10]);
  const side = 3;
  const source = {
    size: 5,
    read(start: number, count: number, [input]: readonly Float32Array[]) {
      for (let i = 0; i < count; i++) input!.fill(1, i * 9, (i + 1) * 9).fill(0.2, i * 9 + 4, i * 9 + 5);
    },
  };
  const [form] = await inputForms(source, [{ name: 'x', shape: [side, side, 1], columns: [], map: { scale: 1 / 255, shift: 0 } }], 1); // prettier-ignore
  expect(form).toMatchObject({ image: [3, 3, 1], background: 255, stored: [51, 255] });
});
