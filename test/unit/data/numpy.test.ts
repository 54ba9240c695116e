import { zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { parseNpy } from '../../../daemon/data/files/npy.js';
import { classifier, dataConfig, float32, messageOf, npyBytes, readAll } from './fixtures.js';
import { encode, here, valuesOf, workspace } from './numpyValues.js';

afterAll(() => workspace.remove());

describe('.npy', () => {
  it.each(['<f4', '>f4', '<f8', '>f8', '|i1', '<i2', '>i2', '<i4', '>i4', '<i8', '>i8'])('reads %s', async (code) => {
    const values = code.endsWith('f4') || code.endsWith('f8') ? [0.5, -1.25, 3, 0, 100, -7] : [0, -1, 3, 0, 100, -7];
    expect(await valuesOf(code, [2, 3], encode(code, values))).toEqual(values.map((v) => v + 0));
  });

  it.each(['|u1', '<u2', '>u2', '<u4', '>u4', '<u8', '>u8'])('reads %s', async (code) => {
    expect(await valuesOf(code, [6], encode(code, [0, 1, 200, 3, 255, 7]))).toEqual([0, 1, 200, 3, 255, 7]);
  });

  it('reads bool and half floats', async () => {
    expect(await valuesOf('|b1', [3], Uint8Array.from([1, 0, 1]))).toEqual([1, 0, 1]);
    // 1, -2, 65504 (largest), 2^-24 (smallest subnormal), 0.333251953125: IEEE 754-2008, table of binary16.
    const bits = Uint16Array.from([0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555]);
    expect(await valuesOf('<f2', [5], new Uint8Array(bits.buffer))).toEqual([1, -2, 65504, 2 ** -24, 0.333251953125]);
  });

  it('reads Fortran order', async () => {
    const [n, h, w] = [3, 2, 4];
    const value = (i: number, j: number, k: number) => i * 100 + j * 10 + k;
    const columnMajor: number[] = [];
    for (let k = 0; k < w; k++)
      for (let j = 0; j < h; j++) for (let i = 0; i < n; i++) columnMajor.push(value(i, j, k));
    const rowMajor: number[] = [];
    for (let i = 0; i < n; i++) for (let j = 0; j < h; j++) for (let k = 0; k < w; k++) rowMajor.push(value(i, j, k));
    expect(await valuesOf('<f8', [n, h, w], encode('<f8', columnMajor), true)).toEqual(rowMajor);
    expect(await valuesOf('<f8', [n, h, w], encode('<f8', rowMajor), false)).toEqual(rowMajor);
  });

  it.each([
    ['not npy', Buffer.from('hello world, this is text'), /not a \.npy file/],
    ['cut short', npyBytes('<f4', [4], float32([1, 2, 3])), /4 values.*cut short/],
    ['too long', npyBytes('<f4', [2], float32([1, 2, 3])), /too long/],
    ['objects', npyBytes('|O', [2], new Uint8Array(16)), /Python objects/],
    ['text', npyBytes('<U8', [1], new Uint8Array(32)), /dtype "U8"/],
    ['2^40 values', npyBytes('<f8', [2 ** 20, 2 ** 20], new Uint8Array(16)), /cut short/],
    ['beyond integers', npyBytes('<f8', [1e30], new Uint8Array(16)), /not that of a plain|impossible/],
    ['NaN', npyBytes('<f4', [2, 2], float32([1, 2, 3, NaN])), /sample 1 has the value NaN at position 1/],
    ['infinity', npyBytes('<f4', [2, 2], float32([1, -Infinity, 3, 4])), /sample 0 has the value infinity.*position 1/],
    ['double beyond float32', npyBytes('<f8', [1], encode('<f8', [1e300])), /infinity/],
    ['empty', npyBytes('<f4', [0, 4], new Uint8Array(0)), /empty/],
  ])('refuses %s', async (_, bytes, message) => {
    expect(await messageOf(Promise.resolve().then(() => parseNpy('a.npy', bytes)))).toMatch(message);
  });
});

const x = [1, 2, 3, 4, 5, 6, 7, 8];
const labels = npyBytes('<i8', [4], encode('<i8', [0, 1, 2, 1]));

describe('.npy data sets', () => {
  it('pairs X_train.npy with y_train.npy, and tests on X_test.npy', async () => {
    workspace.write('np/X_train.npy', npyBytes('<f4', [4, 2], float32(x)));
    workspace.write('np/Y_train.npy', labels);
    workspace.write('np/X_test.npy', npyBytes('<f4', [1, 2], float32([9, 9])));
    workspace.write('np/Y_test.npy', npyBytes('<i8', [1], encode('<i8', [2])));
    const config = dataConfig('np/X_train.npy', { test: 'np/X_test.npy' });
    const dataset = await openDataset(config, classifier([2], 3), here);
    expect((await readAll(dataset, dataset.train)).inputs.flat()).toEqual(x);
    expect(await readAll(dataset, dataset.test)).toEqual({ inputs: [[9, 9]], targets: [[0, 0, 1]] });
  });

  it('streams from disk above the memory limit, in any order of rows', async () => {
    const values = Array.from({ length: 600 }, (_, i) => i / 7);
    workspace.write('big/x.npy', npyBytes('>f8', [100, 6], encode('>f8', values)));
    workspace.write(
      'big/y.npy',
      npyBytes(
        '|u1',
        [100],
        Uint8Array.from({ length: 100 }, (_, i) => i % 3),
      ),
    );
    const open = (memoryLimit: number) =>
      openDataset(dataConfig('big/x.npy', { scale: 'standard' }), classifier([6], 3), { ...here, memoryLimit });
    const [streamed, resident] = [await open(1000), await open(1e6)];
    expect(streamed.hash).toBe(resident.hash);
    const order = Uint32Array.from({ length: 80 }, (_, i) => (i * 37) % 80);
    const read = async (dataset: typeof streamed) => {
      const buffers = [new Float32Array(480), new Float32Array(240)] as const;
      await dataset.train.gather(order, 0, 80, [buffers[0]], buffers[1]);
      return buffers;
    };
    expect(await read(streamed)).toEqual(await read(resident));
    streamed.close();
  });

  it('finds NaN in a streamed file before training', async () => {
    workspace.write('nan/x.npy', npyBytes('<f4', [3, 2], float32([1, 2, 3, 4, 5, NaN])));
    workspace.write('nan/y.npy', npyBytes('|u1', [3], Uint8Array.from([0, 1, 0])));
    const opening = openDataset(dataConfig('nan/x.npy'), classifier([2], 2), { ...here, memoryLimit: 10 });
    expect(await messageOf(opening)).toMatch(/nan\/x\.npy: sample 2 has the value NaN at position 1/);
  });
});

describe('.npz data sets', () => {
  const arrays = {
    'x_train.npy': npyBytes('<f4', [4, 2], float32(x)),
    'y_train.npy': labels,
    'x_test.npy': npyBytes('<f4', [2, 2], float32([9, 8, 7, 6])),
    'y_test.npy': npyBytes('<i8', [2], encode('<i8', [2, 0])),
    'notes.npy': npyBytes('<U8', [1], new Uint8Array(32)),
  };

  it.each([0, 6] as const)('reads the usual arrays at compression level %d', async (level) => {
    workspace.write(`usual${level}.npz`, zipSync(arrays, { level }));
    const dataset = await openDataset(dataConfig(`usual${level}.npz`), classifier([2], 3), here);
    expect((await readAll(dataset, dataset.train)).inputs.flat()).toEqual(x);
    expect((await readAll(dataset, dataset.test)).targets).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect(dataset.test.size).toBe(2);
  });

  it('reads several inputs, and one-hot targets', async () => {
    const oneHot = float32([1, 0, 0, 1, 1, 0]);
    workspace.write(
      'two.npz',
      zipSync({
        'a.npy': npyBytes('<f4', [3, 2], float32([1, 2, 3, 4, 5, 6])),
        'b.npy': npyBytes('<f4', [3], float32([7, 8, 9])),
        't.npy': npyBytes('<f4', [3, 2], oneHot),
      }),
    );
    const config = dataConfig('two.npz', { inputs: ['a', 'b'], labels: ['t'] });
    const requirements = { inputShapes: [[2], [1]], outputShape: [2], classification: true };
    const dataset = await openDataset(config, requirements, { ...here, purpose: 'evaluate' });
    const buffers = [new Float32Array(6), new Float32Array(3)];
    const target = new Float32Array(6);
    await dataset.test.gather(Uint32Array.from([2, 0, 1]), 0, 3, buffers, target);
    expect([...buffers[0]!]).toEqual([5, 6, 1, 2, 3, 4]);
    expect([...buffers[1]!]).toEqual([9, 7, 8]);
    expect([...target]).toEqual([1, 0, 1, 0, 0, 1]);
  });

  it('labels per position become one-hot per position', async () => {
    workspace.write(
      'sequence.npz',
      zipSync({
        'x.npy': npyBytes('<f4', [2, 3], float32([1, 2, 3, 4, 5, 6])),
        'y.npy': npyBytes('|u1', [2, 3], Uint8Array.from([0, 1, 0, 1, 1, 0])),
      }),
    );
    const requirements = { inputShapes: [[3]], outputShape: [3, 2], classification: true };
    const dataset = await openDataset(dataConfig('sequence.npz'), requirements, { ...here, purpose: 'evaluate' });
    expect((await readAll(dataset, dataset.test)).targets).toEqual([
      [1, 0, 0, 1, 1, 0],
      [0, 1, 0, 1, 1, 0],
    ]);
  });

  it('regression targets are numbers', async () => {
    workspace.write(
      'regress.npz',
      zipSync({
        'x.npy': npyBytes('<f4', [3, 1], float32([1, 2, 3])),
        'y.npy': npyBytes('<f4', [3], float32([0.5, -1, 2])),
      }),
    );
    const requirements = { inputShapes: [[1]], outputShape: [1], classification: false };
    const dataset = await openDataset(dataConfig('regress.npz'), requirements, { ...here, purpose: 'evaluate' });
    expect((await readAll(dataset, dataset.test)).targets.flat()).toEqual([0.5, -1, 2]);
    expect(dataset.classes).toBeUndefined();
  });

  it('errors list the arrays there are', async () => {
    workspace.write('odd.npz', zipSync({ 'p.npy': arrays['x_train.npy'], 'q.npy': labels }));
    const open = (more: object, source = 'odd.npz') => openDataset(dataConfig(source, more), classifier([2], 3), here);
    // Of other names, the only arrays that fit.
    const found = await open({});
    expect((await readAll(found, found.train)).inputs.flat().every((v) => x.includes(v))).toBe(true);
    expect(found.notes.join(' ')).toContain('Inputs are the array "p", labels "q"');
    workspace.write(
      'two.npz',
      zipSync({ 'p.npy': arrays['x_train.npy'], 'o.npy': arrays['x_train.npy'], 'q.npy': labels }),
    );
    expect(await messageOf(open({}, 'two.npz'))).toMatch(/which array holds the inputs.*"p", "o", "q"/);
    expect(await messageOf(open({ inputs: ['p'], labels: ['z'] }))).toMatch(/no array "z"; the file has "p", "q"/);
    workspace.write('short.npz', zipSync({ 'x.npy': arrays['x_train.npy'], 'y.npy': arrays['y_test.npy'] }));
    expect(await messageOf(open({}, 'short.npz'))).toMatch(/2 labels, but short.npz, array x has 4 samples/);
    const whole = zipSync(arrays);
    workspace.write('cut.npz', whole.subarray(0, whole.length - 40));
    expect(await messageOf(open({}, 'cut.npz'))).toMatch(/cut\.npz: the \.npz file is damaged/);
    workspace.write('limit.npz', zipSync({ 'x.npy': npyBytes('|u1', [100000], new Uint8Array(100000)) }));
    const opening = openDataset(dataConfig('limit.npz'), classifier([2], 3), { ...here, memoryLimit: 5000 });
    expect(await messageOf(opening)).toMatch(/limit of 5,000.*\.npy/);
  });

  it.each([
    [
      '<U6',
      (text: string) => Buffer.concat([...text].map((c) => Buffer.from(Uint32Array.of(c.codePointAt(0)!).buffer))),
    ],
    [
      '>U6',
      (text: string) =>
        Buffer.concat([...text].map((c) => Buffer.from([0, ...[16, 8, 0].map((b) => (c.codePointAt(0)! >> b) & 255)]))),
    ],
    ['|S6', (text: string) => Buffer.from(text)],
  ])('labels that are texts are names, %s', async (descr, bytes) => {
    const width = descr.includes('U') ? 24 : 6;
    const texts = ['ow\u00e9', 'kitten', 'ow\u00e9', 'a'];
    const values = Buffer.concat(
      texts.map((text) => Buffer.concat([bytes(text), Buffer.alloc(width)]).subarray(0, width)),
    );
    workspace.write('texts.npz', zipSync({ 'x.npy': arrays['x_train.npy'], 'y.npy': npyBytes(descr, [4], values) }));
    const dataset = await openDataset(dataConfig('texts.npz'), classifier([2], 3), { ...here, purpose: 'evaluate' });
    expect(dataset.classes).toEqual(['a', 'kitten', 'ow\u00e9']);
    expect((await readAll(dataset, dataset.test)).targets.map((t) => t.indexOf(1))).toEqual([2, 1, 2, 0]);
    workspace.write(
      'gap.npz',
      zipSync({ 'x.npy': arrays['x_train.npy'], 'y.npy': npyBytes(descr, [4], Buffer.alloc(4 * width)) }),
    );
    expect(await messageOf(openDataset(dataConfig('gap.npz'), classifier([2], 3), here))).toMatch(
      /sample 0 has an empty text/,
    );
  });

  it('fractions as class labels, and targets outside [0, 1], are errors', async () => {
    const write = (name: string, y: Uint8Array) =>
      workspace.write(name, zipSync({ 'x.npy': npyBytes('<f4', [2, 1], float32([1, 2])), 'y.npy': y }));
    write('fraction.npz', npyBytes('<f4', [2], float32([0, 0.5])));
    write('soft.npz', npyBytes('<f4', [2, 2], float32([0, 1, -0.5, 1])));
    const open = (source: string) => openDataset(dataConfig(source), classifier([1], 2), here);
    expect(await messageOf(open('fraction.npz'))).toMatch(/sample 1 has the label 0.5/);
    expect(await messageOf(open('soft.npz'))).toMatch(/sample 1 has the target -0.5/);
  });

  it('32-bit labels that would wrap are out of range, not wrapped', async () => {
    const y = npyBytes('<u4', [3], encode('<u4', [0, 1, 4294967296 - 1]));
    workspace.write('wrap.npz', zipSync({ 'x.npy': npyBytes('<f4', [3, 1], float32([1, 2, 3])), 'y.npy': y }));
    expect(await messageOf(openDataset(dataConfig('wrap.npz'), classifier([1], 2), here))).toMatch(
      /labels must be 0 to 1/,
    );
  });
});

describe('arrays that are targets by the model', () => {
  const two = (...values: number[]) => npyBytes('<f4', [2, 3], float32(values));
  const network = { inputShapes: [[3]], outputShape: [3], classification: false };

  it('the inputs are, of an autoencoder whose file has no labels', async () => {
    const [x, t] = [two(1, 2, 3, 4, 5, 6), two(7, 8, 9, 10, 11, 12)];
    workspace.write('auto.npz', zipSync({ 'x_train.npy': x, 'x_test.npy': t }));
    const dataset = await openDataset(dataConfig('auto.npz'), network, here);
    expect((await readAll(dataset, dataset.test)).targets).toEqual([[7, 8, 9], [10, 11, 12]]);
    expect((await readAll(dataset, dataset.train)).targets).toEqual([[1, 2, 3], [4, 5, 6]]);
    expect(dataset.notes.join()).toMatch(/no labels: the model, .*, is to give the array "x_train" back/);
    workspace.write('bytes.npz', zipSync({ 'x_train.npy': npyBytes('|u1', [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)) }));
    expect(await messageOf(openDataset(dataConfig('bytes.npz'), network, here))).toMatch(/"x_train" holds whole numbers: save them as the floats/);
    // With labels of another size it is not an autoencoder.
    workspace.write('other.npz', zipSync({ 'x_train.npy': x, 'q.npy': npyBytes('<f4', [2, 1], float32([1, 2])) }));
    expect((await messageOf(openDataset(dataConfig('other.npz'), { ...network, outputShape: [3] }, here)))).not.toMatch(/give/);
  }); // prettier-ignore

  it('one named after the trained output is, in both parts', async () => {
    const y = (...values: number[]) => npyBytes('<f4', [2, 1], float32(values));
    const members = { x_train: two(1, 2, 3, 4, 5, 6), x_test: two(1, 2, 3, 4, 5, 6), y_kind_train: y(0, 1), y_kind_test: y(1, 1), y_size_train: y(5, 6), y_size_test: y(7, 8) };
    workspace.write('heads.npz', zipSync(Object.fromEntries(Object.entries(members).map(([name, bytes]) => [`${name}.npy`, bytes]))));
    const size = { inputShapes: [[3]], outputShape: [1], classification: false, output: 'head/size' };
    const dataset = await openDataset(dataConfig('heads.npz'), size, here);
    expect((await readAll(dataset, dataset.test)).targets).toEqual([[7], [8]]);
  }); // prettier-ignore
});
