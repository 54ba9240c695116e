/** Targets of several outputs in one file: found by their names, in the same order and the same parts as the samples. */
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { ShuffledBatches } from '../../../daemon/data/batches/batches.js';
import type { DataRequirements, Dataset } from '../../../daemon/data/dataset.js';
import { withJointTargets } from '../../../daemon/data/labels/jointTargets.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { sampleSource } from '../../../daemon/data/batches/sampleSource.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import { dataConfig, float32, makeWorkspace, npyBytes } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

/** x [1] -> kind (3 classes), place [2], yes [1]. */
const place = { output: 'head/place', outputShape: [2], classification: false };
const yes = { output: 'yes', outputShape: [1], classification: true };
const requirements: DataRequirements = {
  inputNames: ['x'],
  outputNames: ['kind', 'head/place', 'yes'],
  inputShapes: [[1]],
  outputShape: [3],
  output: 'kind',
  classification: true,
  others: [place, yes],
};
const N = 40;
const samples = Array.from({ length: N }, (_, i) => i);
/** Each sample is its number, and so are its targets. */
const X = samples;
const KIND = samples.map((i) => i % 3);
const PLACE = samples.flatMap((i) => [i + 0.25, 7 - i]);
const YES = samples.map((i) => i % 2);

const open = (source: string, more: Partial<ResolvedData> = {}, need = requirements, memoryLimit?: number) =>
  openDataset(dataConfig(source, more), need, {
    workspace: workspace.folder,
    seed: 1,
    ...(memoryLimit && { memoryLimit }),
  });

let count = 0;
type Arrays = Record<string, readonly [shape: number[], values: number[]]>;
function npz(arrays: Arrays): string {
  const name = `a${count++}.npz`;
  const members = Object.entries(arrays).map(
    ([key, [shape, values]]) => [`${key}.npy`, npyBytes('<f4', shape, float32(values))] as const,
  );
  workspace.write(name, zipSync(Object.fromEntries(members)));
  return name;
}
const whole: Arrays = { x: [[N, 1], X], kind: [[N], KIND], y_place: [[N, 2], PLACE], yes: [[N], YES] };
const columns = samples.map((i) => [X[i]!, KIND[i]!, PLACE[2 * i]!, PLACE[2 * i + 1]!, YES[i]!]);
const names = ['x', 'kind', 'place_0', 'place_1', 'yes'];
function csv(rows: readonly (readonly (number | string)[])[]): string {
  const name = `t${count++}.csv`;
  workspace.write(name, [names, ...rows].map((row) => row.join(',')).join('\n') + '\n');
  return name;
}

async function othersOf(dataset: Dataset): Promise<Dataset[]> {
  const found = [place, yes].map(({ output }) => dataset.others.get(output)!);
  return Promise.all(found.map((one) => ('open' in one ? one.open() : Promise.reject(new Error(one.reason)))));
}
const reasonOf = (dataset: Dataset, output: string) => {
  const found = dataset.others.get(output);
  return found && 'reason' in found ? found.reason : null;
};

/** Every row of a filled batch belongs to one sample. @returns the samples. */
function checked(count: number, inputs: readonly Float32Array[], target: Float32Array): number[] {
  const [x, places, answers] = inputs as [Float32Array, Float32Array, Float32Array];
  return Array.from({ length: count }, (_, row) => {
    const i = Math.round(x[row]!);
    expect([...places.subarray(2 * row, 2 * row + 2)]).toEqual([i + 0.25, 7 - i]);
    expect(answers[row]).toBe(i % 2);
    expect([...target.subarray(3 * row, 3 * row + 3)]).toEqual([0, 1, 2].map((k) => Number(k === i % 3)));
    return i;
  });
}
const buffers = (n: number) => [new Float32Array(n), new Float32Array(2 * n), new Float32Array(n)];

function parquet(): string {
  const name = `p${count++}.parquet`;
  const columnData = names.map((column, k) => ({
    name: column,
    data: columns.map((row) => row[k]!),
    type: 'DOUBLE' as const,
  }));
  workspace.write(name, new Uint8Array(parquetWriteBuffer({ columnData })));
  return name;
}

