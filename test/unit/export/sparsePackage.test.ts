import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageFormat, sparseBytes, weightsWithin } from '../../../daemon/export/packageFormat.js';
import { readSparsePackage } from '../../../daemon/export/readSparsePackage.js';
import { writeSparsePackage } from '../../../daemon/export/sparsePackage.js';
import { kappaOfBytes, storedBytes } from '../../../daemon/lc/sparseFormat.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/architectures.js';
import type { Model } from '../../../daemon/model/model.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { keepExactly } from './prunedModels.js';
import { randomNetwork } from './randomNetworks.js';

const LENET_KERNELS = ['fc1/kernel', 'fc2/kernel', 'fc3/kernel'];
const views = (model: Model, names: readonly string[]) =>
  names.map((name) => {
    const { shape, data } = model.weights.find((weight) => weight.name === name)!;
    return { name: name.split('/')[0]!, shape, size: data.length, flopsPerWeight: 2 };
  });
const mapKernels = (model: Model, f: (x: number, at: number) => number): Model =>
  withWeights(
    model,
    new Map(
      model.weights.filter(({ name }) => name.endsWith('kernel')).map(({ name, data }) => [name, data.map(f)] as const),
    ),
  );

/** The biases of an untrained network are all 0; those of the network to be written are not. */
function trained(model: Model): Model {
  const random = createRandom(8);
  const biases = model.weights.filter(({ name }) => name.endsWith('bias'));
  return withWeights(model, new Map(biases.map(({ name, data }) => [name, data.map(() => random.normal())] as const)));
}

function expectRoundTrip(model: Model, bytes: Uint8Array): void {
  const read = readSparsePackage(bytes, 'x.lcp');
  expect(read.topology).toEqual(model.topology);
  expect(read.weights.map(({ name, shape, dtype }) => ({ name, shape, dtype }))).toEqual(
    model.weights.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
  );
  model.weights.forEach(({ data }, i) => {
    const difference = data.findIndex((x, k) => read.weights[i]!.data[k] !== x);
    expect(difference, model.weights[i]!.name).toBe(-1);
  });
}

describe('the sparse package', () => {
  it('gives random networks back, in every code', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('fixed', 'smallest'), (seed, code) => {
        const { model } = randomNetwork(seed);
        expectRoundTrip(model, writeSparsePackage(model, { code }));
      }),
      { seed: 3, numRuns: 150 },
    );
  });

  it('has the size that the budget sums promise, at every count', () => {
    const reference = buildArchitecture('lenet300', 1);
    const format = packageFormat(reference)(views(reference, LENET_KERNELS), undefined);
    for (const kept of [
      [1, 0, 0],
      [700, 100, 50],
      [2000, 500, 162],
      [235_200, 30_000, 999],
    ]) {
      const biased = trained(reference);
      const pruned = keepExactly(biased, new Map(LENET_KERNELS.map((name, i) => [name, kept[i]!])));
      const total = kept[0]! + kept[1]! + kept[2]!;
      const fixed = writeSparsePackage(pruned, { code: 'fixed', sparse: new Set(LENET_KERNELS) });
      expect(fixed.length).toBe(storedBytes(format, total));
      expect(fixed.length).toBe(sparseBytes(reference, new Map(LENET_KERNELS.map((name, i) => [name, kept[i]!]))));
      const smallest = writeSparsePackage(pruned);
      expect(smallest.length).toBeLessThanOrEqual(fixed.length);
      expectRoundTrip(pruned, fixed);
      expectRoundTrip(pruned, smallest);
    }
  });

  it('meets a budget in bytes to the last weight', () => {
    const reference = buildArchitecture('lenet300', 1);
    const format = packageFormat(reference)(views(reference, LENET_KERNELS), undefined);
    const kappa = kappaOfBytes(format, 8192);
    const size = (kept: number) =>
      writeSparsePackage(
        keepExactly(
          trained(reference),
          new Map([
            ['fc1/kernel', kept],
            ['fc2/kernel', 0],
            ['fc3/kernel', 0],
          ]),
        ),
        {
          code: 'fixed',
        },
      ).length;
    expect(size(kappa)).toBeLessThanOrEqual(8192);
    expect(size(kappa + 1)).toBeGreaterThan(8192);
  });

  it('surely holds what the gap code promises, however the weights lie, and that is more', () => {
    const reference = trained(buildArchitecture('lenet300', 1));
    const kernels = views(reference, LENET_KERNELS);
    const size = 266_200;
    for (const bytes of [2500, 8192, 40_960, 400_000]) {
      const kept = weightsWithin(reference, kernels, undefined, bytes);
      expect(kept).toBeGreaterThan(kappaOfBytes(packageFormat(reference)(kernels, undefined), bytes));
      const random = createRandom(bytes);
      const shuffled = Uint32Array.from({ length: size }, (_, i) => i);
      random.shuffle(shuffled);
      const chosen = new Set(shuffled.subarray(0, kept));
      const places: ((i: number) => boolean)[] = [
        (i) => i < kept,
        (i) => i >= size - kept,
        (i) => Math.floor(((i + 1) * kept) / size) > Math.floor((i * kept) / size),
        (i) => chosen.has(i),
      ];
      for (const [which, at] of places.entries()) {
        let offset = 0;
        const values = new Map(
          LENET_KERNELS.map((name, layer) => {
            const { length } = reference.weights.find((weight) => weight.name === name)!.data;
            const data = Float32Array.from({ length }, (_, i) => (at(offset + i) ? 1 + random.next() : 0));
            offset += kernels[layer]!.size;
            return [name, data] as const;
          }),
        );
        const model = withWeights(reference, values);
        expect(writeSparsePackage(model).length, `places ${which} of ${bytes}`).toBeLessThanOrEqual(bytes);
      }
    }
  });

  it('counts layers that the budget leaves alone in full', () => {
    const reference = buildArchitecture('lenet300', 1);
    const format = packageFormat(reference)(views(reference, ['fc1/kernel']), undefined);
    const pruned = keepExactly(trained(reference), new Map([['fc1/kernel', 1000]]));
    expect(writeSparsePackage(pruned, { code: 'fixed' }).length).toBe(storedBytes(format, 1000));
  });

  it.each([
    ['a codebook of 16', 16],
    ['ternary', 'ternary'],
    ['int8', 'int8'],
  ] as const)('writes %s within the bytes that the budget promises, and exactly', (_name, codebook) => {
    const reference = buildArchitecture('lenet300', 1);
    const random = createRandom(2);
    const kept = keepExactly(reference, new Map(LENET_KERNELS.map((name, i) => [name, [2000, 900, 300][i]!])));
    const step = 0.0123456789;
    const quantized = mapKernels(kept, (x) => {
      if (x === 0) return 0;
      if (codebook === 'ternary') return Math.fround(Math.sign(x) * 0.3);
      if (codebook === 'int8') return Math.fround((1 + random.below(127)) * Math.sign(x) * step);
      return Math.fround((1 + random.below(16)) / 7);
    });
    const format = packageFormat(reference)(views(reference, LENET_KERNELS), { codebook });
    const bytes = writeSparsePackage(quantized, { code: 'fixed' });
    expect(bytes.length).toBeLessThanOrEqual(storedBytes(format, 3200));
    expect(bytes.length).toBeGreaterThan(storedBytes(format, 3200) - 64 - 8 * 3);
    expectRoundTrip(quantized, bytes);
    expectRoundTrip(quantized, writeSparsePackage(quantized));
  });
});
