/** The teacher's targets, and the taught loss beside PyTorch's. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { meanLoss } from '../../../../daemon/engine/loss/meanLoss.js';
import { decided, softened } from '../../../../daemon/engine/loss/taught.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { python, pythonHas } from '../../../fixtures/debianPython.js';

const random = createRandom(3);
const LOGITS = Float32Array.from({ length: 12 }, () => 4 * random.normal());

const targets = (...[spec, values, width]: [Parameters<typeof softened>[0], Float32Array, number]): number[] => {
  const out = new Float32Array(values.length);
  softened(spec, values, width, out);
  return [...out];
};

describe('answers as labels', () => {
  const of = (spec: Parameters<typeof decided>[0], values: readonly number[], width: number): number[] => {
    const out = new Float32Array(values.length);
    decided(spec, Float32Array.from(values), width, out);
    return [...out];
  };

  it('are the class of the largest output, the first of two alike', () => {
    const loss = 'categoricalCrossentropy';
    expect(of({ loss, head: 'softmax' }, [-3, -1, -2, 5, 5, 1], 3)).toEqual([0, 1, 0, 1, 0, 0]);
    expect(of({ loss, head: 'none' }, [0.2, 0.3, 0.5], 3)).toEqual([0, 0, 1]);
  });

  it('are yes or no of each output: above 1/2, of logits above 0', () => {
    const loss = 'binaryCrossentropy';
    expect(of({ loss, head: 'sigmoid' }, [0.1, -0.1, 0], 3)).toEqual([1, 0, 0]);
    expect(of({ loss, head: 'none' }, [0.6, 0.4, 0.5], 1)).toEqual([1, 0, 0]);
  });

  it('are the outputs of other losses', () => {
    expect(of({ loss: 'meanSquaredError', head: 'none' }, [-2, 7], 1)).toEqual([-2, 7]);
  });
});

describe('a teacher', () => {
  it('answers with its probabilities at the temperature, from logits and from probabilities alike', () => {
    const loss = 'categoricalCrossentropy';
    for (const temperature of [0.5, 1, 4]) {
      const soft = targets({ loss, head: 'softmax', temperature }, LOGITS, 4);
      LOGITS.forEach((z, i) => {
        const row = LOGITS.subarray(i - (i % 4), i - (i % 4) + 4);
        const sum = row.reduce((total, other) => total + Math.exp(other / temperature), 0);
        expect(soft[i]).toBeCloseTo(Math.exp(z / temperature) / sum, 6);
      });
      const probabilities = Float32Array.from(targets({ loss, head: 'softmax', temperature: 1 }, LOGITS, 4));
      const again = targets({ loss, head: 'none', temperature }, probabilities, 4);
      again.forEach((value, i) => expect(value).toBeCloseTo(soft[i]!, 4));
    }
    // Large logits do not overflow.
    expect(targets({ loss, head: 'softmax', temperature: 1 }, Float32Array.of(1000, 1000), 2)).toEqual([0.5, 0.5]);
  });

  it('answers yes or no each by itself, and other losses with its outputs', () => {
    const loss = 'binaryCrossentropy';
    const soft = targets({ loss, head: 'sigmoid', temperature: 3 }, LOGITS, 4);
    LOGITS.forEach((z, i) => expect(soft[i]).toBeCloseTo(1 / (1 + Math.exp(-z / 3)), 6));
    const shares = Float32Array.of(0.2, 0.8, 0, 1);
    const [low, high, never, always] = targets({ loss, head: 'none', temperature: 2 }, shares, 1);
    expect(low).toBeCloseTo(1 / (1 + 4 ** 0.5), 6);
    expect(high).toBeCloseTo(1 / (1 + 0.25 ** 0.5), 6);
    expect(never! + always!).toBeCloseTo(1, 6);
    expect(Number.isFinite(always)).toBe(true);
    expect(targets({ loss: 'huber', head: 'none', temperature: 1 }, LOGITS, 4)).toEqual([...LOGITS]);
  });
});

const TORCH = `
import json, sys, torch, torch.nn.functional as F
found = []
for z, t, y, a, T in json.loads(sys.argv[1]):
    z = torch.tensor(z, dtype=torch.float64).reshape(-1, 4).requires_grad_()
    t = torch.tensor(t, dtype=torch.float64).reshape(-1, 4)
    soft = F.kl_div(F.log_softmax(z / T, 1), F.softmax(t / T, 1), reduction='batchmean') * T * T
    loss = (1 - a) * F.cross_entropy(z, torch.tensor(y)) + a * soft
    loss.backward()
    found.append([loss.item(), z.grad.flatten().tolist()])
print(json.dumps(found))
`;

describe.runIf(pythonHas('torch'))('beside PyTorch', () => {
  it('loss and gradient are those of kl_div and cross_entropy', async () => {
    const labels = [2, 0, 3];
    const cases = [
      [0.9, 4],
      [0.5, 2],
      [0.3, 1],
      [1, 3],
    ].map(([weight, temperature]) => {
      const student = Array.from({ length: 12 }, () => Math.fround(3 * random.normal()));
      return { student, weight: weight!, temperature: temperature! };
    });
    const given = cases.map((one) => [one.student, [...LOGITS], labels, one.weight, one.temperature]);
    const expected = python(TORCH, [JSON.stringify(given)]) as [number, number[]][];
    await tf.setBackend('cpu');
    const y = tf.tensor([0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1], [3, 4]);
    const spec = { loss: 'categoricalCrossentropy', head: 'softmax' } as const;
    for (const [i, { student, ...taught }] of cases.entries()) {
      const q = tf.tensor(targets({ ...spec, ...taught }, LOGITS, 4), [3, 4]);
      const ofLogits = (z: tf.Tensor) => meanLoss(tf, spec, y, z, undefined, { ...taught, target: q });
      const { value, grad } = tf.valueAndGrad(ofLogits)(tf.tensor(student, [3, 4]));
      const [loss, gradient] = expected[i]!;
      expect((await value.data())[0]).toBeCloseTo(loss, 4);
      (await grad.data()).forEach((one, k) => expect(one).toBeCloseTo(gradient[k]!, 5));
    }
  });
});
