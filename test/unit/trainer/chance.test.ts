/** Loss and error of answers that do not depend on the sample. */
import { describe, expect, it } from 'vitest';
import { chanceError } from '../../../daemon/trainer/judge/chance.js';
import { chanceLoss } from '../../../daemon/trainer/judge/chanceLoss.js';
import { shaped } from './fakeSession.js';

describe('the loss by chance', () => {
  const target = (values: readonly (readonly number[])[]) => ({
    size: values.length,
    read(start: number, count: number, _: readonly Float32Array[], out: Float32Array) {
      for (let i = 0; i < count; i++) out.set(values[start + i]!, i * values[0]!.length);
    },
  });

  it('is the entropy of the classes, the variance of the targets, or the mean distance from their mean', async () => {
    const classes = target([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ]);
    const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
    expect(await chanceLoss(classes, shaped([[1]], [2]), 'categoricalCrossentropy')).toBeCloseTo(entropy, 6);
    expect(await chanceLoss(target([[1], [1], [1], [0]]), shaped([[1]], [1]), 'binaryCrossentropy')).toBeCloseTo(
      entropy,
      6,
    );
    // Two outputs with different means.
    const numbers = target([
      [0, 10],
      [4, 10],
      [2, 16],
    ]);
    expect(await chanceLoss(numbers, shaped([[1]], [2]), 'meanSquaredError')).toBeCloseTo((8 / 3 + 24 / 3) / 2, 5);
    expect(await chanceLoss(numbers, shaped([[1]], [2]), 'meanAbsoluteError')).toBeCloseTo((4 / 3 + 8 / 3) / 2, 5);
    const small = target([[0], [1]]);
    expect(await chanceLoss(small, shaped([[1]], [1]), 'huber')).toBeCloseTo(0.125, 6);
    expect(await chanceLoss(target([]), shaped([[1]], [2]), 'meanSquaredError')).toBeNull();
  });

  it('leaves out the steps that a mask does', async () => {
    // Three steps each; a token of 0 is padding, whose targets are another class, and far off.
    const tokens = [
      [1, 1, 0],
      [1, 0, 0],
      [0, 1, 1],
    ];
    const padded = (targets: readonly (readonly number[])[]) => ({
      ...target(targets),
      read(start: number, count: number, [x]: readonly Float32Array[], out: Float32Array) {
        x!.set(tokens.slice(start, start + count).flat());
        out.set(targets.slice(start, start + count).flat());
      },
    });
    const session = (width: number) =>
      shaped([[3]], [3, width], ([x], count) => x!.slice(0, 3 * count).map((token) => (token > 0 ? 1 : 0)));
    const classes = padded([
      [1, 0, 1, 0, 0, 1],
      [0, 1, 0, 1, 0, 1],
      [0, 1, 1, 0, 1, 0],
    ]);
    const entropy = -(0.8 * Math.log(0.8) + 0.2 * Math.log(0.2));
    expect(await chanceLoss(classes, session(2), 'categoricalCrossentropy')).toBeCloseTo(entropy, 6);
    const numbers = padded([
      [1, 2, 99],
      [3, 99, 99],
      [99, 6, 7],
    ]);
    // Means by step: 2, 4 and 7.
    expect(await chanceLoss(numbers, session(1), 'meanSquaredError')).toBeCloseTo((1 + 1 + 4 + 4 + 0) / 5, 5);
    expect(await chanceLoss(numbers, session(1), 'meanAbsoluteError')).toBeCloseTo((1 + 1 + 2 + 2 + 0) / 5, 5);
  });
});

describe('the error by chance', () => {
  const of = (rows: readonly (readonly number[])[]) =>
    chanceError(
      {
        size: rows.length,
        read(start, count, _, out) {
          for (let i = 0; i < count; i++) out.set(rows[start + i]!, i * rows[0]!.length);
        },
      },
      { inputShapes: [[1]], outputShape: [rows[0]!.length], outputMask: async () => null },
    );

  it('is that of the most frequent class, and none of several yes-no answers, which have none', async () => {
    expect(await of([[0], [1], [1], [1]])).toBe(0.25);
    expect(await of([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0.8, 0.2]])).toBe(0.25); // prettier-ignore
    // Two labels a sample, or none: answering "none" errs in 1 of 4, and "the most frequent class" would have 25% as well.
    expect(await of([[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 0]])).toBeNull(); // prettier-ignore
    expect(await of([[0.2, 0.9, 0.7]])).toBeNull();
  });
});
