/** A stranger's files: a folder with a trained model and its data, and how another program reads and evaluates both. */
import { rm, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { floats, npzFile, type NpyArray } from '../../../daemon/export/npyFile.js';
import { splitRows } from '../../../daemon/data/batches/splits.js';
import type { Rows } from './teach.js';

/** The samples that a run tests on, as they are stored: by input of the model, and what the answer is compared with. */
export interface Stored {
  readonly inputs: Readonly<Record<string, Rows>>;
  readonly target: Rows;
}

export interface Stranger {
  readonly name: string;
  /** Path from the folder of the stranger's work. */
  readonly model: string;
  /** Set if `init` cannot find it. */
  readonly data?: string;
  /** Further options of `init`. */
  readonly options?: readonly string[];
  /** The output of the exported network that the run trains; by default its only one. */
  readonly output?: string;
  readonly judge: Judge;
  write(home: string): Promise<void>;
  /** Reads the data from the file as stored, by code that is not the product's. */
  stored(home: string): Promise<Stored>;
}

/** The error of outputs, flat, by the definition in docs/data.md. */
export type Judge = (outputs: Float32Array, target: Rows) => number;

const rowsOf = (data: Float32Array, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, i) => [...data.subarray(i * width, (i + 1) * width)]);
const largest = (row: readonly number[]): number => row.indexOf(Math.max(...row));
const widthOf = ({ shape }: Rows): number => shape.reduce((a, b) => a * b, 1);

/** The share of wrong answers; the target holds class numbers, -1 for a place that does not count. */
export const wrongClasses: Judge = (outputs, { data }) => {
  const answers = rowsOf(outputs, outputs.length / data.length).map(largest);
  const counted = answers.filter((_, i) => data[i]! >= 0).length;
  return answers.filter((answer, i) => data[i]! >= 0 && answer !== data[i]).length / counted;
};

/** The share of values on the wrong side of one half. */
export const wrongSides: Judge = (outputs, { data }) =>
  outputs.reduce((wrong, value, i) => wrong + Number(value > 0.5 !== data[i]! > 0.5), 0) / data.length;

/** 1 - R^2, every value of the output about its own mean. */
export const unexplained: Judge = (outputs, target) => {
  const width = widthOf(target);
  const n = target.data.length / width;
  let [left, spread] = [0, 0];
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += target.data[i * width + j]! / n;
    for (let i = 0; i < n; i++) {
      const y = target.data[i * width + j]!;
      left += (outputs[i * width + j]! - y) ** 2;
      spread += (y - mean) ** 2;
    }
  }
  return left / spread;
};

export const rows = (shape: readonly number[], data: ArrayLike<number>): Rows => ({ shape, data: Float32Array.from(data) }); // prettier-ignore

/** The rows with these numbers. */
export function take(from: Rows, indices: ArrayLike<number>): Rows {
  const width = widthOf(from);
  const data = new Float32Array(indices.length * width);
  Array.from(indices).forEach((row, i) => data.set(from.data.subarray(row * width, (row + 1) * width), i * width));
  return { ...from, data };
}

export const count = (from: Rows): number => from.data.length / widthOf(from);
export const upTo = (n: number, from = 0): Uint32Array => Uint32Array.from({ length: n - from }, (_, i) => from + i);

/** The rows that a run with the default seed holds out of data without a test part. */
export const heldOut = (size: number): { train: Uint32Array; test: Uint32Array } =>
  splitRows({ name: 'data', trainSize: size, testSize: null, validation: 0, limit: null, seed: 0, purpose: 'train' });

export const asFloats = (of: Rows): NpyArray => floats(of.data, [count(of), ...of.shape]);
export const asBytes = (of: Rows): NpyArray => ({
  descr: '|u1',
  shape: [count(of), ...of.shape],
  bytes: Uint8Array.from(of.data),
});
export const asIntegers = (of: Rows): NpyArray => {
  const bytes = new Uint8Array(Int32Array.from(of.data).buffer);
  return { descr: '<i4', shape: [count(of), ...of.shape], bytes };
};

export async function save(home: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(home, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

const saveArrays = (home: string, name: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> =>
  save(home, name, npzFile(arrays));

/** An .npz with "NAME_train", the first rows of each, and "NAME_test", the rest. */
export const saveParts = (
  home: string,
  name: string,
  parts: Readonly<Record<string, Rows>>,
  { train, as }: { readonly train: number; readonly as: (of: Rows) => NpyArray },
): Promise<void> =>
  saveArrays(
    home,
    name,
    Object.fromEntries(
      Object.entries(parts).flatMap(([part, of]) => [
        [`${part}_train`, as(take(of, upTo(train)))],
        [`${part}_test`, as(take(of, upTo(count(of), train)))],
      ]),
    ),
  );

export const clear = (home: string): Promise<void> => rm(home, { recursive: true, force: true, maxRetries: 10 });
