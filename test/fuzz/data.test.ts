/** Every reader, fed with random and with damaged bytes: success or a UserError of one line, in bounded time and memory. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../daemon/data/openDataset.js';
import { UserError } from '../../daemon/protocol/errors.js';
import type { ResolvedData } from '../../daemon/protocol/resolvedPlan.js';
import { dataConfig, float32, idxBytes, makeWorkspace, npyBytes } from '../unit/data/fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const MEMORY_LIMIT = 1 << 20;

/** Opens, and reads what was opened. Anything but success or a UserError of one line fails. */
async function attempt(source: string, more: Partial<ResolvedData> = {}, classes = 2): Promise<boolean> {
  const before = process.memoryUsage().arrayBuffers;
  try {
    const dataset = await openDataset(
      dataConfig(source, more),
      {
        inputShapes: [[more.inputs].flat()[0] === 'image' ? [1, 2, 1] : [2]],
        outputShape: [classes],
        classification: true,
      },
      { workspace: workspace.folder, seed: 1, memoryLimit: MEMORY_LIMIT },
    );
    const x = new Float32Array(2 * dataset.train.size);
    const y = new Float32Array(classes * dataset.train.size);
    await dataset.train.gather(
      Uint32Array.from({ length: dataset.train.size }, (_, i) => i),
      0,
      dataset.train.size,
      [x],
      y,
    );
    expect(x.every(Number.isFinite)).toBe(true);
    expect(y.every((v) => v === 0 || v === 1)).toBe(true);
    dataset.close();
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/\n/);
    expect(error.message.length).toBeLessThan(1000);
    return false;
  } finally {
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MEMORY_LIMIT);
  }
}

type Damage = { at: number; value: number; cut: number; append: number };
const damage: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    value: fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)),
    cut: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
    ),
    append: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
  }),
  { minLength: 0, maxLength: 4 },
);

/** Header bytes are hit more often than their share. */
function damaged(bytes: Uint8Array, damages: readonly Damage[]): Uint8Array {
  let out = Buffer.from(bytes);
  for (const { at, value, cut, append } of damages) {
    if (out.length > 0)
      out[Math.floor((at < 0.5 ? 2 * at * Math.min(1, 130 / out.length) : 2 * at - 1) * out.length)] = value;
    if (cut > 0) out = out.subarray(0, Math.floor(cut * out.length));
    if (append > 0) out = Buffer.concat([out, Buffer.alloc(append, value)]);
  }
  return out;
}

