/** Written ONNX files on our own engine, as platforms without onnxruntime compute them: onnxruntime is the oracle. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOnnx } from '../../../daemon/export/runOnnx.js';
import { openOnOwnEngine } from '../../../daemon/export/runOnnxOwn.js';
import { writeOnnx } from '../../../daemon/export/writeOnnx.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { frontEndOf } from '../../../daemon/model/frontEnds/frontEndOf.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import type { Model } from '../../../daemon/model/model.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';
import { builtModel } from './builtModel.js';

const MISSING = 'there is no onnxruntime for darwin x64';
const SAMPLES = 21;
/** Inputs and outputs with three axes of different sizes. */
const IMAGES = {
  class_name: 'Sequential',
  config: {
    name: 'images',
    layers: [
      { class_name: 'InputLayer', config: { name: 'in', batch_shape: [null, 6, 5, 3], dtype: 'float32' } },
      ...[4, 2].map((filters, i) => ({ class_name: 'Conv2D', config: { name: `conv${i}`, trainable: true, filters, kernel_size: [3, 3], strides: [1, 1], padding: 'same', data_format: 'channels_last', dilation_rate: [1, 1], groups: 1, activation: 'tanh', use_bias: true } })),
    ],
  },
}; // prettier-ignore

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-own-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function expectAlike(path: string, model: Model, tolerance = 1e-5): Promise<void> {
  const shapes = frontEndOf(model).inputs().map(({ shape }) => shape as number[]); // prettier-ignore
  const random = createRandom(5);
  const given = shapes.map((shape) => Float32Array.from({ length: SAMPLES * sizeOf(shape) }, () => random.next()));
  for (const output of frontEndOf(model).outputs().keys()) {
    const runs = [await openOnOwnEngine(path, model, shapes, output, MISSING), await openOnnx(path, model, shapes, output)];
    const [found, expected] = (await Promise.all(runs.map((run) => run.run(given, SAMPLES)))) as [Float32Array, Float32Array];
    for (const run of runs) await run.release();
    expect(found.length).toBe(expected.length);
    const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(scale).toBeGreaterThan(0);
    expect(expected.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0)).toBeLessThan(tolerance * scale);
  }
} // prettier-ignore

describe('a written file has the outputs that onnxruntime computes', () => {
  it.each([
    ['LeNet300', buildArchitecture('lenet300', 4)],
    ['a network of images, whose channels are last there and here', builtModel(IMAGES)],
  ])('of the layers of %s', async (name, model) => {
    const path = join(folder, `${name.length}.onnx`);
    await writeOnnx(model, path);
    await expectAlike(path, model);
  }); // prettier-ignore

  it.each(['cnn-folded', 'cnn-training', 'attention', 'external', 'tied'])('of %s, a file of PyTorch', async (name) => {
    const path = resolve('test/fixtures/onnx', `${name}.onnx`);
    await expectAlike(path, await readModel(path, { workspace: dirname(path) }));
  });

  it('of 16 bits, within what they round', async () => {
    const path = resolve('test/fixtures/onnx/half.onnx');
    await expectAlike(path, await readModel(path, { workspace: dirname(path) }), 2 ** -8);
  });
});

it('a file with other inputs than the data is refused', async () => {
  const path = resolve('test/fixtures/onnx/cnn-folded.onnx');
  const model = await readModel(path, { workspace: dirname(path) });
  await expect(openOnOwnEngine(path, model, [[3]], 0, MISSING)).rejects.toThrow('its inputs are of another size than the data'); // prettier-ignore
  await expect(openOnOwnEngine(path, model, [[3], [3]], 0, MISSING)).rejects.toThrow('it has other inputs and outputs than the model'); // prettier-ignore
});
