/** The content of the data page for a model with several inputs, and for one whose outputs are trained together. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { floats, ints, npzFile } from '../../daemon/export/npyFile.js';
import { createRandom } from '../../daemon/lc/random.js';
import { writeTfjsModel } from '../../daemon/model/files/writeTfjs.js';
import { previewData } from '../../daemon/runs/previewData.js';
import { residual } from './engine-conformance/nets.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lcprune-preview-'));
});
afterEach(() => rm(home, { recursive: true, force: true, maxRetries: 10 }));

it(
  'has the samples of every input, in the order of the model, and what a run takes',
  { timeout: 120_000 },
  async () => {
    await writeTfjsModel(residual().model, join(home, 'model.json'));
    const [random, n] = [createRandom(3), 60];
    const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const [left, right] = [normal(n * 6), normal(n * 6)];
    const y = Int32Array.from({ length: n }, () => random.below(3));
    await writeFile(
      join(home, 'samples.npz'),
      npzFile({ y: ints(y), right: floats(right, [n, 2, 3]), left: floats(left, [n, 6]) }),
    );
    const shown = await previewData(join(home, 'model.json'), 'samples.npz', { workspace: home });
    expect(shown.inputs.map(({ name, shape, image }) => ({ name, shape, image }))).toEqual([
      { name: 'left', shape: [6], image: null },
      { name: 'right', shape: [2, 3], image: [2, 3, 3] },
    ]);
    expect(shown.answers).toHaveLength(16);
    const [rows, pictures] = shown.inputs;
    const grey = (value: number) => Math.round(((value - pictures!.range[0]) * 255) / (pictures!.range[1] - pictures!.range[0])); // prettier-ignore
    for (const [i, answer] of shown.answers.entries()) {
      const from = left.findIndex(
        (_, at) => at % 6 === 0 && rows!.values[i]!.every((value, j) => value === left[at + j]),
      );
      expect(from).toBeGreaterThanOrEqual(0);
      expect(answer).toBe(String(y[from / 6]));
      // The same sample's picture, grey: three bytes a pixel.
      const expected = [...right.subarray(from, from + 6)].flatMap((value) => Array<number>(3).fill(grey(value)));
      const found = [...Buffer.from(pictures!.pictures[i]!, 'base64')];
      expect(found).toHaveLength(18);
      expect(Math.max(...found.map((byte, at) => Math.abs(byte - expected[at]!)))).toBeLessThanOrEqual(1);
    }
    expect(shown.times[0]!.seconds).toBeGreaterThan(0);
  },
);

it('names the outputs that are trained together, and the others', { timeout: 120_000 }, async () => {
  await cp('test/fixtures/keras/other-head', home, { recursive: true });
  const arrays: Record<string, Uint8Array> = {};
  for (const [file, rename] of [['cls.npz', 'y_cls_'], ['reg.npz', 'y_reg_']] as const)
    for (const [name, bytes] of Object.entries(unzipSync(await readFile(join(home, file))))) arrays[name.replace(/^y_/, rename)] = bytes; // prettier-ignore
  await writeFile(join(home, 'both.npz'), zipSync(arrays));
  const shown = await previewData(join(home, 'model.keras'), 'both.npz', { workspace: home });
  expect(shown.notes.join('\n')).toMatch(/2 outputs are trained together, .*"cls" \(loss weight 1\)/);
  expect(shown.times[0]!.seconds).toBeGreaterThan(0);
  const alone = await previewData(join(home, 'model.keras'), 'reg.npz', { workspace: home });
  expect(alone.notes.join('\n')).toMatch(/the output "cls", which shares layers with "reg", is not trained/);
});
