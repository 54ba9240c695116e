import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { makeWorkspace } from '../fixtures.js';
import { CLASSES, COLUMNS, expectKnown, expectRefused, LABELS, NAMES, ROWS } from './known.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
type Options = Parameters<typeof parquetWriteBuffer>[0];
type Columns = Options['columnData'];
const write = (name: string, columnData: Columns, more: Partial<Options> = {}) =>
  workspace.write(name, new Uint8Array(parquetWriteBuffer({ columnData, ...more })));
const inputs = (type: 'DOUBLE' | 'FLOAT' = 'DOUBLE', nullable = false): Columns =>
  COLUMNS.map((name, i) => ({ name, data: ROWS.map((row) => row[i]!), type, nullable }));
const label: Columns[number] = { name: 'label', data: [...NAMES], type: 'STRING' };
const rowNumbers = LABELS.map((_, i) => BigInt(100 + i));
const pandas = (columns: readonly unknown[]) => ({
  kvMetadata: [{ key: 'pandas', value: JSON.stringify({ index_columns: columns, columns: [] }) }],
});

const READ: readonly [quirk: string, columns: Columns, more?: Partial<Options>, note?: string][] = [
  ['as it should be', [...inputs(), label]],
  ['floats of 32 bits, in groups of 5 rows, uncompressed', [...inputs('FLOAT'), label], { codec: 'UNCOMPRESSED', rowGroupSize: 5 }],
  ['nullable columns without a null', [...inputs('DOUBLE', true), { ...label, nullable: true }]],
  ['texts in a dictionary', [...inputs(), { ...label, encoding: 'RLE_DICTIONARY' }]],
  ['the index of pandas', [...inputs(), label, { name: '__index_level_0__', data: rowNumbers, type: 'INT64' }], pandas(['__index_level_0__']), 'The row numbers in column "__index_level_0__" are not an input.'],
  ['the same without the words of pandas', [...inputs(), label, { name: '__index_level_0__', data: rowNumbers, type: 'INT64' }], {}, 'The row numbers in column "__index_level_0__" are not an input.'],
  ['an index with a name of its own', [{ name: 'plant', data: rowNumbers, type: 'INT64' }, ...inputs(), label], pandas(['plant']), 'The row numbers in column "plant" are not an input.'],
  ['an index that is a range, and no column', [...inputs(), label], pandas([{ kind: 'range', start: 0, stop: 12, step: 1 }])],
  ['labels of 64 bits', [...inputs(), { name: 'label', data: LABELS.map(BigInt), type: 'INT64' }]],
  ['labels one-hot, as booleans', [...inputs(), ...CLASSES.map((name, c) => ({ name: `label_${name}`, data: LABELS.map((l) => l === c), type: 'BOOLEAN' as const }))]],
  ['a column of nulls', [...inputs(), { name: 'nothing', data: LABELS.map(() => null), type: 'DOUBLE', nullable: true }, label], {}, 'Left out, as there is nothing in it: column "nothing".'],
]; // prettier-ignore

describe('parquet with quirks is read right', () => {
  it.each(READ)('%s', async (quirk, columns, more, note) => {
    const name = `${quirk.replace(/\W+/g, ' ')}.parquet`;
    write(name, columns, more);
    const { notes } = await expectKnown(workspace, name);
    if (note) expect(notes).toContain(note);
  });

  it('under the name of a CSV file', async () => {
    write('table.csv', [...inputs(), label]);
    await expectKnown(workspace, 'table.csv');
  });
});

describe('parquet that cannot be read is refused in one sentence', () => {
  const way = 'fill it in, remove the row, write categories as numbers, or leave the column out with "data.inputs"';

  it('a null, a date, a text', async () => {
    const [a, ...others] = inputs('DOUBLE', true);
    write('null.parquet', [{ ...a!, data: ROWS.map((row, i) => (i === 3 ? null : row[0]!)) }, ...others, label]);
    await expectRefused(workspace, 'null.parquet', `: row 4, column "a" has an empty cell where a finite number is needed: ${way}`); // prettier-ignore
    write('date.parquet', [{ name: 'a', data: ROWS.map(() => new Date(0)), type: 'TIMESTAMP' }, ...others, label]);
    await expectRefused(workspace, 'date.parquet', `: row 1, column "a" has the date 1970-01-01T00:00:00.000Z where a finite number is needed: ${way}`); // prettier-ignore
    write('text.parquet', [{ name: 'a', data: ROWS.map(() => 'tall'), type: 'STRING' }, ...others, label]);
    await expectRefused(workspace, 'text.parquet', `: row 1, column "a" has "tall" where a finite number is needed: ${way}`); // prettier-ignore
  });

  it('a file that is something else', async () => {
    workspace.write('feather.parquet', 'ARROW1\0\0 and more than twelve bytes');
    await expectRefused(workspace, 'feather.parquet', ': this is not a parquet file (it does not start with PAR1)');
  });
});
