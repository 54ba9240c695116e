/** Exports of a finished run, over real files: lc/exportFormats, lc/latency, lc/export. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machineText } from '../../../../daemon/export/machine.js';
import { readLayers } from '../../../fixtures/readLayers.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';
import { readExports } from '../../../../daemon/runs/results/kept.js';
import { startServed, type Served } from './served.js';

let served: Served;
beforeAll(async () => {
  served = await startServed();
});
afterAll(() => served.close());

describe('lc/export', () => {
  let run: string;
  beforeAll(async () => {
    // A finished run, as far as exports look.
    run = '2026-01-01T00-00-00-net';
    const folder = join(served.workspace, '.lcprune', 'runs', run);
    await mkdir(join(folder, 'result'), { recursive: true });
    await writeTfjsModel(
      await readLayers(served.model, { workspace: served.workspace }),
      join(folder, 'result', 'model.json'),
    );
  });

  it('offers formats with sizes measured on the files', async () => {
    const formats = await served.call('lc/exportFormats', { run });
    const dense = formats.find(({ format }) => format === 'tfjs-layers')!;
    expect(dense.bytes).toBeGreaterThan(4 * 266_610);
    expect(dense.gzip).toBeLessThan(dense.bytes);
    expect(dense.brotli).toBeLessThanOrEqual(dense.gzip);
    expect(dense.ratio).toBeCloseTo((4 * 266_610) / dense.bytes, 6);
    // What the suggested file name ends with; a folder has no ending.
    const endings = Object.fromEntries(formats.map(({ format, extension }) => [format, extension]));
    expect(endings).toMatchObject({
      'tfjs-layers': '.json',
      'keras-h5': '.h5',
      keras: '.keras',
      'sparse-module': '.mjs',
      'scipy-csr': '',
    });
  });

  it('has at once what was measured when the run ended', async () => {
    const file = join(served.workspace, '.lcprune', 'runs', run, 'result', 'exports.json');
    const kept = { format: 'keras', name: 'Keras 3', extension: '.keras', bytes: 7, gzip: 6, brotli: 5, ratio: 2, network: 'pruned', use: 'python', recommended: true, faithful: true, error: 0.25 }; // prettier-ignore
    const latency = { machine: machineText(), rows: [], left: [], flops: { pruned: 2, thinned: 1 } };
    const measured = { version: 1, reference: 14, formats: [kept], left: [], latency, notes: [] };
    await writeFile(file, JSON.stringify(measured));
    expect(await served.call('lc/exportFormats', { run })).toEqual([kept]);
    expect(await served.call('lc/latency', { run })).toEqual(latency);
    // What is damaged was not measured.
    await writeFile(file, JSON.stringify({ ...measured, formats: 'many' }));
    expect(await readExports(dirname(dirname(file)))).toBeNull();
    await rm(file);
  });

  it('writes a model that reads back equal, with the reported size', async () => {
    const target = join(served.workspace, 'exported');
    const { path, bytes } = await served.call('lc/export', { run, format: 'tfjs-layers', target });
    expect(path).toBe(join(target, 'model.json'));
    const files = await readdir(target);
    const sizes = await Promise.all(files.map(async (file) => (await readFile(join(target, file))).length));
    expect(bytes).toBe(sizes.reduce((total, size) => total + size, 0));
    const [original, exported] = await Promise.all(
      [served.model, path].map((file) => readLayers(file, { workspace: served.workspace })),
    );
    expect(exported!.weights.map(({ data }) => [...data.slice(0, 100)])).toEqual(
      original!.weights.map(({ data }) => [...data.slice(0, 100)]),
    );
  });

  it('refuses what it cannot do, in words', async () => {
    const target = join(served.workspace, 'exported2');
    expect((await served.client.refused('lc/export', { run, format: 'zip', target })).message).toMatch(/tfjs-layers/);
    const nowhere = join(served.workspace, 'a', 'b', 'c');
    expect((await served.client.refused('lc/export', { run, format: 'tfjs-layers', target: nowhere })).message).toMatch(
      /no folder/,
    );
    expect((await served.client.refused('lc/export', { run: `${run}x`, format: 'tfjs-layers', target })).data).toMatchObject({ code: 'run-missing' }); // prettier-ignore
    await mkdir(join(served.workspace, '.lcprune', 'runs', 'empty'), { recursive: true });
    expect((await served.client.refused('lc/export', { run: 'empty', format: 'tfjs-layers', target })).message).toMatch(
      /no result/,
    );
    expect((await served.client.refused('lc/layer', { run, layer: 'fc1' })).code).toBe(-32050);
  });
});
