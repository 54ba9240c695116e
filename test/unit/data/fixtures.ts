/** Data files written byte by byte from the format specifications, independently of the readers. */
import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import type { DataRequirements, Dataset, Split } from '../../../daemon/data/dataset.js';
import { UserError } from '../../../daemon/protocol/errors.js';

export interface Workspace {
  readonly folder: string;
  write(name: string, content: Uint8Array | string): void;
  remove(): void;
}

export function makeWorkspace(): Workspace {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lc data ')));
  return {
    folder,
    write(name, content) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function dataConfig(source: string, more: Partial<ResolvedData> = {}): ResolvedData {
  return {
    source,
    format: null,
    inputs: null,
    labels: null,
    test: null,
    validation: 0,
    limit: null,
    scale: 'none',
    mean: 'none',
    augment: { flip: false, shift: 0 },
    classes: 'auto',
    classWeights: null,
    ...more,
  };
}

export const classifier = (inputShape: (number | null)[], classes: number): DataRequirements => ({
  inputShapes: [inputShape],
  outputShape: [classes],
  classification: true,
});

/** IDX of bytes: type 8. */
export function idxBytes(shape: number[], values: ArrayLike<number>): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = 8;
  header[3] = shape.length;
  shape.forEach((n, i) => header.writeUInt32BE(n, 4 + 4 * i));
  return Buffer.concat([header, Uint8Array.from(values)]);
}

/** .npy version 1, padded as NumPy pads it. */
export function npyBytes(descr: string, shape: number[], values: Uint8Array, fortran = false): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  let header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  header = header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header, 'latin1'), values]);
}

export const float32 = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** Every sample of a split, as rows. */
export async function readAll(dataset: Dataset, split: Split): Promise<{ inputs: number[][]; targets: number[][] }> {
  const width = dataset.inputShapes[0]!.reduce((a, b) => a * b, 1);
  const depth = dataset.targetShape.reduce((a, b) => a * b, 1);
  const x = new Float32Array(split.size * width);
  const others = dataset.inputShapes.slice(1).map((s) => new Float32Array(split.size * s.reduce((a, b) => a * b, 1)));
  const y = new Float32Array(split.size * depth);
  await split.gather(
    Uint32Array.from({ length: split.size }, (_, i) => i),
    0,
    split.size,
    [x, ...others],
    y,
  );
  const rows = (flat: Float32Array, n: number) =>
    Array.from({ length: split.size }, (_, i) => [...flat.subarray(i * n, (i + 1) * n)]);
  return { inputs: rows(x, width), targets: rows(y, depth) };
}

/** The UserError's message; fails on success and on any other error. */
export async function messageOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.message.includes('\n')) throw new Error(`more than one line: ${error.message}`, { cause: error });
    return error.message;
  }
  throw new Error('no error was thrown');
}
