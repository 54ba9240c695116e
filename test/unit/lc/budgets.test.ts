import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  budgetKappa,
  createCompression,
  seesUnits,
  viewLength,
  type BudgetSpec,
  type LayerView,
} from '../../../daemon/lc/budgets.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { Budget } from '../../../daemon/protocol/plan.js';
import { lenet300, lenet5, messageOf } from './lenetViews.js';
import { nonZeros, project } from './oracles.js';

function weightsOf(layers: readonly LayerView[], budget: BudgetSpec): Float32Array {
  const random = createRandom(9);
  const length = layers.reduce((total, layer) => total + viewLength(layer, budget), 0);
  return Float32Array.from({ length }, () => random.normal());
}
function keptPerLayer(theta: Float32Array, layers: readonly LayerView[]): number[] {
  let at = 0;
  return layers.map(({ size }) => nonZeros(theta.subarray(at, (at += size))));
}
const projected = (budget: BudgetSpec, layers: readonly LayerView[]): Float32Array =>
  project(createCompression(budget, layers), weightsOf(layers, budget), 1e-2);

it('BudgetSpec is the protocol Budget', () => {
  expectTypeOf<Budget>().toExtend<BudgetSpec>();
  expectTypeOf<keyof BudgetSpec>().toEqualTypeOf<keyof Budget>();
});

