import { parquetWriteBuffer } from 'hyparquet-writer';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../../daemon/data/openDataset.js';
import type { DataRequirements } from '../../../daemon/data/dataset.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import { classifier, dataConfig, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const options = { workspace: workspace.folder, seed: 1, purpose: 'evaluate' } as const;
type Columns = Parameters<typeof parquetWriteBuffer>[0]['columnData'];
const write = (name: string, columnData: Columns, codec: 'SNAPPY' | 'UNCOMPRESSED' = 'SNAPPY') =>
  workspace.write(name, new Uint8Array(parquetWriteBuffer({ columnData, codec, rowGroupSize: 3000 })));

describe('parquet', () => {
  it.each(['SNAPPY', 'UNCOMPRESSED'] as const)('reads columns by name over row groups, %s', async (codec) => {
    const n = 10000;
    const numbers = Array.from({ length: n }, (_, i) => i);
    write(
      `table-${codec}.parquet`,
      [
        { name: 'a', data: numbers.map((i) => i / 8), type: 'DOUBLE' },
        { name: 'skip', data: numbers.map((i) => `text ${i}`), type: 'STRING' },
        { name: 'b', data: numbers.map((i) => -i), type: 'INT32' },
        { name: 'big', data: numbers.map((i) => BigInt(i)), type: 'INT64' },
        { name: 'label', data: numbers.map((i) => ['x', 'y', 'z'][i % 3]!), type: 'STRING' },
      ],
      codec,
    );
    const config = dataConfig(`table-${codec}.parquet`, { inputs: ['b', 'a', 'big'], labels: ['label'] });
    const dataset = await openDataset(config, classifier([3], 3), options);
    const { inputs, targets } = await readAll(dataset, dataset.test);
    expect(inputs).toEqual(numbers.map((i) => [-i + 0, i / 8, i]));
    expect(targets.map((t) => t.indexOf(1))).toEqual(numbers.map((i) => i % 3));
  });

  it('errors: text in an input, null, not parquet, cut short', async () => {
    write('text.parquet', [
      { name: 'a', data: ['p', 'q'], type: 'STRING' },
      { name: 'label', data: [0, 1], type: 'INT32' },
    ]);
    const open = (source: string) => openDataset(dataConfig(source), classifier([1], 2), options);
    expect(await messageOf(open('text.parquet'))).toMatch(/row 1, column "a" has "p"/);
    write('null.parquet', [
      { name: 'a', data: [1.5, null], type: 'DOUBLE', nullable: true },
      { name: 'label', data: [0, 1], type: 'INT32' },
    ]);
    expect(await messageOf(open('null.parquet'))).toMatch(/row 2, column "a" has an empty cell/);
    workspace.write('fake.parquet', 'hello world, not parquet');
    expect(await messageOf(open('fake.parquet'))).toMatch(/not a parquet file/);
    const whole = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'a', data: [1, 2], type: 'DOUBLE' },
          { name: 'label', data: [0, 1], type: 'INT32' },
        ],
      }),
    );
    workspace.write('cut.parquet', whole.subarray(0, whole.length - 20));
    expect(await messageOf(open('cut.parquet'))).toMatch(/cut\.parquet: not a readable parquet file/);
  });
});

/*
 * Written by DuckDB 1.4, which shares no code with the reader:
 *   copy (select i::BIGINT as id, (i*0.5)::FLOAT as a, [i, -i, i*2]::INTEGER[] as v, [[i::DOUBLE, 1], [2, i+0.5]] as m,
 *     case when i%3=0 then 'x' when i%3=1 then 'y' else 'z' end as label from range(60) t(i))
 *   to 'table-CODEC.parquet' (format parquet, compression CODEC);
 * images.parquet: struct image {bytes, path} of six grey PNGs of 2 x 2 (0, 40, ... 200) and a JPEG (90), label 0 1 0 1 0 1 0
 * under zstd, with Hugging Face's features (label: ClassLabel "cat", "ant") in the metadata.
 */
const fixture = (name: string, as = name): string => {
  mkdirSync(dirname(join(workspace.folder, as)), { recursive: true });
  copyFileSync(join('test/fixtures/parquet', name), join(workspace.folder, as));
  return as;
};
const open = (source: string, requirements: DataRequirements, more: Partial<ResolvedData> = {}, extra = {}) =>
  openDataset(dataConfig(source, more), requirements, { ...options, ...extra });
const sixty = Array.from({ length: 60 }, (_, i) => i);

