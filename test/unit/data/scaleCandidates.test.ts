import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { classifier, dataConfig, float32, idxBytes, makeWorkspace, npyBytes } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const here = { workspace: workspace.folder, seed: 0 } as const;

const random = createRandom(8);
const n = 120;
const bytes = Array.from({ length: n * 4 }, (_, i) => Math.min(255, random.below(200) + 20 * (i % 4)));
workspace.write('d/images-idx3-ubyte', idxBytes([n, 2, 2], bytes));
workspace.write(
  'd/labels-idx1-ubyte',
  idxBytes(
    [n],
    Array.from({ length: n }, (_, i) => i % 2),
  ),
);

describe('scale "auto"', () => {
  it('without a reference: x/255 for bytes, as stored within [-1, 1], z-scores else, with a note', async () => {
    const write = (name: string, values: number[]) => {
      workspace.write(`${name}/x.npy`, npyBytes('<f4', [6, 1], float32(values)));
      workspace.write(`${name}/y.npy`, npyBytes('|u1', [6], Uint8Array.from([0, 1, 0, 1, 0, 1])));
    };
    write('small', [0, 0.5, -1, 1, 0.2, 0.1]);
    write('large', [0, 50, -1, 1, 2, 3]);
    const chosen = async (source: string, shape: number[]) => {
      const dataset = await openDataset(dataConfig(source, { scale: 'auto' }), classifier(shape, 2), here);
      expect(dataset.notes.at(-1)).toContain('by default');
      return dataset.mapping.preprocess.scale;
    };
    expect(await chosen('d', [4])).toBe('unit');
    expect(await chosen('small/x.npy', [1])).toBe('none');
    expect(await chosen('large/x.npy', [1])).toBe('standard');
    const table = (cell: (i: number, j: number) => number) =>
      Array.from({ length: 10 }, (_, i) => [i % 2, ...Array.from({ length: 64 }, (_, j) => cell(i, j))].join()).join(
        '\n',
      );
    workspace.write(
      'pixels.csv',
      table((i, j) => (i * j) % 256),
    );
    workspace.write(
      'features.csv',
      table((i, j) => i * j + 0.5),
    );
    expect(await chosen('pixels.csv', [64])).toBe('unit');
    expect(await chosen('features.csv', [64])).toBe('standard');
  });
});
