/** Models with several inputs: which arrays of an npz, which columns of CSV and parquet are whose. */
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import type { DataRequirements, Dataset } from '../../../../daemon/data/dataset.js';
import { openDataset } from '../../../../daemon/data/openDataset.js';
import type { ResolvedData } from '../../../../daemon/protocol/resolvedPlan.js';
import { dataConfig, float32, makeWorkspace, messageOf, npyBytes } from '../fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

/** age [1] and photo [2] -> size, and a second output. */
const requirements: DataRequirements = {
  inputNames: ['encoder/age', 'photo'],
  outputNames: ['size', 'kind'],
  inputShapes: [[1], [2]],
  outputShape: [1],
  output: 'size',
  classification: false,
};
const AGE = [1, 2, 3, 4];
const PHOTO = [10, 11, 20, 21, 30, 31, 40, 41];
const SIZE = [0.5, 0.25, 0.75, 1];

const open = (source: string, more: Partial<ResolvedData> = {}, need: DataRequirements = requirements) =>
  openDataset(dataConfig(source, more), need, { workspace: workspace.folder, seed: 1, purpose: 'evaluate' });

/** All samples, in the order of the file. */
async function samples({ test }: Dataset, widths: readonly number[] = [1, 2]): Promise<number[][]> {
  const inputs = widths.map((width) => new Float32Array(width * test.size));
  const target = new Float32Array(test.size);
  await test.gather(Uint32Array.from({ length: test.size }, (_, i) => i), 0, test.size, inputs, target); // prettier-ignore
  return [...inputs, target].map((values) => [...values]);
}

let count = 0;
function npz(arrays: Record<string, { shape: number[]; values: number[] }>): string {
  const name = `a${count++}.npz`;
  const members = Object.entries(arrays).map(
    ([key, { shape, values }]) => [`${key}.npy`, npyBytes('<f4', shape, float32(values))] as const,
  );
  workspace.write(name, zipSync(Object.fromEntries(members)));
  return name;
}
function csv(header: string, rows: readonly (readonly number[])[]): string {
  const name = `t${count++}.csv`;
  workspace.write(name, [header, ...rows.map((row) => row.join(','))].join('\n') + '\n');
  return name;
}
const age = { shape: [4, 1], values: AGE };
const photo = { shape: [4, 2], values: PHOTO };
const size = { shape: [4], values: SIZE };
const rowsOf = (order: (i: number) => number[]) => AGE.map((_, i) => order(i));

describe('arrays of an npz', () => {
  it.each([
    ['named as the inputs and the output are', { photo, size, age }],
    ['with x_ and y_', { x_photo: photo, x_age: age, y_size: size }],
    ['numbered from 0', { x_1: photo, x_0: age, y: size }],
    ['numbered from 1', { input_2: photo, input_1: age, labels: size }],
    ['recognised by their sizes alone', { b: photo, a: age, y: size }],
  ] as [string, Record<string, typeof age>][])('%s', async (_, arrays) => {
    expect(await samples(await open(npz(arrays)))).toEqual([AGE, PHOTO, SIZE]);
  });

  it('have a test part of the same names', async () => {
    const file = npz({ age_train: { shape: [1, 1], values: [7] }, photo_train: { shape: [1, 2], values: [8, 9] }, size_train: { shape: [1], values: [0] }, age_test: age, photo_test: photo, size_test: size }); // prettier-ignore
    const dataset = await open(file);
    expect(dataset.train.size).toBe(1);
    expect(await samples(dataset)).toEqual([AGE, PHOTO, SIZE]);
  });

  it('are whose the plan says, by input or in order', async () => {
    const file = npz({ p: photo, q: age, r: size });
    for (const inputs of [{ photo: ['p'], age: ['q'] }, ['q', 'p']])
      expect(await samples(await open(file, { inputs, labels: ['r'] }))).toEqual([AGE, PHOTO, SIZE]);
  });

  it('that are not there are named, with what was found and the way out', async () => {
    const message = await messageOf(open(npz({ age, other: { shape: [4, 3], values: [...PHOTO, ...AGE] }, y: size })));
    expect(message).toMatch(/2 inputs \("age", "photo"\).*no array is named after "photo" \("age" is input "age"\)/);
    expect(message).toContain('"other"');
    expect(message).toContain('"data.inputs": { "age": "age", "photo": "..." }');
  });

  it('are refused if the plan names inputs that the model does not have, or leaves one out', async () => {
    const file = npz({ age, photo, size });
    expect(await messageOf(open(file, { inputs: { ages: ['age'], photo: ['photo'] } }))).toMatch(/the input "ages", but the model has "age", "photo"/); // prettier-ignore
    expect(await messageOf(open(file, { inputs: { age: ['age'] } }))).toMatch(/says nothing of the input "photo"/);
    expect(await messageOf(open(file, { inputs: ['age'] }))).toMatch(/names 1 array, but the model has 2 inputs/);
  });

  it('of a single input may have its name', async () => {
    const one = { ...requirements, inputNames: ['photo'], inputShapes: [[2]] };
    const dataset = await open(npz({ data: age, photo, size }), {}, one);
    expect(await samples(dataset, [2])).toEqual([PHOTO, SIZE]);
  });
});

