import { describe, expect, it } from 'vitest';
import type { Parameter } from '../../../daemon/engine/engine.js';
import { directCompression } from '../../../daemon/lc/cStep.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayerSummary } from '../../../daemon/model/model.js';
import type { Budget } from '../../../daemon/protocol/plan.js';
import { chanceError } from '../../../daemon/trainer/judge/chance.js';
import { countKept } from '../../../daemon/trainer/kept.js';
import { createTasks, prunedLayers } from '../../../daemon/trainer/tasks.js';
import { shaped } from './fakeSession.js';

const weight = (name: string, shape: number[], prunable = true) => ({
  name,
  shape,
  size: shape.reduce((a, b) => a * b, 1),
  prunable,
  trainable: true,
});
const layer = (name: string, weights: LayerSummary['weights']): LayerSummary => {
  const prunable = weights.reduce((sum, one) => sum + (one.prunable ? one.size : 0), 0);
  return {
    name,
    className: 'Dense',
    outputShape: null,
    weights,
    params: 0,
    prunable,
    flops: 2 * prunable,
    flopsPerWeight: 2,
  };
};
const LAYERS = [
  layer('a', [weight('a/kernel', [4, 5]), weight('a/bias', [5], false)]),
  layer('rnn', [weight('rnn/kernel', [5, 6]), weight('rnn/recurrent_kernel', [6, 6])]),
  layer('frozen', [weight('frozen/kernel', [6, 10])]),
  layer('b', [weight('b/kernel', [6, 5])]),
];
/** Weights in a session's layout: prunable ones first; "frozen" is not a parameter. */
const PARAMETERS: Parameter[] = [];
for (const [name, owner, shape, prunable] of [
  ['a/kernel', 'a', [4, 5], true],
  ['rnn/kernel', 'rnn', [5, 6], true],
  ['rnn/recurrent_kernel', 'rnn', [6, 6], true],
  ['b/kernel', 'b', [6, 5], true],
  ['a/bias', 'a', [5], false],
] as [string, string, number[], boolean][]) {
  const offset = PARAMETERS.reduce((sum, { size }) => sum + size, 0);
  PARAMETERS.push({ name, layer: owner, shape, offset, size: shape.reduce((x, y) => x * y, 1), prunable });
}
const SIZE = 20 + 30 + 36 + 30 + 5;
const w = () => {
  const random = createRandom(3);
  return Float32Array.from({ length: SIZE }, () => random.normal());
};
const plan = (...tasks: [string[], Budget][]) => ({
  tasks: tasks.map(([layers, budget]) => ({ name: layers.join('+'), layers, budget })),
});
const pruned = (given: ReturnType<typeof plan>, tasks = createTasks(given, LAYERS, PARAMETERS, null)) => {
  const theta = w();
  directCompression(tasks.tasks, w(), theta, 1e-3);
  return { theta, ...countKept(prunedLayers(given, LAYERS, PARAMETERS), theta) };
};

