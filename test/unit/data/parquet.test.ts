import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../../daemon/data/openDataset.js';
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