describe('columns of a table', () => {
  const p = (i: number, k: number) => PHOTO[2 * i + k]!;
  it.each([
    ['groups named after the inputs, in any order', 'photo_1,size,photo_0,age', (i: number) => [p(i, 1), SIZE[i]!, p(i, 0), AGE[i]!]], // prettier-ignore
    ['with brackets', 'photo[0],photo[1],age[0],y', (i: number) => [p(i, 0), p(i, 1), AGE[i]!, SIZE[i]!]],
    ['numbered inputs', 'input_1_0,input_1_1,input_0,target', (i: number) => [p(i, 0), p(i, 1), AGE[i]!, SIZE[i]!]],
    ['no such names: in their order', 'a,b,c,d', (i: number) => [AGE[i]!, p(i, 0), p(i, 1), SIZE[i]!]],
    ['targets of the other output aside', 'kind,age,photo_a,photo_b,size', (i: number) => [9, AGE[i]!, p(i, 0), p(i, 1), SIZE[i]!]], // prettier-ignore
  ] as [string, string, (i: number) => number[]][])('%s', async (_, header, order) => {
    expect(await samples(await open(csv(header, rowsOf(order))))).toEqual([AGE, PHOTO, SIZE]);
  });

  it('are whose the plan says', async () => {
    const file = csv(
      'd,c,b,a',
      rowsOf((i) => [SIZE[i]!, p(i, 1), p(i, 0), AGE[i]!]),
    );
    for (const inputs of [{ photo: ['b', 'c'], age: ['a'] }, ['a', 'b', 'c']])
      expect(await samples(await open(file, { inputs, labels: ['d'] }))).toEqual([AGE, PHOTO, SIZE]);
  });

  it('are named where an input has none', async () => {
    const message = await messageOf(open(csv('age,left,right,more,size', rowsOf((i) => [AGE[i]!, p(i, 0), p(i, 1), 0, SIZE[i]!])))); // prettier-ignore
    expect(message).toMatch(/no column is named after "photo".*"left", "right"/);
  });

  it('of parquet, lists too', async () => {
    const name = `p${count++}.parquet`;
    const columnData = [
      { name: 'photo', data: AGE.map((_, i) => [p(i, 0), p(i, 1)]) },
      { name: 'age', data: AGE },
      { name: 'size', data: SIZE },
    ];
    workspace.write(name, new Uint8Array(parquetWriteBuffer({ columnData })));
    expect(await samples(await open(name))).toEqual([AGE, PHOTO, SIZE]);
  });
});
