import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageFormat } from '../../../daemon/export/sparse/packageFormat.js';
import { readSparsePackage } from '../../../daemon/export/sparse/readSparsePackage.js';
import { writeSparsePackage } from '../../../daemon/export/sparse/sparsePackage.js';
import { createCompression } from '../../../daemon/lc/budgets.js';
import { kappaOfBytes, storedBytes } from '../../../daemon/lc/sparseFormat.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { keepExactly } from './prunedModels.js';
import { randomNetwork } from './randomNetworks.js';

const LENET_KERNELS = ['fc1/kernel', 'fc2/kernel', 'fc3/kernel'];
const views = (model: LayersModel, names: readonly string[]) =>
  names.map((name) => {
    const { shape, data } = model.weights.find((weight) => weight.name === name)!;
    return { name: name.split('/')[0]!, shape, size: data.length, flopsPerWeight: 2 };
  });
const mapKernels = (model: LayersModel, f: (x: number, at: number) => number): LayersModel =>
  withWeights(
    model,
    new Map(
      model.weights.filter(({ name }) => name.endsWith('kernel')).map(({ name, data }) => [name, data.map(f)] as const),
    ),
  );

/** The biases of an untrained network are all 0; those of the network to be written are not. */
function trained(model: LayersModel): LayersModel {
  const random = createRandom(8);
  const biases = model.weights.filter(({ name }) => name.endsWith('bias'));
  return withWeights(model, new Map(biases.map(({ name, data }) => [name, data.map(() => random.normal())] as const)));
}

function expectRoundTrip(model: LayersModel, bytes: Uint8Array): void {
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

  it('has the size that its encoder promises, however the weights lie', () => {
    const reference = trained(buildArchitecture('lenet300', 1));
    const kernels = views(reference, LENET_KERNELS);
    const { encodedBytes } = packageFormat(reference)(kernels, undefined);
    const size = 266_200;
    for (const kept of [1, 1500, 200_000, size]) {
      const random = createRandom(kept);
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
        const theta = Float32Array.from({ length: size }, (_, i) => (at(i) ? 1 + random.next() : 0));
        let offset = 0;
        const values = kernels.map(({ size: n }, i) => {
          offset += n;
          return [LENET_KERNELS[i]!, theta.slice(offset - n, offset)] as const;
        });
        const written = writeSparsePackage(withWeights(reference, new Map(values)));
        expect(encodedBytes!(theta), `places ${which} of ${kept}`).toBe(written.length);
      }
    }
  });

  it.each([2500, 8192, 40_960, 400_000])('the C step of %i bytes keeps all that fit, and not one more', (bytes) => {
    const reference = trained(buildArchitecture('lenet300', 1));
    const kernels = views(reference, LENET_KERNELS);
    const random = createRandom(bytes);
    // Layers of different scales, so that they are pruned differently.
    const v = Float32Array.from({ length: 266_200 }, (_, i) => random.normal() * (i < 235_200 ? 0.5 : 1));
    const theta = new Float32Array(v.length);
    createCompression({ bytes }, kernels, { format: packageFormat(reference) }).project(v, 1, theta);
    const fileOf = (weights: Float32Array): number => {
      const parts = [weights.slice(0, 235_200), weights.slice(235_200, 265_200), weights.slice(265_200)];
      return writeSparsePackage(withWeights(reference, new Map(parts.map((part, i) => [LENET_KERNELS[i]!, part]))))
        .length;
    };
    const kept = theta.reduce((n, x) => n + Number(x !== 0), 0);
    const largest = [...v].map(Math.abs).sort((a, b) => b - a);
    // The largest weights, unchanged.
    for (let i = 0; i < v.length; i++)
      if (theta[i] !== (Math.abs(v[i]!) >= largest[kept - 1]! ? v[i] : 0)) expect(theta[i]).toBe(i);
    expect(fileOf(theta)).toBeLessThanOrEqual(bytes);
    const next = v.findIndex((x) => Math.abs(x) === largest[kept]);
    theta[next] = v[next]!;
    expect(fileOf(theta)).toBeGreaterThan(bytes);
  });

  it('is no larger for a zero by chance in a layer that the budget leaves alone', () => {
    const reference = trained(buildArchitecture('lenet300', 1));
    const names = ['fc1/kernel', 'fc3/kernel'];
    const pruned = keepExactly(reference, new Map([['fc1/kernel', 900], ['fc3/kernel', 100]])); // prettier-ignore
    const values = new Map(pruned.weights.map(({ name, data }) => [name, data]));
    const theta = Float32Array.from(names.flatMap((name) => [...values.get(name)!]));
    const promised = packageFormat(reference)(views(reference, names), undefined).encodedBytes!(theta);
    expect(writeSparsePackage(pruned).length).toBe(promised);
    for (const chance of [1, 40]) {
      const data = values.get('fc2/kernel')!.map((x, i) => (i < chance ? 0 : x));
      const model = withWeights(pruned, new Map([['fc2/kernel', data]]));
      const bytes = writeSparsePackage(model);
      expect(bytes.length).toBeLessThanOrEqual(promised);
      expectRoundTrip(model, bytes);
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
