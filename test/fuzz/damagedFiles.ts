/** Small data files of every kind, ways to damage them, and an attempt to read what is left. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect } from 'vitest';
import { openDataset } from '../../daemon/data/openDataset.js';
import { UserError } from '../../daemon/protocol/errors.js';
import type { ResolvedData } from '../../daemon/protocol/resolvedPlan.js';
import { dataConfig, float32, idxBytes, makeWorkspace, npyBytes } from '../unit/data/fixtures.js';

export const workspace = makeWorkspace();

export const MEMORY_LIMIT = 1 << 20;

/** Opens, and reads what was opened. Anything but success or a UserError of one line fails. */
export async function attempt(source: string, more: Partial<ResolvedData> = {}, classes = 2): Promise<boolean> {
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
export const damage: fc.Arbitrary<Damage[]> = fc.array(
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
export function damaged(bytes: Uint8Array, damages: readonly Damage[]): Uint8Array {
  let out = Buffer.from(bytes);
  for (const { at, value, cut, append } of damages) {
    if (out.length > 0)
      out[Math.floor((at < 0.5 ? 2 * at * Math.min(1, 130 / out.length) : 2 * at - 1) * out.length)] = value;
    if (cut > 0) out = out.subarray(0, Math.floor(cut * out.length));
    if (append > 0) out = Buffer.concat([out, Buffer.alloc(append, value)]);
  }
  return out;
}

export const x = float32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
export const npyX = npyBytes('<f4', [5, 2], x);
export const npyY = npyBytes('|u1', [5], Uint8Array.from([0, 1, 1, 0, 1]));
const idxX = idxBytes([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
export const idxY = idxBytes([5], [0, 1, 1, 0, 1]);
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
  /** Writes the bytes to the place that the reader expects; returns the source. */
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

export const readers: Reader[] = [
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