describe('tasks', () => {
  it('cover every kernel of their layers, and nothing else', () => {
    const given = plan([['a', 'rnn', 'b'], { weights: 10 }]);
    const { theta, kept, perLayer } = pruned(given);
    expect(kept).toBe(10);
    expect(perLayer.map(({ layer: name, weights }) => [name, weights])).toEqual([
      ['a', 20],
      ['rnn', 66],
      ['b', 30],
    ]);
    expect(theta.subarray(116)).toEqual(w().subarray(116));
    const largest = [...w().subarray(0, 116)]
      .map(Math.abs)
      .sort((x, y) => y - x)
      .slice(0, 10);
    expect(
      [...theta.subarray(0, 116)]
        .filter((x) => x !== 0)
        .map(Math.abs)
        .sort((x, y) => y - x),
    ).toEqual(largest);
  });

  it('leave layers of no task alone, and treat each task by itself', () => {
    const given = plan([['b'], { keep: '10%' }], [['a'], { weights: 7 }]);
    const { theta, perLayer } = pruned(given);
    expect(perLayer).toEqual([
      { layer: 'a', weights: 20, kept: 7 },
      { layer: 'b', weights: 30, kept: 3 },
    ]);
    expect(theta.subarray(20, 86)).toEqual(w().subarray(20, 86));
    expect(createTasks(given, LAYERS, PARAMETERS, null).kappa).toBe(10);
  });

  it('know kappa where the budget says it, and whether the survivors may be retrained', () => {
    const facts = (budget: Budget) => {
      const { kappa, retrainable } = createTasks(plan([['a', 'b'], budget]), LAYERS, PARAMETERS, null);
      return [kappa, retrainable];
    };
    expect(facts({ keep: 0.1 })).toEqual([5, true]);
    expect(facts({ keep: 0.1, scope: 'layer' })).toEqual([5, true]);
    expect(facts({ alpha: 1e-3 })).toEqual([null, true]);
    expect(facts({ norm: 'l1', radius: 2 })).toEqual([null, true]);
    expect(facts({ norm: 'l2', radius: 2 })).toEqual([null, false]);
    expect(facts({ keep: 0.5, quantize: { codebook: 4 } })[1]).toBe(false);
  });

  it('say what of their default floors had no room', () => {
    const notes = (flops: string) =>
      createTasks(plan([['a', 'b'], { flops, layers: { a: { floor: '100%' } } }]), LAYERS, PARAMETERS, null).notes;
    expect(notes('50%')).toEqual([]);
    // The 20 weights of a get all of it.
    expect(notes('40%')).toEqual([expect.stringMatching(/no room to keep a part of each layer: "b" may be emptied/)]);
  });

  it('of gradual pruning start dense and end at the budget, per layer where it is', () => {
    for (const scope of ['global', 'layer'] as const) {
      const given = plan([['a', 'b'], { keep: 0.1, scope }]);
      const { gradual } = createTasks(given, LAYERS, PARAMETERS, null);
      const kept = [0, 0.25, 0.5, 0.75, 1].map((t) => {
        const theta = w();
        directCompression(gradual(t), w(), theta);
        return countKept(prunedLayers(given, LAYERS, PARAMETERS), theta);
      });
      expect(kept[0]!.kept).toBe(50);
      expect(kept[4]!.kept).toBe(5);
      for (let i = 1; i < 4; i++) expect(kept[i]!.kept).toBeLessThan(kept[i - 1]!.kept);
      const halfway = kept[2]!.perLayer.map((one) => one.kept / one.weights);
      if (scope === 'layer') expect(Math.abs(halfway[0]! - halfway[1]!)).toBeLessThan(0.06);
    }
  });

  it('take a new budget, but not for one of several', () => {
    const one = plan([['a', 'b'], { weights: 10 }]);
    expect(createTasks(one, LAYERS, PARAMETERS, { weights: 4 }).kappa).toBe(4);
    const two = plan([['a'], { weights: 10 }], [['b'], { weights: 10 }]);
    expect(() => createTasks(two, LAYERS, PARAMETERS, { weights: 4 })).toThrow(/several tasks/);
  });

  it('name what is impossible', () => {
    expect(() => createTasks(plan([['a'], { weights: 21 }]), LAYERS, PARAMETERS, null)).toThrow(
      expect.objectContaining({ code: 'budget-impossible', message: expect.stringContaining('20') }),
    );
    expect(() => createTasks(plan([['frozen'], { weights: 2 }]), LAYERS, PARAMETERS, null)).toThrow(
      /"frozen".*trainable/,
    );
  });
});

describe('chance', () => {
  const source = (labels: number[], classes: number) => ({
    size: labels.length,
    read(start: number, count: number, [x]: readonly Float32Array[], target: Float32Array) {
      x!.fill(0);
      target.fill(0);
      for (let i = 0; i < count; i++) {
        if (classes === 1) target[i] = labels[start + i]!;
        else target[i * classes + labels[start + i]!] = 1;
      }
    },
  });

  it('is the error of the most frequent class', async () => {
    const labels = Array.from({ length: 1000 }, (_, i) => (i % 10 < 7 ? 2 : i % 3));
    const most = Math.max(...[0, 1, 2].map((k) => labels.filter((label) => label === k).length));
    expect(await chanceError(source(labels, 3), shaped([[4]], [3]))).toBeCloseTo(1 - most / 1000, 12);
    expect(await chanceError(source([1, 1, 1, 0], 1), shaped([[4]], [1]))).toBe(0.25);
    expect(await chanceError(source([], 3), shaped([[4]], [3]))).toBeNull();
    // There is only one class: an error of 0 is then no better than chance, and does not show an untrained network.
    expect(await chanceError(source([2], 3), shaped([[4]], [3]))).toBeNull();
    expect(await chanceError(source([1, 1], 1), shaped([[4]], [1]))).toBeNull();
    expect(await chanceError(source([0], 3), shaped([[4]], [5, 3]))).toBeNull();
    const three = shaped([[4]], [1], () => Float32Array.of(1, 0, 0, 1, 1));
    expect(await chanceError(source([1, 0, 0, 1, 0], 1), three)).toBeCloseTo(1 / 3, 12);
  });
});
