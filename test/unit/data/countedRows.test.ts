/** Padding does not change the figures of a mapping: the figures with a mask are those of the rows without the padding. */
import { describe, expect, it } from 'vitest';
import { constantFigures, mappingFigures, type AnswerForm } from '../../../daemon/data/mapping/mappingFigures.js';
import { createRandom } from '../../../daemon/lc/random.js';

const count = 40;
const WIDTH = 3;
const forms: readonly AnswerForm[] = [
  { kind: 'classes', scale: 'probabilities', width: WIDTH },
  { kind: 'classes', scale: 'logits', width: WIDTH },
  { kind: 'yes-no', scale: 'probabilities', width: WIDTH },
  { kind: 'yes-no', scale: 'logits', width: WIDTH },
  { kind: 'numbers', scale: 'neither', width: WIDTH },
];

interface Rows {
  readonly output: Float32Array;
  readonly target: Float32Array;
}

/** `steps` rows of each sample. */
function randomRows({ kind, scale }: AnswerForm, steps: number, seed: number): Rows {
  const random = createRandom(seed);
  const rows = Array.from({ length: count * steps }, () => {
    const z = Array.from({ length: WIDTH }, () => 2 * random.normal());
    const right = random.below(WIDTH);
    if (kind === 'numbers') return { output: z, target: z.map((x) => x + random.normal()) };
    const target = z.map((x, i) => Number(kind === 'classes' ? i === right : x + random.normal() > 0));
    if (scale === 'logits') return { output: z, target };
    const sum = z.reduce((total, x) => total + Math.exp(x), 0);
    return { output: z.map((x) => (kind === 'classes' ? Math.exp(x) / sum : 1 / (1 + Math.exp(-x)))), target };
  });
  return {
    output: Float32Array.from(rows.flatMap(({ output }) => output)),
    target: Float32Array.from(rows.flatMap(({ target }) => target)),
  };
}

/** The same rows, with rows of something else in between. */
function padded(rows: Rows, form: AnswerForm, mask: readonly number[]): Rows {
  const garbage = randomRows(form, mask.length / count, 99);
  const fill = (own: Float32Array, other: Float32Array) => {
    const result = other.slice();
    let at = 0;
    mask.forEach((one, row) => {
      if (one === 1) result.set(own.subarray(at, (at += WIDTH)), row * WIDTH);
    });
    return result;
  };
  return { output: fill(rows.output, garbage.output), target: fill(rows.target, garbage.target) };
}

const close = (found: Float64Array | null, expected: Float64Array | null): void => {
  expect(found === null).toBe(expected === null);
  expected?.forEach((value, i) => expect(found![i]).toBeCloseTo(value, 6));
};

describe.each(forms)('figures of %o', (form) => {
  it('are those of the rows without the padding', () => {
    const rows = randomRows(form, 2, 1);
    // The positions are the same in each sample: targets of numbers have a mean by position.
    const mask = Array.from({ length: count }, () => [1, 0, 0, 1, 0]).flat();
    const { output, target } = padded(rows, form, mask);
    const found = mappingFigures(output, target, count, form, mask);
    const expected = mappingFigures(rows.output, rows.target, count, form);
    close(found.errors, expected.errors);
    close(found.tempered, expected.tempered);
    close(found.softened, expected.softened);
    expect(found.timid).toBe(expected.timid);
    close(found.disagreement, expected.disagreement);
    const [constant, plain] = [constantFigures(target, count, form, mask), constantFigures(rows.target, count, form)];
    close(constant.errors, plain.errors);
    close(constant.losses, plain.losses);
  });

  it('have the mean of the rows that count where samples differ in length, and one has none', () => {
    if (form.kind === 'numbers') return;
    const rows = randomRows(form, 2, 2);
    // The same rows, dealt out to samples of 0, 2 and 4 rows.
    const mask = Array.from({ length: count }, (_, i) => (i % 4 === 0 ? [1, 1, 1, 1] : i % 4 === 1 ? [0, 0, 0, 0] : [0, 1, 1, 0])).flat(); // prettier-ignore
    const { output, target } = padded(rows, form, mask);
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const found = mappingFigures(output, target, count, form, mask);
    const expected = mappingFigures(rows.output, rows.target, count, form);
    expect(mean(found.errors)).toBeCloseTo(mean(expected.errors), 6);
    expect(mean(found.disagreement)).toBeCloseTo(mean(expected.disagreement), 6);
    if (expected.tempered) expect(mean(found.tempered!)).toBeCloseTo(mean(expected.tempered), 6);
    if (expected.softened) expect(mean(found.softened!)).toBeCloseTo(mean(expected.softened), 6);
  });
});