describe('what budgets mean', () => {
  it.each<[BudgetSpec, number | null]>([
    [{ keep: '1%' }, 2662],
    [{ keep: 0.05 }, 13_310],
    [{ keep: '100%' }, 266_200],
    [{ weights: 2662 }, 2662],
    [{ keep: '1%', scope: 'layer' }, 2352 + 300 + 10],
    [{ weights: 1000, scope: 'layer' }, 3000],
    // 301 + 101 + 11 column pointers of 4 bytes; 6 bytes a weight.
    [{ bytes: '8 kB' }, Math.floor((8192 - 4 * 413) / 6)],
    [{ bytes: '2 GB' }, 266_200],
    // A code of 2 bits and an index of 16; 4 codes of 4 bytes.
    [{ bytes: 8192, quantize: { codebook: 4 } }, Math.floor(((8192 - 4 * 413 - 16) * 8) / 18)],
    [{ pattern: '2:4' }, 133_100],
    [{ pattern: '1:3' }, 300 * 262 + 100 * 100 + 10 * 34],
    [{ pattern: '2:4', keep: '10%' }, 26_620],
    [{ quantize: { codebook: 'int8' } }, 266_200],
    [{ alpha: 1e-5 }, null],
    [{ radius: 1000, norm: 'l1' }, null],
    [{ flops: '50%' }, null],
  ])('%j keeps at most %s weights of LeNet300', (budget, kappa) => {
    expect(budgetKappa(budget, lenet300)).toBe(kappa);
    const theta = projected(budget, lenet300);
    expect(nonZeros(theta)).toBeLessThanOrEqual(kappa ?? 266_200);
    // A budget that is a number of weights is used up.
    if (kappa !== null && !budget.quantize) expect(nonZeros(theta)).toBe(kappa);
  });

  it('scope layer: the same budget for each layer', () => {
    expect(keptPerLayer(projected({ keep: '2%', scope: 'layer' }, lenet300), lenet300)).toEqual([4704, 600, 20]);
    expect(keptPerLayer(projected({ pattern: '1:4', scope: 'layer' }, lenet300), lenet300)).toEqual([
      58_800, 7500, 250,
    ]);
  });

  it('floors and caps', () => {
    const budget: BudgetSpec = { weights: 2000, layers: { fc3: { floor: '50%' }, fc1: { cap: 0.001 } } };
    const [fc1, fc2, fc3] = keptPerLayer(projected(budget, lenet300), lenet300);
    expect(fc1).toBeLessThanOrEqual(236);
    expect(fc3).toBeGreaterThanOrEqual(500);
    expect(fc1! + fc2! + fc3!).toBe(2000);
  });

  it('layers of several kernels: shares are of the layer as a whole', () => {
    const lstm: LayerView[] = [
      { name: 'lstm/kernel', layer: 'lstm', size: 40, shape: [2, 20], flopsPerWeight: 10 },
      { name: 'lstm/recurrent_kernel', layer: 'lstm', size: 100, shape: [5, 20], flopsPerWeight: 10 },
      { name: 'fc', size: 60, shape: [5, 12], flopsPerWeight: 2 },
    ];
    const keptOf = (budget: BudgetSpec, scale: readonly number[]) => {
      const v = weightsOf(lstm, budget).map((x, i) => x * scale[i < 40 ? 0 : i < 140 ? 1 : 2]!);
      return keptPerLayer(project(createCompression(budget, lstm), v), lstm);
    };
    // The least of the LSTM is 35 weights, of whichever kernel; its most is 28.
    expect(keptOf({ weights: 50, layers: { lstm: { floor: '25%' } } }, [1e-3, 1e-6, 1])).toEqual([35, 0, 15]);
    expect(keptOf({ weights: 50, layers: { lstm: { cap: '20%' } } }, [1, 1e3, 1e-6])).toEqual([0, 28, 22]);
    expect(keptOf({ flops: '50%', layers: { lstm: { floor: '25%' } } }, [1e-6, 1e-3, 1])).toEqual([0, 64, 60]);
    // A local budget is one for each layer, not one for each kernel.
    expect(budgetKappa({ weights: 50, scope: 'layer' }, lstm)).toBe(100);
    expect(keptOf({ weights: 50, scope: 'layer' }, [1e-3, 1, 1])).toEqual([0, 50, 50]);
    expect(messageOf(() => createCompression({ weights: 50, layers: { 'lstm/kernel': { floor: '1%' } } }, lstm))).toBe(
      'layers.lstm/kernel: there is no such prunable layer; there are lstm, fc',
    );
  });

  it('flops: within the share, weights of expensive layers weighed by their cost', () => {
    const budget: BudgetSpec = { flops: '10%' };
    const compression = createCompression(budget, lenet5);
    const theta = project(compression, weightsOf(lenet5, budget));
    const dense = 500 * 1152 + 25_000 * 128 + 405_000 * 2;
    expect(compression.cost(theta)).toBeLessThanOrEqual(dense / 10);
    expect(compression.cost(theta)).toBeGreaterThan(dense / 10 - 1152);
    expect(compression.gap!()).toBeLessThan(10);
    const [conv1, , fc1] = keptPerLayer(theta, lenet5);
    expect(conv1! / 500).toBeLessThan(fc1! / 400_000);
  });

  it('empties no layer whose weights are expensive or few, unless the plan allows it', () => {
    const keptOf = (budget: BudgetSpec) => {
      const v = weightsOf(lenet5, budget);
      // The convolutions' weights are a tenth of the others'.
      let at = 0;
      for (const layer of lenet5) {
        const length = viewLength(layer, budget);
        if (layer.name.startsWith('conv')) for (let i = at; i < at + length; i++) v[i]! /= 10;
        at += length;
      }
      return keptPerLayer(project(createCompression(budget, lenet5), v), lenet5);
    };
    // Half of what 10% of each layer is.
    expect(keptOf({ flops: '10%' }).slice(0, 2)).toEqual([25, 1250]);
    const none = Object.fromEntries(lenet5.map(({ name }) => [name, { floor: 0 }]));
    expect(keptOf({ flops: '10%', layers: none }).slice(0, 2)).toEqual([0, 0]);
    expect(keptOf({ flops: '10%', layers: { conv1: { floor: '40%' } } }).slice(0, 2)).toEqual([200, 1250]);
  });

  it('neurons: every layer keeps half of an even share at least, and one in any case', () => {
    const kept = (budget: BudgetSpec): number[] => {
      const v = weightsOf(lenet5, budget).map((x, i) => (i < 520 + 25_050 ? x / 100 : x));
      const theta = project(createCompression(budget, lenet5), v);
      return [nonZeros(theta.subarray(0, 520)) / 26, nonZeros(theta.subarray(520, 520 + 25_050)) / 501];
    };
    expect(kept({ neurons: '20%' })).toEqual([2, 5]);
    expect(kept({ neurons: 3 })).toEqual([1, 1]);
    expect(kept({ flops: '30%', prune: 'neurons' })[0]).toBeGreaterThan(0);
  });

  it('default floors: as many as fit stay, and a note names the layers without', () => {
    // The weights of the first layers are a hundredth of the last one's, those of b a thousandth.
    const layers: LayerView[] = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
      ...{ name, size: 40, shape: [4, 10], units: 10, flopsPerWeight: name === 'b' ? 3 : 1 },
    }));
    const keptOf = (budget: BudgetSpec) => {
      const v = weightsOf(layers, budget).map((x, i) => (i < 160 ? x / (i >= 40 && i < 80 ? 1000 : 100) : x));
      const compression = createCompression(budget, layers);
      const units = keptPerLayer(project(compression, v), layers).map((n) => n / (seesUnits(budget) ? 4 : 1));
      return [units, compression.notes ?? []];
    };
    const note = (...names: string[]) => [`the budget leaves no room to keep a part of each layer: ${names.map((name) => `"${name}"`).join(', ')} may be emptied, which cuts the network`]; // prettier-ignore
    expect(keptOf({ neurons: 5 })).toEqual([[1, 1, 1, 1, 1], []]);
    expect(keptOf({ neurons: 3 })).toEqual([[1, 1, 1, 0, 0], note('d', 'e')]);
    // Given floors come first; the others share the rest.
    expect(keptOf({ neurons: 6, layers: { e: { floor: '40%' } } })).toEqual([[1, 1, 0, 0, 4], note('c', 'd')]);
    // The budget has 98 FLOPs, of which d and e take 80: the floors of 7 each shrink to 3, and 3 FLOPs remain.
    const [kept, notes] = keptOf({ flops: '35%', layers: { d: { floor: '100%' }, e: { floor: '100%' } } });
    expect(kept!.slice(1, 2)).toEqual([3]);
    expect(kept!.slice(3)).toEqual([40, 40]);
    expect(notes).toEqual([]);
    // Whole neurons for weights: one unit is 4 weights, of b 12 FLOPs.
    expect(keptOf({ weights: 12, prune: 'neurons' })).toEqual([[1, 1, 1, 0, 0], note('d', 'e')]);
    expect(keptOf({ flops: 17 / 280, prune: 'neurons' })).toEqual([[1, 0, 1, 1, 1], note('b')]);
  });

  it('neurons: whole units with their bias; the output layer stays', () => {
    for (const [neurons, kept] of [
      ['10%', 57],
      [57, 57],
      [0.1, 57],
      [1, 1],
      ['100%', 570],
    ] as const) {
      const compression = createCompression({ neurons }, lenet5);
      const theta = project(compression, weightsOf(lenet5, { neurons }));
      expect(compression.cost(theta)).toBe(kept);
      expect(nonZeros(theta.subarray(theta.length - 5010))).toBe(5010);
    }
    const local = createCompression({ neurons: '10%', scope: 'layer' }, lenet5);
    const theta = project(local, weightsOf(lenet5, { neurons: 2 }));
    expect(nonZeros(theta.subarray(0, 520))).toBe(2 * 26);
    expect(nonZeros(theta.subarray(520, 520 + 25_050))).toBe(5 * 501);
  });

  it('whole neurons under budgets of weights and of FLOPs', () => {
    const weights = createCompression({ keep: '20%', prune: 'neurons' }, lenet5);
    const theta = project(weights, weightsOf(lenet5, { prune: 'neurons', keep: '20%' }));
    // With the output layer's 5,000.
    expect(weights.cost(theta)).toBeLessThanOrEqual(86_100);
    expect(weights.cost(theta)).toBeGreaterThan(85_000);
    const flops = createCompression({ flops: '30%', prune: 'neurons' }, lenet5);
    const dense = 500 * 1152 + 25_000 * 128 + 405_000 * 2;
    const thinner = project(flops, weightsOf(lenet5, { prune: 'neurons', flops: '30%' }));
    expect(flops.cost(thinner)).toBeLessThanOrEqual(0.3 * dense);
  });

  it('penalties take the norm and the cost', () => {
    const view = (name: string, flopsPerWeight: number): LayerView => ({
      name,
      size: 2,
      shape: [2, 1],
      flopsPerWeight,
    });
    const layers = [view('a', 1), view('b', 100)];
    const v = Float32Array.of(1, 0.1, 1, 0.1);
    const mu = 1;
    expect([...project(createCompression({ alpha: 0.1 }, layers), v, mu)]).toEqual([1, 0, 1, 0]);
    expect([...project(createCompression({ alpha: 0.1, cost: 'flops' }, layers), v, mu)]).toEqual([1, 0, 0, 0]);
    expect(project(createCompression({ alpha: 0.5, norm: 'l1' }, layers), v, mu)[0]).toBe(0.5);
    expect(project(createCompression({ alpha: 0.5, norm: 'l2', form: 'penalty' }, layers), v, mu)[0]).toBe(0.5);
    expect(
      createCompression({ radius: 1, norm: 'l2' }, layers).cost(
        project(createCompression({ radius: 1, norm: 'l2' }, layers), v),
      ),
    ).toBeCloseTo(1);
  });

  it('int8 goes with 2:4, and any codebook with scope layer', () => {
    const layers = lenet300.slice(1);
    const theta = projected({ pattern: '2:4', quantize: { codebook: 'int8' } }, layers);
    for (let i = 0; i < 300; i += 4) {
      const block = [0, 1, 2, 3].map((k) => theta[(i + k) * 100 + 7]!);
      expect(nonZeros(block)).toBeLessThanOrEqual(2);
    }
    const local = projected({ keep: '5%', scope: 'layer', quantize: { codebook: 3 } }, layers);
    expect(new Set(local.subarray(0, 30_000)).size).toBeLessThanOrEqual(4);
    expect(new Set(local).size).toBeGreaterThan(4);
  });

  it('the format of the bytes can be another', () => {
    const format = () => ({ overheadBytes: 100, bitsPerWeight: 40 });
    expect(budgetKappa({ bytes: 1100 }, lenet300, { format })).toBe(200);
    expect(budgetKappa({ bytes: 105 }, lenet300, { format })).toBe(1);
    expect(() => budgetKappa({ bytes: 104 }, lenet300, { format })).toThrow('the least is 105');
  });
});
