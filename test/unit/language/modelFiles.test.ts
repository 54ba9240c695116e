import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ModelFiles } from '../../../daemon/language/modelFiles.js';
import { tinyModel, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

/** No test here opens another format than model.json. */
const noLayers = () => Promise.resolve([]);

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

it('counts zeros once, and again when a shard was replaced behind the same model.json', async () => {
  const files = new ModelFiles(noLayers);
  const path = ws.path('model.json');
  expect(await files.knownZeros(path)).toBeUndefined();
  expect(await files.countZeros(path, ws.folder)).toBe(0);
  expect(await files.knownZeros(path)).toBe(0);
  const { weights } = tinyModel();
  weights.fill(0, 0, 3 * 4);
  await writeFile(ws.path('weights.bin'), weights);
  expect(await files.knownZeros(path)).toBeUndefined();
  expect(await files.countZeros(path, ws.folder)).toBe(3);
  expect(await files.knownZeros(path)).toBe(3);
});

it('counts zeros once a shard that could not be read was put right, behind the same model.json', async () => {
  const files = new ModelFiles(noLayers);
  const path = ws.path('model.json');
  const { weights } = tinyModel();
  await writeFile(ws.path('weights.bin'), 'short');
  expect(await files.countZeros(path, ws.folder)).toBeNull();
  expect(files.knownZeros(path)).toBeNull();
  await writeFile(ws.path('weights.bin'), weights);
  expect(files.knownZeros(path)).toBeUndefined();
  expect(await files.countZeros(path, ws.folder)).toBe(0);
  await rm(ws.path('weights.bin'));
  expect(await files.countZeros(path, ws.folder)).toBeNull();
  await writeFile(ws.path('weights.bin'), weights);
  expect(files.knownZeros(path)).toBeUndefined();
});

it('reads a model.json again that was replaced by one of the same size and time', async () => {
  const files = new ModelFiles(noLayers);
  const path = ws.path('model.json');
  await utimes(path, 1e9, 1e9);
  const before = (await files.open(path))!.layers.map(({ name }) => name);
  expect(before).toContain('fc1');
  const text = await readFile(path, 'utf8');
  await writeFile(ws.path('fresh.json'), text.replaceAll('fc1', 'fcX'));
  await utimes(ws.path('fresh.json'), 1e9, 1e9);
  await rename(ws.path('fresh.json'), path);
  expect((await files.open(path))!.layers.map(({ name }) => name)).toEqual(
    before.map((name) => name.replace('fc1', 'fcX')),
  );
});
