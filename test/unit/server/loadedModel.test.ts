import { copyFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LoadedModels } from '../../../daemon/server/models/loadedModel.js';
import { tinyModel, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
let cache: LoadedModels;
beforeEach(async () => {
  ws = await tinyWorkspace();
  cache = new LoadedModels();
});
afterEach(() => ws.remove());

const load = () => cache.load(ws.path('model.json'), ws.folder);
const firstWeight = async () => (await load()).weights.get('fc1/kernel')![0];

/** The tiny model's weights, the first one another. */
const replaced = (value: number) => {
  const { weights } = tinyModel();
  weights.writeFloatLE(value, 0);
  return weights;
};

describe('the model asked about last', () => {
  it('is read once while its files stay', async () => {
    expect(await load()).toBe(await load());
  });

  it('is read again when a shard was replaced, though model.json and all sizes and times are the same', async () => {
    await load();
    const { atime, mtime } = await stat(ws.path('weights.bin'));
    await writeFile(ws.path('fresh.bin'), replaced(7));
    await utimes(ws.path('fresh.bin'), atime, mtime);
    await rename(ws.path('fresh.bin'), ws.path('weights.bin'));
    expect(await firstWeight()).toBe(7);
  });

  it('is read again when a shard was written in place', async () => {
    await load();
    await writeFile(ws.path('weights.bin'), replaced(8));
    expect(await firstWeight()).toBe(8);
  });

  it('is read again after a failure, once its files are whole', async () => {
    await load();
    await copyFile(ws.path('weights.bin'), ws.path('kept.bin'));
    await writeFile(ws.path('weights.bin'), 'short');
    await expect(load()).rejects.toMatchObject({ code: 'model-invalid' });
    await copyFile(ws.path('kept.bin'), ws.path('weights.bin'));
    expect((await load()).weights.size).toBe(4);
  });
});
