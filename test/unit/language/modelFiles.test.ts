import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ModelFiles } from '../../../daemon/language/modelFiles.js';
import { tinyModel, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
beforeEach(async () => {
  ws = await tinyWorkspace();
});
afterEach(() => ws.remove());

it('counts zeros once, and again when a shard was replaced behind the same model.json', async () => {
  const files = new ModelFiles();
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
