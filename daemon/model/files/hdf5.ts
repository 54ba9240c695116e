/**
 * HDF5 through h5wasm, loaded when first needed. Files live in its memory file system only, so a link inside one
 * (external link, external storage, virtual data set) leads nowhere.
 */
import { UserError } from '../../protocol/errors.js';
import { bfloat16, float16 } from '../../files/halfPrecision.js';

type H5wasm = typeof import('h5wasm');

let loading: Promise<{ h5: H5wasm; fs: NonNullable<H5wasm['FS']> }> | null = null;

async function load(): Promise<{ h5: H5wasm; fs: NonNullable<H5wasm['FS']> }> {
  loading ??= (async () => {
    const h5 = await import('h5wasm');
    const module = await h5.ready;
    // Without it the library prints its error stack and answers with invalid ids.
    module.activate_throwing_error_handler();
    return { h5, fs: h5.FS! };
  })();
  return loading;
}

let counter = 0;

export interface Hdf5Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** What the numbers were stored as, where they had 16 bits. */
  readonly widened?: 'float16' | 'bfloat16';
}

/** What the Keras readers need of an open file. Paths are absolute inside the file, without a leading slash. */
export interface Hdf5File {
  /** Names in a group; empty when there is no such group. */
  children(path: string): string[];
  /** A string attribute; null when absent or of another type. */
  text(path: string, attribute: string): string | null;
  /** A list of strings, also when Keras had to cut it into name0, name1... */
  texts(path: string, attribute: string): string[] | null;
  /** Shape of a data set; null when there is none at `path`. */
  shape(path: string): number[] | null;
  /** A numeric data set as float32. @throws UserError when it is of another type. */
  tensor(path: string): Hdf5Tensor;
}

const oneLine = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  // The first frame of HDF5's error stack says what it could not do.
  const frame = /#000: .*?: (.*)/.exec(text)?.[1] ?? text.split('\n')[0]!;
  return frame.slice(0, 120);
};

/**
 * Opens `bytes` as an HDF5 file, calls `read`, and closes it whatever happens.
 * @throws UserError('model-invalid') naming `file` on a damaged file; UserErrors of `read` pass through.
 */