describe('the targets of other outputs', () => {
  it.each([
    ['arrays of an npz', () => npz(whole), undefined],
    ['columns of a CSV file that are kept on disk', () => csv(columns), 100],
    ['columns of a CSV file', () => csv(columns), undefined],
    ['columns of a parquet file', parquet, undefined],
  ])('%s: are those of the same samples, in every part and in shuffled batches', async (_name, file, memoryLimit) => {
    const dataset = await open(file(), { scale: 'none', validation: 0.2 }, requirements, memoryLimit);
    const others = await othersOf(dataset);
    const seen: number[] = [];
    for (const part of ['train', 'validation', 'test'] as const) {
      const joint = withJointTargets(dataset[part], others.map((one) => one[part]), 1); // prettier-ignore
      const [inputs, target] = [buffers(joint.size), new Float32Array(3 * joint.size)];
      await sampleSource(joint).read(0, joint.size, inputs, target);
      seen.push(...checked(joint.size, inputs, target));
      // Whoever asks for the inputs alone gets those.
      const alone = [new Float32Array(joint.size)];
      await sampleSource(joint).read(0, joint.size, alone, target);
      expect([...alone[0]!]).toEqual([...inputs[0]!]);
    }
    expect(seen.sort((a, b) => a - b)).toEqual(samples);
    const batches = new ShuffledBatches(withJointTargets(dataset.train, others.map((one) => one.train), 1), 5, 3); // prettier-ignore
    for (let step = 0; step < 12; step++) {
      const [inputs, target] = [buffers(5), new Float32Array(15)];
      await batches.next(inputs, target);
      checked(5, inputs, target);
    }
    dataset.close();
  });

  it("are not taken for the trained output's where nothing is named after that", async () => {
    const file = `t${count++}.csv`;
    const header = names.map((name) => (name === 'kind' ? 'group' : name));
    workspace.write(file, [header, ...columns].map((row) => row.join(',')).join('\n') + '\n');
    const dataset = await open(file, { scale: 'none' });
    const [inputs, target] = [buffers(N), new Float32Array(3 * N)];
    const others = await othersOf(dataset);
    const { train } = dataset;
    await sampleSource(withJointTargets(train, others.map((one) => one.train), 1)).read(0, train.size, inputs, target); // prettier-ignore
    expect(checked(train.size, inputs, target).length).toBe(32);
    expect(dataset.notes).toContain('Labels are read from column "group".');
    dataset.close();
  });

  it('are read from the test file, too, if there is one', async () => {
    const test = Object.fromEntries(Object.entries(whole).map(([key, value]) => [`${key}_test`, value]));
    const dataset = await open(npz({ ...whole, ...test }), { scale: 'none' });
    const [inputs, target] = [buffers(N), new Float32Array(3 * N)];
    const others = await othersOf(dataset);
    await sampleSource(withJointTargets(dataset.test, others.map((one) => one.test), 1)).read(0, N, inputs, target); // prettier-ignore
    expect(checked(N, inputs, target)).toEqual(samples);
    const { yes_test: _, ...without } = test;
    expect(reasonOf(await open(npz({ ...whole, ...without })), 'yes')).toBe('the test part of the data has no targets named after it');
    const [first, second] = [csv(columns), csv(columns)];
    expect(await othersOf(await open(first, { test: second, scale: 'none' }))).toHaveLength(2);
  }); // prettier-ignore

  it('report why they cannot be used, and leave the data unchanged', async () => {
    const { yes: _yes, ...absent } = whole;
    expect(reasonOf(await open(npz(absent)), 'yes')).toBe('the data has no targets named after it');
    expect(reasonOf(await open(npz({ ...whole, y_place: [[N, 3], [...PLACE, ...X]] })), 'head/place')).toMatch(/3 target values per sample do not fit the model's output of 2/);
    expect(reasonOf(await open(npz({ ...whole, yes: [[2], [0, 1]] })), 'yes')).toMatch(/2 labels, but .* has 40 samples/);
    expect(reasonOf(await open(npz({ ...whole, yes: [[N], X.map(() => 1)] })), 'yes')).toMatch(/all 40 samples have the label "1"/);
    const broken = await open(csv(columns.map((row, i) => (i === 4 ? [...row.slice(0, 2), 'none', ...row.slice(3)] : row))));
    expect(reasonOf(broken, 'head/place')).toMatch(/line 6, column "place_0" has "none" \(a missing value\) where a finite number is needed/);
    expect(reasonOf(broken, 'yes')).toBeNull();
    // What the plan takes as an input is not a target.
    const taken = await open(csv(columns), { inputs: ['x', 'yes'], labels: ['kind'] }, { ...requirements, inputShapes: [[2]] });
    expect(reasonOf(taken, 'yes')).toBe('the data has no targets named after it');
    // The requirements name no other outputs.
    const { others: _others, ...alone } = requirements;
    expect((await open(npz(whole), {}, alone)).others.size).toBe(0);
  }); // prettier-ignore

  it('are part of what a run that goes on must find again', async () => {
    const hashes = await Promise.all([whole, whole, { ...whole, y_place: [[N, 2], PLACE.map((v) => v + 1)] } as Arrays].map(async (arrays) => (await open(npz(arrays))).hash));
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  }); // prettier-ignore
});