const x = float32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
const npyX = npyBytes('<f4', [5, 2], x);
const npyY = npyBytes('|u1', [5], Uint8Array.from([0, 1, 1, 0, 1]));
const idxX = idxBytes([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
const idxY = idxBytes([5], [0, 1, 1, 0, 1]);
const parquet = new Uint8Array(
  parquetWriteBuffer({
    columnData: [
      { name: 'a', data: [1, 2, 3, 4, 5], type: 'DOUBLE' },
      { name: 'b', data: [1, 2, 3, 4, 5], type: 'INT32' },
      { name: 'label', data: ['p', 'q', 'p', 'q', 'p'], type: 'STRING' },
    ],
  }),
);

interface Reader {
  readonly name: string;
  readonly whole: Uint8Array;
  readonly runs: number;
  readonly classes?: number;
  /** Writes the bytes where the reader finds them; returns the source. */
  place(bytes: Uint8Array): string;
  readonly more?: Partial<ResolvedData>;
}

/** Files of another writer (test/unit/data/parquet.test.ts): lists, structures, dictionaries, every codec. */
const nested = (['zstd', 'gzip', 'brotli', 'lz4_raw'] as const).map((codec): Reader => ({
  name: `parquet of lists, ${codec}`,
  whole: readFileSync(`test/fixtures/parquet/table-${codec}.parquet`),
  runs: 200,
  classes: 3,
  more: { inputs: ['id', 'a'], labels: ['label'] },
  place(bytes) {
    workspace.write(`nested-${codec}.parquet`, bytes);
    return `nested-${codec}.parquet`;
  },
}));

const readers: Reader[] = [
  {
    name: 'IDX images',
    whole: idxX,
    runs: 300,
    place(bytes) {
      workspace.write('idx/train-images-idx3-ubyte', bytes);
      workspace.write('idx/train-labels-idx1-ubyte', idxY);
      return 'idx';
    },
  },
  {
    name: 'IDX labels, gzip',
    whole: gzipSync(idxY),
    runs: 300,
    place(bytes) {
      workspace.write('idxgz/train-images-idx3-ubyte', idxX);
      workspace.write('idxgz/train-labels-idx1-ubyte.gz', bytes);
      return 'idxgz';
    },
  },
  {
    name: 'npy',
    whole: npyX,
    runs: 300,
    place(bytes) {
      workspace.write('np/x.npy', bytes);
      workspace.write('np/y.npy', npyY);
      return 'np/x.npy';
    },
  },
  ...([0, 6] as const).map((level) => ({
    name: `npz, level ${level}`,
    whole: zipSync({ 'x.npy': npyX, 'y.npy': npyY }, { level }),
    runs: 300,
    place(bytes: Uint8Array) {
      workspace.write(`z${level}.npz`, bytes);
      return `z${level}.npz`;
    },
  })),
  {
    name: 'CSV',
    whole: Buffer.from('a,b,label\n1,2,p\n3,"4",q\n5,6,p\n7,8,"q"\n9,1e3,p\n'),
    runs: 300,
    place(bytes) {
      workspace.write('t.csv', bytes);
      return 't.csv';
    },
  },
  {
    name: 'parquet',
    whole: parquet,
    runs: 300,
    place(bytes) {
      workspace.write('t.parquet', bytes);
      return 't.parquet';
    },
  },
  ...nested,
  {
    name: 'parquet of images',
    whole: readFileSync('test/fixtures/parquet/images.parquet'),
    runs: 200,
    more: { inputs: ['image'], labels: ['label'] },
    place(bytes) {
      workspace.write('i.parquet', bytes);
      return 'i.parquet';
    },
  },
];

describe('damaged files', () => {
  it.each(readers)('$name', async ({ whole, runs, place, more, classes }) => {
    expect(await attempt(place(whole), more, classes)).toBe(true);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(damage, async (damages) => {
        if (!(await attempt(place(damaged(whole, damages)), more, classes))) refused++;
      }),
      { seed: 20180618, numRuns: runs },
    );
    expect(refused).toBeGreaterThan(runs / 20);
  });

  it.each(readers)('$name: random bytes', async ({ place }) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await attempt(place(bytes));
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});

describe('headers that claim more than there is', () => {
  const count = fc.constantFrom(0, 1, 2, 5, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1);

  it('IDX', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(8, 9, 11, 12, 13, 14),
        fc.array(count, { maxLength: 9 }),
        async (type, shape) => {
          const bytes = Buffer.from(idxBytes(shape, [1, 2, 3, 4]));
          bytes[2] = type;
          workspace.write('claim/train-images-idx3-ubyte', bytes);
          workspace.write('claim/train-labels-idx1-ubyte', idxY);
          expect(await attempt('claim')).toBe(false);
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });

  it('npy', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('<f4', '>f8', '|u1', '<i8', '|b1', '<f2'),
        fc.array(fc.oneof(count, fc.constantFrom(2 ** 40, 2 ** 53, 1e300)), { minLength: 1, maxLength: 9 }),
        fc.boolean(),
        async (descr, shape, fortran) => {
          workspace.write('claim/x.npy', npyBytes(descr, shape, x.subarray(0, 12), fortran));
          workspace.write('claim/y.npy', npyY);
          await attempt('claim/x.npy');
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it('npz: sizes in the zip directory', async () => {
    const whole = Buffer.from(zipSync({ 'x.npy': npyX, 'y.npy': npyY }, { level: 6 }));
    const entry = whole.indexOf('PK\x01\x02', 0, 'latin1');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(20, 24, 28, 42),
        fc.integer({ min: 0, max: 0xffffffff }),
        async (field, value) => {
          const bytes = Buffer.from(whole);
          bytes.writeUInt32LE(value, entry + field);
          workspace.write('claim.npz', bytes);
          await attempt('claim.npz');
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });

  it('gzip bombs stop at the memory limit', async () => {
    workspace.write(
      'bomb/train-images-idx3-ubyte.gz',
      gzipSync(Buffer.concat([idxBytes([20_000_000], []), Buffer.alloc(20_000_000)])),
    );
    workspace.write('bomb/train-labels-idx1-ubyte', idxY);
    expect(await attempt('bomb')).toBe(false);
  });
});

describe('CSV of any text', () => {
  it('random cells, quotes and separators', async () => {
    const cell = fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '""',
        'NaN',
        '1e999',
        '0x10',
        '-0',
        '1,5',
        ' ',
        '\ufeff',
        '\0',
        'a"b',
        '"a',
        '1',
        '2',
        'p',
        'q',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.double().map(String),
    );
    const row = fc.array(cell, { minLength: 1, maxLength: 5 });
    const text = fc
      .tuple(fc.array(row, { maxLength: 8 }), fc.constantFrom(',', ';', '\t', '|'), fc.constantFrom('\n', '\r\n', '\r'))
      .map(([rows, separator, end]) => rows.map((cells) => cells.join(separator)).join(end));
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        workspace.write('any.csv', content);
        await attempt('any.csv');
      }),
      { seed: 11, numRuns: 500 },
    );
  });
});

describe('images', () => {
  let png: Buffer;
  beforeAll(async () => {
    png = await sharp({ create: { width: 9, height: 7, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
  });

  it('damaged PNG files', async () => {
    workspace.write('pictures/a/ok.png', png);
    workspace.write('pictures/b/ok.png', png);
    await fc.assert(
      fc.asyncProperty(damage, async (damages) => {
        workspace.write('pictures/b/damaged.png', damaged(png, damages));
        const open = openDataset(
          dataConfig('pictures'),
          { inputShapes: [[3, 3, 1]], outputShape: [2], classification: true },
          { workspace: workspace.folder, seed: 1, memoryLimit: MEMORY_LIMIT },
        );
        await open.catch((error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).toMatch(/^pictures\/b\/damaged\.png: /);
        });
      }),
      { seed: 5, numRuns: 150 },
    );
  });
});