describe('parquet of another writer', () => {
  it.each(['zstd', 'gzip', 'brotli', 'lz4_raw'])('%s: numbers, lists, lists of lists, dictionaries', async (codec) => {
    const source = fixture(`table-${codec}.parquet`);
    const read = async (inputs: string[], shape: number[]) => {
      const dataset = await open(source, classifier(shape, 3), { inputs, labels: ['label'] });
      const { inputs: rows, targets } = await readAll(dataset, dataset.test);
      expect(targets.map((t) => t.indexOf(1))).toEqual(sixty.map((i) => i % 3));
      return rows.map((row) => row.map((x) => x + 0));
    };
    expect(await read(['a', 'id'], [2])).toEqual(sixty.map((i) => [i / 2, i]));
    expect(await read(['v'], [3])).toEqual(sixty.map((i) => [i, -i + 0, 2 * i]));
    expect(await read(['m'], [2, 2, 1])).toEqual(sixty.map((i) => [i, 1, 2, i + 0.5]));
    expect(await read(['a', 'v', 'm'], [8])).toEqual(sixty.map((i) => [i / 2, i, -i + 0, 2 * i, i, 1, 2, i + 0.5]));
  });

  it('a list as the target of a regression, and as a class for each position', async () => {
    const source = fixture('table-zstd.parquet');
    const regression = { inputShapes: [[1]], outputShape: [4], classification: false };
    const dataset = await open(source, regression, { inputs: ['a'], labels: ['m'] });
    expect((await readAll(dataset, dataset.test)).targets[7]).toEqual([7, 1, 2, 7.5]);
    write('sequence.parquet', [
      { name: 'x', data: [1, 2], type: 'DOUBLE' },
      { name: 'tags', data: JSON.parse('[[0, 2, 1], [1, 1, 0]]') as number[][], type: 'JSON' },
    ]);
    const wide = { inputShapes: [[1]], outputShape: [3, 3], classification: true };
    const sequence = await open('sequence.parquet', wide, { inputs: ['x'], labels: ['tags'] });
    expect((await readAll(sequence, sequence.test)).targets).toEqual([
      [1, 0, 0, 0, 0, 1, 0, 1, 0],
      [0, 1, 0, 0, 1, 0, 1, 0, 0],
    ]);
  });

  it('images in a structure, decoded as those of folders are, with the names of their classes', async () => {
    const dataset = await open(fixture('images.parquet'), classifier([2, 2, 1], 2));
    const { inputs, targets } = await readAll(dataset, dataset.test);
    expect(inputs.slice(0, 6)).toEqual([0, 40, 80, 120, 160, 200].map((v) => [v, v, v, v]));
    for (const value of inputs[6]!) expect(Math.abs(value - 90)).toBeLessThanOrEqual(2);
    expect(targets.map((t) => t.indexOf(1))).toEqual([0, 1, 0, 1, 0, 1, 0]);
    // The file numbers its classes: they are not sorted.
    expect(dataset.classes).toEqual(['cat', 'ant']);
    expect(dataset.encodings.length).toBe(1);
    expect(dataset.notes.join(' ')).toMatch(/Images are read from column "image"\. Images are read as 2 x 2 x 1/);
    const larger = await open('images.parquet', classifier([4, 4, 3], 2));
    expect((await readAll(larger, larger.test)).inputs[1]).toEqual(new Array(48).fill(40));
  });

  it.each([
    ['a folder', 'flat/train-00000-of-00002.parquet', 'flat/train-00001-of-00002.parquet', 'flat/test-00000.parquet'],
    ['"data" in it', 'hub/data/train-0.parquet', 'hub/data/train-1.parquet', 'hub/data/validation-0.parquet'],
    ['folders of parts', 'parts/train/0000.parquet', 'parts/train/0001.parquet', 'parts/test/0000.parquet'],
  ])('files of a data set as the hub has them: %s', async (_, first, second, test) => {
    for (const name of [first, second, test]) fixture('images.parquet', name);
    const dataset = await open(first.split('/')[0]!, classifier([2, 2, 1], 2), {}, { purpose: 'train' });
    expect([dataset.train.size, dataset.test.size]).toEqual([14, 7]);
    const { inputs } = await readAll(dataset, dataset.train);
    expect(inputs.slice(7)).toEqual(inputs.slice(0, 7));
  });

  it('a file that lacks a column, a list of another length, a structure, two image columns: named', async () => {
    fixture('images.parquet', 'odd/train-0.parquet');
    fixture('table-zstd.parquet', 'odd/train-1.parquet');
    expect(await messageOf(open('odd', classifier([2, 2, 1], 2)))).toMatch(
      /odd\/train-1\.parquet: the column "image" of odd\/train-0\.parquet is not in it; it has "id", "a", "v"/,
    );
    write('ragged.parquet', [
      { name: 'v', data: [[1, 2], [3]], type: 'JSON' },
      { name: 'label', data: [0, 1], type: 'INT32' },
    ]);
    expect(await messageOf(open('ragged.parquet', classifier([2], 2)))).toMatch(
      /row 2, column "v" has a list of 1 where 2 finite numbers are needed, as in the first row/,
    );
    const source = fixture('images.parquet');
    const label = { inputs: ['label'], labels: ['image'] };
    expect(await messageOf(open(source, classifier([1], 2), label))).toMatch(
      /row 1, column "image" has a structure of bytes, path where a label is needed/,
    );
    write('struct.parquet', [
      { name: 's', data: [{ a: 1 }, { a: 2 }], type: 'JSON' },
      { name: 'label', data: [0, 1], type: 'INT32' },
    ]);
    expect(await messageOf(open('struct.parquet', classifier([1], 2)))).toMatch(
      /row 1, column "s" has a structure of a where a finite number is needed/,
    );
  });
});
