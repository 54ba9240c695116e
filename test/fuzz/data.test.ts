/** Every reader, fed with random and with damaged bytes: success or a UserError of one line, in bounded time and memory. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../daemon/data/openDataset.js';
import { UserError } from '../../daemon/protocol/errors.js';
import { dataConfig, idxBytes, npyBytes } from '../unit/data/fixtures.js';
import { MEMORY_LIMIT, attempt, damage, damaged, idxY, npyX, npyY, readers, workspace, x } from './damagedFiles.js';

afterAll(() => workspace.remove());

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
