/** Formats for NumPy and SciPy: one sparse matrix per kernel, and the mask alone. */
import { join } from 'node:path';
import { ensureFolder } from '../files/makeFolder.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import { weightsInFile } from '../model/graph/weightsInFile.js';
import type { Model, WeightTensor } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import { sizeOf } from '../protocol/shape.js';
import { bools, byteString, floats, ints, npzFile } from './npyFile.js';

const kernelNames = (model: Model): Set<string> =>
  new Set(
    summarizeModel(model).flatMap(({ weights }) => weights.filter((one) => one.prunable).map(({ name }) => name)),
  );

/**
 * The kernel as a matrix in compressed sparse rows, as scipy.sparse.load_npz reads it.
 * @param columns the kernel's last axis (units) where not given; the rows are all others.
 */
export function csrFile({ data, shape }: WeightTensor, columns = shape.at(-1) ?? 1): Uint8Array {
  const rows = columns === 0 ? 0 : data.length / columns;
  const starts = new Int32Array(rows + 1);
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) starts[Math.floor(i / columns) + 1]!++;
  for (let row = 0; row < rows; row++) starts[row + 1]! += starts[row]!;
  const indices = new Int32Array(starts[rows]!);
  const values = new Float32Array(starts[rows]!);
  let at = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    indices[at] = i % columns;
    values[at++] = data[i]!;
  }
  return npzFile({
    indices: ints(indices),
    indptr: ints(starts),
    format: byteString('csr'),
    shape: ints(Int32Array.of(rows, columns)),
    data: floats(values, [values.length]),
  });
}

/** "block/conv/kernel" -> "block.conv.kernel.npz"; distinct whatever the names. */
function fileNames(names: readonly string[]): Map<string, string> {
  const taken = new Set<string>(['dense']);
  return new Map(
    names.map((name) => {
      const plain = name.replace(/[^A-Za-z0-9_-]+/g, '.').replace(/^\.+/, '') || 'kernel';
      let unique = plain;
      for (let n = 2; taken.has(unique.toLowerCase()); n++) unique = `${plain}.${n}`;
      taken.add(unique.toLowerCase());
      return [name, `${unique}.npz`] as const;
    }),
  );
}

/**
 * A folder: one CSR matrix per kernel, `dense.npz` with all other weights by name, and `kernels.json`: the kernel's name
 * and shape by file. @throws UserError('disk').
 */
export async function writeScipyFolder(model: Model, folder: string): Promise<void> {
  await ensureFolder(folder);
  const prunable = kernelNames(model);
  const weights = weightsInFile(model);
  const kernels = weights.filter(({ name }) => prunable.has(name));
  // PyTorch's kernels begin with their units: the matrix is of these by all others.
  const columns = ({ shape }: WeightTensor) => (model.kind === 'graph' ? sizeOf(shape.slice(1)) : undefined);
  const files = fileNames(kernels.map(({ name }) => name));
  for (const kernel of kernels)
    await writeFileAtomic(join(folder, files.get(kernel.name)!), csrFile(kernel, columns(kernel)));
  const rest = weights.filter(({ name }) => !prunable.has(name));
  await writeFileAtomic(
    join(folder, 'dense.npz'),
    npzFile(Object.fromEntries(rest.map(({ name, data, shape }) => [name, floats(data, shape)]))),
  );
  const index = Object.fromEntries(kernels.map(({ name, shape }) => [files.get(name)!, { name, shape }]));
  await writeFileAtomic(join(folder, 'kernels.json'), `${JSON.stringify(index, null, 2)}\n`);
}

/** The mask of each kernel (1: kept) as bool arrays by name. @throws UserError('disk'). */
export async function writeMask(model: Model, path: string): Promise<void> {
  const prunable = kernelNames(model);
  const masks = weightsInFile(model)
    .filter(({ name }) => prunable.has(name))
    .map(
      ({ name, data, shape }) =>
        [
          name,
          bools(
            Uint8Array.from(data, (x) => Number(x !== 0)),
            shape,
          ),
        ] as const,
    );
  await writeFileAtomic(path, npzFile(Object.fromEntries(masks)));
}