export async function withHdf5<T>(bytes: Uint8Array, file: string, read: (file: Hdf5File) => T): Promise<T> {
  const { h5, fs } = await load();
  const name = `/read-${counter++}.h5`;
  let opened: InstanceType<H5wasm['File']> | null = null;
  try {
    fs.writeFile(name, bytes);
    opened = new h5.File(name, 'r');
    return read(reader(h5, opened, file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError('model-invalid', `${file} is a damaged HDF5 file (${oneLine(error)}); copy or save it again`, {
      file,
    });
  } finally {
    try {
      opened?.close();
    } catch {
      // A file too damaged to close.
    }
    fs.unlink(name);
  }
}

/** The numbers of a data set of 16 bits each, which h5wasm hands over as bytes alone, in the order of this machine. */
function widened(
  h5: H5wasm,
  { file_id: id, path, metadata }: InstanceType<H5wasm['Dataset']>,
  decode: (bits: number) => number,
): Float32Array {
  const { Module } = h5;
  const bytes = 2 * metadata.total_size;
  const at = Module._malloc(Math.max(1, bytes));
  try {
    Module.get_dataset_data(id, path, null, null, null, BigInt(at));
    return Float32Array.from(new Uint16Array(Module.HEAPU8.slice(at, at + bytes).buffer), decode);
  } finally {
    Module._free(at);
  }
}

function reader(h5: H5wasm, root: InstanceType<H5wasm['File']>, file: string): Hdf5File {
  const get = (path: string): unknown => {
    if (path === '') return root;
    // h5wasm throws on a missing path; walking distinguishes it from a damaged one.
    let at: unknown = root;
    for (const segment of path.split('/')) {
      if (!(at instanceof h5.Group) || !at.keys().includes(segment)) return null;
      at = at.get(segment);
    }
    return at;
  };
  const attribute = (path: string, name: string): unknown => {
    const holder = get(path);
    if (!(holder instanceof h5.Group) && !(holder instanceof h5.Dataset)) return null;
    return holder.attrs[name]?.value ?? null;
  };
  const strings = (value: unknown): string[] | null => {
    if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? (value as string[]) : null;
    // An empty list is stored as an empty list of numbers.
    return ArrayBuffer.isView(value) && value.byteLength === 0 ? [] : null;
  };
  return {
    children(path) {
      const group = get(path);
      return group instanceof h5.Group ? group.keys() : [];
    },
    text(path, name) {
      const value = attribute(path, name);
      return typeof value === 'string' ? value : null;
    },
    texts(path, name) {
      const whole = attribute(path, name);
      if (whole !== null) return strings(whole);
      const pieces: string[] = [];
      for (let i = 0; ; i++) {
        const piece = strings(attribute(path, `${name}${i}`));
        if (piece === null) return i === 0 ? null : pieces;
        pieces.push(...piece);
      }
    },
    shape(path) {
      const dataset = get(path);
      return dataset instanceof h5.Dataset ? (dataset.metadata.shape ?? null) : null;
    },
    tensor(path) {
      const invalid = (problem: string): never => {
        throw new UserError('model-invalid', `${file}: the data set "${path}" ${problem}; save the model again`, {
          file,
        });
      };
      const dataset = get(path);
      if (!(dataset instanceof h5.Dataset)) return invalid('is missing');
      const { metadata } = dataset;
      const { H5T_FLOAT, H5T_INTEGER, H5T_OPAQUE } = h5.Module.H5T_class_t;
      if (metadata.shape === null) return invalid('holds no numbers');
      const shape = [...metadata.shape];
      const is = (type: { readonly value: number }): boolean => metadata.type === type.value;
      // Keras marks bfloat16, which HDF5 does not know (keras/src/saving/saving_lib.py, H5IOStore).
      const brain = attribute(path, 'dtype') === 'bfloat16';
      if (metadata.size === 2 && (is(H5T_FLOAT) || (brain && is(H5T_OPAQUE))))
        return {
          shape,
          data: widened(h5, dataset, brain ? bfloat16 : float16),
          widened: brain ? 'bfloat16' : 'float16',
        };
      if (!is(H5T_FLOAT) && !is(H5T_INTEGER)) return invalid('holds no numbers');
      const { value } = dataset;
      if (typeof value === 'number' || typeof value === 'bigint')
        return { shape, data: Float32Array.of(Number(value)) };
      if (value instanceof Float32Array) return { shape, data: value };
      if (!ArrayBuffer.isView(value)) return invalid('holds no numbers');
      return { shape, data: Float32Array.from(value as unknown as ArrayLike<number | bigint>, Number) };
    },
  };
}

/** A file to write: groups, string attributes and float32 data sets, created in the order given. */
export interface Hdf5Builder {
  /** Creates the group and those above it. */
  group(path: string): void;
  text(path: string, attribute: string, value: string): void;
  texts(path: string, attribute: string, values: readonly string[]): void;
  tensor(path: string, tensor: Hdf5Tensor): void;
}

/** HDF5 keeps attributes of up to 64 kB in an object's header; Keras cuts lists above this into pieces (legacy_h5_format.py). */
const ATTRIBUTE_LIMIT = 64512;

/** @returns the bytes of the file that `build` described. */
export async function buildHdf5(build: (file: Hdf5Builder) => void): Promise<Uint8Array> {
  const { h5, fs } = await load();
  const name = `/write-${counter++}.h5`;
  const root = new h5.File(name, 'w');
  const groups = new Map<string, InstanceType<H5wasm['Group']>>([['', root]]);
  const groupAt = (path: string): InstanceType<H5wasm['Group']> => {
    const known = groups.get(path);
    if (known) return known;
    const cut = path.lastIndexOf('/');
    const created = groupAt(cut < 0 ? '' : path.slice(0, cut)).create_group(path.slice(cut + 1));
    groups.set(path, created);
    return created;
  };
  try {
    build({
      group: (path) => void groupAt(path),
      text: (path, attribute, value) => groupAt(path).create_attribute(attribute, value),
      texts(path, attribute, values) {
        if (values.length === 0) return groupAt(path).create_attribute(attribute, [], [0], '<d');
        // A variable-length string takes 16 bytes of the header.
        const perPiece = Math.floor(ATTRIBUTE_LIMIT / 16);
        if (values.length <= perPiece) return groupAt(path).create_attribute(attribute, [...values], null, 'S');
        for (let i = 0; i * perPiece < values.length; i++) {
          const piece = values.slice(i * perPiece, (i + 1) * perPiece);
          groupAt(path).create_attribute(`${attribute}${i}`, piece, null, 'S');
        }
      },
      tensor(path, { shape, data }) {
        const cut = path.lastIndexOf('/');
        groupAt(path.slice(0, cut)).create_dataset({ name: path.slice(cut + 1), data, shape: [...shape], dtype: '<f' });
      },
    });
    root.close();
    return fs.readFile(name);
  } finally {
    fs.unlink(name);
  }
}
