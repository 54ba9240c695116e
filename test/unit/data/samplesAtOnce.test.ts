import { expect, test } from 'vitest';
import { samplesAtOnce } from '../../../daemon/data/batches/samplesAtOnce.js';
import type { SampleSource } from '../../../daemon/engine/engine.js';
import { inputForms } from '../../../daemon/trainer/whatChanged/inputForms.js';

test('as many samples are read at once as 64 MiB hold: all of small ones, at least one of large ones', () => {
  expect(samplesAtOnce([[28, 28, 1]], 256)).toBe(256);
  expect(samplesAtOnce([[256, 256, 3]], 256)).toBe(85);
  expect(samplesAtOnce([[256, 256, 3], [256, 256, 3]], 256)).toBe(42); // prettier-ignore
  expect(samplesAtOnce([[8192, 8192, 3]], 256)).toBe(1);
  expect(samplesAtOnce([], 256)).toBe(256);
});

test('"Try a sample" looks at few large images, and gives the range of what it looked at', async () => {
  const asked: number[] = [];
  const source = {
    size: 2000,
    read(_start, count, [values]) {
      asked.push(count);
      values!.fill(0.25).set([NaN, 0, 1], 0);
      return Promise.resolve();
    },
  } satisfies SampleSource;
  const input = { name: 'x', shape: [256, 256, 3], columns: [], map: { scale: 1 / 255, shift: 0 } };
  const [form] = await inputForms(source, [input], 2);
  expect(asked).toEqual([85]);
  expect(form).toMatchObject({ stored: [0, 255], background: 63.75 });
});
