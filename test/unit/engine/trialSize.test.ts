import { describe, expect, it } from 'vitest';
import { trialBatch } from '../../../daemon/engine/trialSize.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';

const GiB = 2 ** 30;
const lenet = buildArchitecture('lenet300', 1);
const resnet = buildArchitecture('resnet20', 1);

/** A recurrent layer over many steps returns one row, but computes one row in each step. */
const recurrent = (steps: number): LayersModel => ({
  kind: 'layers',
  format: 'tfjs-layers',
  path: 'm.json',
  topology: {
    class_name: 'Sequential',
    config: {
      name: 'm',
      layers: [{ class_name: 'LSTM', config: { name: 'lstm', units: 64, batch_input_shape: [null, steps, 8] } }],
    },
  },
  weights: [],
  notes: [],
});

describe('the batch of a trial', () => {
  it('is the whole batch where the model is small', () => {
    expect(trialBatch(lenet, 256, false, 4 * GiB)).toBe(256);
    expect(trialBatch(resnet, 32, false, 8 * GiB)).toBe(32);
  });

  it('shrinks with the memory that is free, and is nothing where two engines do not fit', () => {
    const sizes = [4, 0.1, 0.05, 0.001].map((share) => trialBatch(resnet, 128, false, share * GiB));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes[0]).toBeGreaterThan(sizes[1]!);
    expect(sizes[1]).toBeGreaterThan(sizes[2]!);
    expect(sizes.at(-1)).toBe(0);
  });

  it('keeps what it promises: the tensors of both engines stay within half of the memory', () => {
    // 16 x 32 x 32 at the first nine layers, and as much again: by hand no less than 20 tensors of 16,384 floats a sample.
    const free = GiB / 8;
    const size = trialBatch(resnet, 4096, false, free);
    expect(2 * size * 20 * 16_384 * 4).toBeLessThan(free / 2);
  });

  it('counts what a recurrent layer makes at each step', () => {
    expect(trialBatch(recurrent(10_000), 64, false, GiB)).toBeLessThan(trialBatch(recurrent(1000), 64, false, GiB));
  });

  it('is small for plain JavaScript, and nothing where one sample takes minutes', () => {
    const size = trialBatch(resnet, 128, true, 8 * GiB);
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(32);
    expect(trialBatch(recurrent(1_000_000), 1, true, 64 * GiB)).toBe(0);
  });
});
