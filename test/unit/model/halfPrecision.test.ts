/**
 * Weights of 16 bits. fixtures/half.h5 was written by h5py 3.7 as Keras 3.15 writes a model of float16 and bfloat16 policies:
 * a/kernel "<f2" [[1.5, -2], [65504, 2**-24], [1/3, 0]], a/bias ">f2" [0.1, -0.0], and, as HDF5 has no bfloat16, two opaque
 * bytes each with the attribute dtype="bfloat16": b/kernel [[1.5], [-2]] and b/bias, the largest of its numbers.
 */
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bfloat16, float16 } from '../../../daemon/files/halfPrecision.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { scratch } from './tfjs.js';

it('weights of float16 and bfloat16 in HDF5 files are widened exactly, with a note', async () => {
  const workspace = await scratch();
  const path = join(workspace, 'half.h5');
  await copyFile(join(dirname(fileURLToPath(import.meta.url)), 'fixtures', 'half.h5'), path);
  const model = await readModel(path, { workspace });
  const values = Object.fromEntries(model.weights.map(({ name, data }) => [name, [...data]]));
  expect(values).toEqual({
    'a/kernel': [1.5, -2, 65504, 2 ** -24, 1365 / 4096, 0],
    'a/bias': [1638 / 16384, -0],
    'b/kernel': [1.5, -2],
    'b/bias': [(2 - 2 ** -7) * 2 ** 127],
  });
  const notes = model.notes.join('\n');
  expect(notes).toContain(
    'weights of float16 were widened to float32, in which everything is computed: a/kernel, a/bias',
  );
  expect(notes).toContain('weights of bfloat16 were widened');
});

it('all numbers of 16 bits differ', () => {
  // By IEEE 754: sign, exponent with its bias, fraction; of float16 5 and 10 bits, of bfloat16 8 and 7.
  for (const [decode, exponents, fractions] of [
    [float16, 5, 10],
    [bfloat16, 8, 7],
  ] as const)
    // prettier-ignore
    for (let bits = 0; bits < 0x10000; bits++) {
      const [sign, top] = [bits >> 15 ? -1 : 1, 2 ** exponents - 1];
      const exponent = (bits >> fractions) & top;
      const fraction = (bits & (2 ** fractions - 1)) / 2 ** fractions;
      const bias = top >> 1;
      const expected =
        exponent === top ? (fraction ? NaN : sign * Infinity) : exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias); // prettier-ignore
      if (!Object.is(decode(bits), expected)) expect(decode(bits), bits.toString(16)).toBe(expected);
    }
});
