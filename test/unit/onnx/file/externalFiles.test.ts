import { copyFile, link, mkdir, mkdtemp, open, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readOnnxFile } from '../../../../daemon/onnx/file/onnxFile.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { fixturePath, float32, graph, model, node, tensor } from './protos.js';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lcprune-onnx-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const withExternal = (...entries: Readonly<Record<string, string>>[]): Uint8Array =>
  model(
    graph({
      nodes: [node('Sum', ['x', ...entries.map((_, i) => `w${i}`)], ['y'])],
      initializers: entries.map((external, i) => tensor({ name: `w${i}`, external })),
    }),
  );

async function refusal(path: string): Promise<{ code: string; message: string }> {
  const error = await readOnnxFile(path).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  const { code, message } = error as UserError;
  expect(message).not.toContain('\n');
  return { code, message };
}

it('the same weights as in one file', async () => {
  const files: string[] = [];
  const [one, two] = [await readOnnxFile(fixturePath('cnn-folded.onnx')), await readOnnxFile(fixturePath('external.onnx'), (path) => files.push(path))]; // prettier-ignore
  expect(files).toEqual([await realpath(fixturePath('external.onnx.data'))]);
  const external = [...two.model.graph.initializers.values()].filter((weight) => weight.external);
  expect(external.length).toBeGreaterThan(2);
  for (const weight of external) expect(weight.values()).toEqual(one.model.graph.initializers.get(weight.name)!.values()); // prettier-ignore
});

it.each<[string, string, RegExp]>([
  ['../outside.bin', 'path-outside-workspace', /leads out of the folder of the model; save the model with its weights beside it/],
  ['sub/../../outside.bin', 'path-outside-workspace', /leads out of the folder/],
  ['..\\outside.bin', 'path-outside-workspace', /leads out of the folder/],
  ['/etc/passwd', 'path-outside-workspace', /is no path from the model on/],
  ['C:\\weights.bin', 'path-outside-workspace', /is no path from the model on/],
  ['file:///etc/passwd', 'path-outside-workspace', /is a URL/],
  ['a\0b', 'path-outside-workspace', /is not a path/],
  ['linked.bin', 'path-outside-workspace', /is a link out of the folder of the model; put the file itself there/],
  ['linked/outside.bin', 'path-outside-workspace', /is a link out of the folder/],
  ['nowhere.bin', 'model-missing', /the values of "w0" lie in the file "nowhere.bin", which is missing; copy it into .* too, or save the model as one file/],
  ['sub', 'model-missing', /is no file/],
  ['short.bin', 'model-invalid', /ends at byte 4, and the values of "w0" lie from 0 to 8; is it cut off/],
  ['pointer.bin', 'model-invalid', /is a git-lfs pointer/],
])('a file %s', async (location, code, message) => {
  const inside = join(folder, 'model');
  await mkdir(join(inside, 'sub'), { recursive: true });
  await writeFile(join(folder, 'outside.bin'), float32(1, 2));
  await symlink(join(folder, 'outside.bin'), join(inside, 'linked.bin')).catch(() => undefined);
  await symlink(folder, join(inside, 'linked')).catch(() => undefined);
  await writeFile(join(inside, 'short.bin'), float32(1));
  await writeFile(join(inside, 'pointer.bin'), 'version https://git-lfs.github.com/spec/v1\n');
  const offset = location === 'pointer.bin' ? { offset: '4096' } : {};
  await writeFile(join(inside, 'net.onnx'), withExternal({ location, ...offset }));
  const refused = await refusal(join(inside, 'net.onnx'));
  expect(refused.code).toBe(code);
  expect(refused.message).toMatch(message);
}); // prettier-ignore

it.each<[string, Readonly<Record<string, string>>[], RegExp]>([
  ['an offset that is no number', [{ location: 'w.bin', offset: '-8' }], /its offset in another file, "-8", is no whole number/],
  ['an offset beyond 2^53', [{ location: 'w.bin', offset: '9999999999999999' }], /no whole number/],
  ['a length of another shape', [{ location: 'w.bin', length: '12' }], /its shape needs 8 bytes, and 12 of the file "w.bin" are named/],
  ['no location', [{ offset: '0' }], /lies in another file that is not named/],
  ['a range behind the end', [{ location: 'w.bin', offset: '9007199254740000' }], /ends at byte 16/],
  ['ranges that cross', [{ location: 'w.bin' }, { location: 'w.bin', offset: '4' }], /holds the values of "w1" and "w0" in the same place/],
])('%s', async (_, entries, message) => {
  await writeFile(join(folder, 'w.bin'), float32(1, 2, 3, 4));
  await writeFile(join(folder, 'net.onnx'), withExternal(...entries));
  expect((await refusal(join(folder, 'net.onnx'))).message).toMatch(message);
}); // prettier-ignore

it('one range of several tensors is read once; a file above 2 GB is read where its tensors lie', async () => {
  const offset = 3 * 2 ** 30;
  const big = await open(join(folder, 'big.bin'), 'w');
  await big.write(float32(5, 6), 0, 8, offset);
  await big.close();
  const place = { location: 'big.bin', offset: String(offset), length: '8' };
  await writeFile(join(folder, 'big.onnx'), withExternal(place, place, { location: 'big.bin', offset: '0' }));
  const { graph: g } = (await readOnnxFile(join(folder, 'big.onnx'))).model;
  const values = [...g.initializers.values()].map((weight) => weight.values());
  expect(values.map((one) => [...one])).toEqual([[5, 6], [5, 6], [0, 0]]); // prettier-ignore
  expect(values[0]!.buffer).toBe(values[1]!.buffer);
  await rm(join(folder, 'big.bin'));
});

it('a hard link and a link inside the folder are files of it', async () => {
  await copyFile(fixturePath('external.onnx'), join(folder, 'external.onnx'));
  await copyFile(fixturePath('external.onnx.data'), join(folder, 'store.bin'));
  await symlink('store.bin', join(folder, 'external.onnx.data'));
  expect((await readOnnxFile(join(folder, 'external.onnx'))).model.graph.initializers.size).toBeGreaterThan(2);
  await rm(join(folder, 'external.onnx.data'));
  await link(join(folder, 'store.bin'), join(folder, 'external.onnx.data'));
  expect((await readOnnxFile(join(folder, 'external.onnx'))).model.graph.initializers.size).toBeGreaterThan(2);
});

it('a tensor beside the model whose file was not read is named when its values are asked for', async () => {
  const { readOnnx } = await import('../../../../daemon/onnx/file/readOnnx.js');
  const { initializers } = readOnnx(withExternal({ location: 'w.bin' }), { path: 'net.onnx' }).graph;
  expect(initializers.get('w0')!.external).toEqual({ location: 'w.bin', offset: 0, length: 8 });
  expect(() => initializers.get('w0')!.values()).toThrow(/lie in the file "w.bin", which was not read/);
});
