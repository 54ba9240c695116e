/** The check of written models must find violations: models exceed each budget by one. */
import { describe, expect, it } from 'vitest';
import { checkBudgets } from '../../../daemon/export/budgetChecks.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { builtModel } from './builtModel.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { withWeights } from '../../../daemon/model/weights.js';
import type { Budget } from '../../../daemon/protocol/plan.js';

const LAYERS = ['conv1', 'conv2', 'fc1', 'fc2'];
const model = buildArchitecture('lenet5', 2);
const random = createRandom(6);
/** LeNet5 whose kernels are given by a function of layer and index; no value is 0 by chance. */
const made = (value: (layer: string, i: number) => number): LayersModel =>
  withWeights(
    model,
    new Map(
      model.weights
        .filter(({ name }) => name.endsWith('/kernel'))
        .map(({ name, data }) => [name, data.map((_, i) => value(name.split('/')[0]!, i))] as const),
    ),
  );
const noise = (): number => 0.1 + random.next();
const check = (of: LayersModel, budget: Budget, fileBytes = 1000, layers = LAYERS) =>
  checkBudgets(of, [{ name: 'all', layers, budget }], fileBytes, () => true);
/** The first `kept` weights of a layer; all others are 0. */
const only = (layer: string, kept: number) => made((name, i) => (name === layer && i < kept ? noise() : 0));

