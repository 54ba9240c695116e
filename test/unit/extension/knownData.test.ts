import { resolve } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { AbsolutePath } from '../../../extension/paths.js';

const there = new Set([resolve('/w/net/iris.csv'), resolve('/w/data/all.npz')]);
vi.mock('vscode', () => ({
  Uri: { file: (path: string) => ({ path }) },
  workspace: {
    fs: {
      stat: ({ path }: { path: string }) => (there.has(path) ? Promise.resolve({}) : Promise.reject(new Error('none'))),
    },
  },
}));
const { knownData } = await import('../../../extension/data/knownData.js');

const file = (path: string) => path as AbsolutePath;
const plan = file('/w/net/a.prune.json');

test('what the plans of a model agree on is known, with absolute paths', async () => {
  expect(await knownData([{ plan, data: 'iris.csv' }])).toEqual({ plan, data: resolve('/w/net/iris.csv') });
  expect(await knownData([{ plan, data: 'mnist' }])).toEqual({ plan, data: 'mnist' });
  // The same file, from plans of two folders.
  const other = { plan: file('/w/plans/b.prune.json'), data: '../net/iris.csv' };
  expect(await knownData([{ plan, data: 'iris.csv' }, other])).toEqual({ plan, data: resolve('/w/net/iris.csv') });
  const labels = { source: '../data/all.npz', labels: 'y' };
  expect(await knownData([{ plan, data: labels }])).toEqual({
    plan,
    data: { source: resolve('/w/data/all.npz'), labels: 'y' },
  });
});

test('missing data, and plans without data or with different data, are not', async () => {
  expect(await knownData([])).toBeNull();
  for (const data of [undefined, 7, null, {}, 'data.npz', { source: 'iris.csv', test: 'gone.csv' }])
    expect(await knownData([{ plan, data }])).toBeNull();
  expect(
    await knownData([
      { plan, data: 'iris.csv' },
      { plan: file('/w/b.prune.json'), data: 'mnist' },
    ]),
  ).toBeNull();
  // A plan whose data is gone is ignored.
  expect(await knownData([{ plan, data: 'data.npz' }, { plan: file('/w/b.prune.json'), data: 'mnist' }])).toMatchObject({ data: 'mnist' }); // prettier-ignore
});
