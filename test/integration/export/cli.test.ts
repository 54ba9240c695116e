import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FORMATS } from '../../../daemon/export/formats.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { lcPrune } from '../../fixtures/cli.js';
import { keepShare } from '../../unit/export/prunedModels.js';

const model = keepShare(buildArchitecture('lenet300', 1), 0.01, 1);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc-prune-export-cli-'));
  await writeTfjsModel(model, join(folder, 'net.json'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

it('lists the size of every format and the survivors', async () => {
  const { code, lines, stderr } = await lcPrune(['export', 'net.json', '--json'], { cwd: folder });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(lines.filter(({ event }) => event === 'format').map(({ format }) => format)).toEqual(
    FORMATS.map(({ id }) => id),
  );
  const thinned = lines.find(({ event }) => event === 'thinned') as { inputs: { features: number; read: number }[] };
  expect(thinned.inputs[0]!.features).toBe(784);
  expect(thinned.inputs[0]!.read).toBeLessThan(784);
  const text = await lcPrune(['export', 'net.json'], { cwd: folder });
  expect(text.stdout).toMatch(/sparse +Sparse package .*x\n/);
  expect(text.stdout).toMatch(/fc1 +\d+ of 300/);
});

it('writes the file it names, and reads a package back', async () => {
  const sparse = await lcPrune(['export', 'net.json', '--format', 'sparse', '--json'], { cwd: folder });
  expect(sparse.code).toBe(0);
  expect(sparse.lines).toEqual([
    { event: 'exported', format: 'sparse', path: join(folder, 'net-sparse.lcp'), bytes: expect.any(Number) as number },
  ]);
  expect((await stat(join(folder, 'net-sparse.lcp'))).size).toBe(sparse.lines[0]!['bytes']);
  const back = await lcPrune(['export', 'net-sparse.lcp', '--format', 'tfjs-layers', '--out', 'back/model.json'], { cwd: folder }); // prettier-ignore
  expect(back.stderr).toBe('');
  const read = await readLayers(join(folder, 'back', 'model.json'), { workspace: folder });
  expect(read.weights.map(({ data }) => [...data].map((x) => x || 0))).toEqual(
    model.weights.map(({ data }) => [...data].map((x) => x || 0)),
  );
});

it.each([
  [['export', 'net.json', '--format', 'pickle'], /no format is called "pickle"; known: tfjs-layers/],
  [['export', 'net.json', '--out', 'x.dat'], /no network is written as "x.dat"; its ending says the format/],
  [['export', 'net.json', '--format', 'onnx', '--out', 'x.keras'], /name of a Keras 3 file, and the format is ONNX/],
  [['export', 'nothing.json'], /no model file and no run "nothing.json"/],
  [['export', 'bad.lcp', '--format', 'onnx'], /bad.lcp is no sparse package that can be read/],
  [['export', 'net.json', '--format', 'tfjs-layers', '--out', 'net.json'], /is the model itself/],
  [
    ['export', 'net.json', '--format', 'onnx', '--out', '../out.onnx', '--workspace', '.'],
    /leads out of the workspace/,
  ],
])('refuses %j in one line, and writes nothing', async (args, message) => {
  await writeFile(join(folder, 'bad.lcp'), 'LCSP\x01 nonsense');
  const before = (await readdir(folder)).sort();
  const { code, stderr } = await lcPrune(args, { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect((await readdir(folder)).sort()).toEqual(before);
});