describe('checks of a written model', () => {
  it('weights', () => {
    expect(check(only('fc1', 4305), { keep: '1%' })).toEqual([
      { task: 'all', kind: 'weights', asked: '1%', limit: 4305, got: 4305, met: true },
    ]);
    expect(check(only('fc1', 4306), { keep: '1%' })).toMatchObject([{ got: 4306, met: false }]);
    // Within the sum, not within one layer's own.
    expect(check(only('fc2', 51), { keep: '1%', scope: 'layer' })).toMatchObject([
      { limit: 4305, got: 51, met: false },
    ]);
  });

  it('bytes', () => {
    expect(check(model, { bytes: '1 kB' }, 1024)).toMatchObject([{ limit: 1024, got: 1024, met: true }]);
    expect(check(model, { bytes: '1 kB' }, 1025)).toMatchObject([{ got: 1025, met: false }]);
  });

  it('FLOPs', () => {
    // 500 x 1152 + 25,000 x 128 + 405,000 x 2 = 4,586,000.
    const [met] = check(only('conv1', 398), { flops: '10%' });
    expect(met).toMatchObject({ kind: 'flops', limit: 458_600, got: 398 * 1152, met: true });
    expect(check(only('conv1', 399), { flops: '10%' })).toMatchObject([{ got: 399 * 1152, met: false }]);
  });

  it('neurons', () => {
    const units = (kept: number) => made((name, i) => (name === 'fc1' ? (i % 500 < kept ? noise() : 0) : noise()));
    // 20 filters, 50 filters, and these; the 10 answers do not count.
    expect(check(units(30), { neurons: 100 })).toMatchObject([{ kind: 'neurons', limit: 100, got: 100, met: true }]);
    expect(check(units(31), { neurons: 100 })).toMatchObject([{ got: 101, met: false }]);
    expect(check(units(30), { neurons: '10%', scope: 'layer' })).toMatchObject([{ limit: 57, got: 100, met: false }]);
  });

  it('N:M counts along the inputs of a unit', () => {
    const rows = (kept: (input: number, unit: number) => boolean) =>
      made((name, i) => (name === 'fc2' && kept(Math.floor(i / 10), i % 10) ? noise() : 0));
    expect(
      check(
        rows((input) => input % 4 < 2),
        { pattern: '2:4' },
      ),
    ).toMatchObject([{ limit: 2, got: 2, met: true }]);
    const one = rows((input, unit) => input % 4 < 2 || (input === 499 && unit === 9) || (input === 498 && unit === 9));
    expect(check(one, { pattern: '2:4' })).toMatchObject([{ got: 4, met: false }]);
  });

  it('fan-in counts the inputs of each neuron and filter', () => {
    const inputs = (most: number, last = most) => made((name, i) => (name === 'conv2' && Math.floor(i / 50) < (i % 50 === 49 ? last : most) ? noise() : 0)); // prettier-ignore
    expect(check(inputs(7), { fanIn: 7 })).toEqual([
      { task: 'all', kind: 'inputs', asked: 'fan-in 7', limit: 7, got: 7, met: true },
    ]);
    // One filter of fifty has one more.
    expect(check(inputs(7, 8), { fanIn: 7 })).toMatchObject([{ got: 8, met: false }]);
    expect(check(inputs(7), { fanIn: 7, weights: 349 })).toMatchObject([
      { kind: 'weights', met: false },
      { kind: 'inputs', met: true },
    ]);
  });

  it('codes', () => {
    const coded = (codes: readonly number[]) => made((_, i) => (i % 3 === 0 ? 0 : codes[i % codes.length]!));
    expect(check(coded([1, 2, 3, 4]), { quantize: { codebook: 4 } })).toMatchObject([{ got: 4, met: true }]);
    expect(check(coded([1, 2, 3, 4, 5]), { quantize: { codebook: 4 } })).toMatchObject([{ got: 5, met: false }]);
    expect(check(coded([-0.5, 0.5]), { quantize: { codebook: 'ternary' } })).toMatchObject([{ met: true }]);
    expect(check(coded([-0.5, 0.25]), { quantize: { codebook: 'ternary' } })).toMatchObject([{ met: false }]);
    const grid = coded([127, -3, 50, 1].map((q) => Math.fround(q * 0.013)));
    expect(check(grid, { quantize: { codebook: 'int8' } })).toMatchObject([{ asked: 'int8', met: true }]);
    expect(check(coded([1, 0.501]), { quantize: { codebook: 'int8' } })).toMatchObject([{ met: false }]);
  });

  it('floors and caps', () => {
    const budget: Budget = { weights: 1000, layers: { fc2: { floor: '10%', cap: '15%' } } };
    const kinds = (kept: number) => check(only('fc2', kept), budget).map(({ kind, met }) => [kind, met]);
    expect(kinds(500)).toEqual([['weights', true], ['floor', true], ['cap', true]]); // prettier-ignore
    expect(kinds(499)).toEqual([['weights', true], ['floor', false], ['cap', true]]); // prettier-ignore
    expect(kinds(751)).toEqual([['weights', true], ['floor', true], ['cap', false]]); // prettier-ignore
  });

  it('of a layer with several kernels count all of them', () => {
    const layers = [
      { class_name: 'LSTM', config: { name: 'lstm', units: 4, batch_input_shape: [null, 5, 6] } },
      { class_name: 'Dense', config: { name: 'fc', units: 2 } },
    ];
    const lstm = builtModel({ class_name: 'Sequential', config: { name: 'm', layers } });
    // 96 weights of the kernel and 64 of the recurrent one: half of both is 80.
    const kept = (n: number) =>
      withWeights(lstm, new Map(lstm.weights.map(({ name, data }) => [name, data.map((x, i) => (name === 'lstm/kernel' && i < n ? x : name === 'lstm/recurrent_kernel' && i < 4 ? x : 0))]))); // prettier-ignore
    const budget: Budget = { weights: 100, layers: { lstm: { floor: '50%', cap: '50%' } } };
    const met = (n: number) => check(kept(n), budget, 1000, ['lstm', 'fc']).map(({ kind, got, met }) => [kind, got, met]); // prettier-ignore
    expect(met(76)).toEqual([['weights', 80, true], ['floor', 80, true], ['cap', 80, true]]); // prettier-ignore
    expect(met(75)).toEqual([['weights', 79, true], ['floor', 79, false], ['cap', 79, true]]); // prettier-ignore
    // Each layer's own budget is for both kernels together.
    expect(check(kept(76), { weights: 8, scope: 'layer' }, 1000, ['lstm'])).toMatchObject([{ limit: 8, got: 80, met: false }]); // prettier-ignore
  });

  it('norms; penalties have nothing to meet', () => {
    const of = made((name, i) => (name === 'fc2' && i < 2 ? 3 : 0));
    expect(check(of, { radius: 18, norm: 'l2' })).toMatchObject([{ kind: 'norm', got: 18, met: true }]);
    expect(check(of, { radius: 17.9, norm: 'l2' })).toMatchObject([{ got: 18, met: false }]);
    expect(check(of, { alpha: 0.1 })).toMatchObject([{ kind: 'penalty', limit: null, got: 2, met: null }]);
  });

  it('several tasks: bytes are those of the layers', () => {
    const tasks = [
      { name: 'a', layers: ['fc1'], budget: { bytes: 100 } },
      { name: 'b', layers: ['conv1'], budget: { weights: 1 } },
    ];
    const [bytes, weights] = checkBudgets(only('fc1', 20), tasks, 1_000_000, () => true);
    // Head of the section (6 bytes), 20 values; 20 positions in a row take some bits each.
    expect(bytes!.got).toBeGreaterThan(6 + 80);
    expect(bytes!.got).toBeLessThan(6 + 80 + 10);
    expect(bytes).toMatchObject({ task: 'a', limit: 100, met: true });
    expect(weights).toMatchObject({ task: 'b', got: 0, met: true });
  });
});
