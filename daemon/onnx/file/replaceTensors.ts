/** Writes the user's own file with other tensors in it; everything else stays byte for byte. */
import { varint } from '../emit/message.js';
import { changedTensor, type NewPlace, type TensorChange } from './editTensor.js';
import { rawTensor } from './readTensor.js';
import { joined, repeated, spliced, splicedField, type Edit, type Pieces } from './splice.js';
import { invalid, OnnxBytes, quoted, WireReader } from './wire.js';

/** The replacement of a node's attribute, of the same type. */
export type AttributeChange = number | readonly number[] | TensorChange;

/** The replacements in the graph of a file. Graphs inside attributes do not change. */
export interface OnnxChanges {
  /** Tensors by the initializer's name. */
  readonly initializers: ReadonlyMap<string, TensorChange>;
  /** Present attributes, by a name of the node's outputs, then by their own name. */
  readonly attributes?: ReadonlyMap<string, ReadonlyMap<string, AttributeChange>>;
  /** Sizes by the value's name. They replace numbers in the file; null leaves a size unchanged. */
  readonly shapes?: ReadonlyMap<string, readonly (number | null)[]>;
  /** New places of initializers in other files. */
  readonly places?: ReadonlyMap<string, NewPlace>;
}

const isTensor = (change: AttributeChange): change is TensorChange => typeof change === 'object' && 'dims' in change;

/** A field of one int64. */
const intField = (reader: WireReader, value: number): Pieces => [
  reader.bytes.subarray(reader.fieldStart, reader.tagEnd),
  varint(value),
];

class Replacing {
  /** Replacements that were found in the file. */
  readonly #found = new Set<string>();

  constructor(
    readonly file: OnnxBytes,
    readonly changes: OnnxChanges,
  ) {}

  pieces(): Pieces {
    const graph: Edit = (reader) => this.#graphField(reader);
    const model = spliced(new WireReader(this.file), (reader) =>
      reader.field === 7 ? splicedField(reader, graph) : null,
    );
    this.#refuseMissing();
    return model ?? [this.file.bytes];
  }

  #fail(what: string): (problem: string) => never {
    return (problem) => invalid(this.file.path, `${what}: ${problem}`);
  }

  #refuseMissing(): void {
    const { initializers, attributes, places } = this.changes;
    for (const name of [...initializers.keys(), ...(places?.keys() ?? [])])
      if (!this.#found.has(name)) this.#fail(`initializer ${quoted(name)}`)('is not in the file');
    for (const [output, named] of attributes ?? [])
      for (const name of named.keys())
        if (!this.#found.has(`${output}\0${name}`))
          this.#fail(`attribute ${quoted(name)} of the node that gives ${quoted(output)}`)('is not in the file');
  }

  #graphField(reader: WireReader): Pieces | null {
    if (reader.field === 1 && this.changes.attributes) return this.#node(reader);
    if (reader.field === 5) return this.#initializer(reader);
    return reader.field >= 11 && reader.field <= 13 ? this.#value(reader) : null;
  }

  #initializer(reader: WireReader): Pieces | null {
    const { name } = rawTensor(reader.message());
    const [change, place] = [this.changes.initializers.get(name) ?? null, this.changes.places?.get(name) ?? null];
    if (!change && !place) return null;
    this.#found.add(name);
    return changedTensor(reader, change, place, this.#fail(`initializer ${quoted(name)}`));
  }

  #node(reader: WireReader): Pieces | null {
    const node = reader.message();
    let output: string | null = null;
    while (node.next() && output === null) {
      const name = node.field === 2 ? node.name() : '';
      if (this.changes.attributes!.has(name)) output = name;
    }
    if (output === null) return null;
    const own = this.changes.attributes!.get(output)!;
    return splicedField(reader, (field) => (field.field === 5 ? this.#attribute(field, output, own) : null));
  }

  #attribute(reader: WireReader, output: string, changes: ReadonlyMap<string, AttributeChange>): Pieces | null {
    const named = reader.message();
    let name = '';
    const fields = new Set<number>();
    while (named.next()) {
      fields.add(named.field);
      if (named.field === 1) name = named.name();
    }
    const change = changes.get(name);
    if (change === undefined) return null;
    this.#found.add(`${output}\0${name}`);
    const fail = this.#fail(`attribute ${quoted(name)} of the node that gives ${quoted(output)}`);
    const [field, edit] = ((): [number, Edit] => {
      if (isTensor(change)) return [5, (value) => changedTensor(value, change, null, fail)];
      if (typeof change === 'number') return [3, (value) => intField(value, change)];
      return [8, repeated(change, varint)];
    })();
    if (!fields.has(field)) return fail('is of another kind than what it is replaced with');
    return splicedField(reader, (value) => (value.field === field ? edit(value) : null));
  }

  /** A ValueInfoProto: its type (2), of a tensor (1), has a shape (2) of dimensions (1) of a size (1). */
  #value(reader: WireReader): Pieces | null {
    const value = reader.message();
    let name = '';
    while (value.next()) if (value.field === 1) name = value.name();
    // Older files list initializers as inputs too.
    const sizes = this.changes.shapes?.get(name) ?? this.changes.initializers.get(name)?.dims;
    if (!sizes) return null;
    let axis = 0;
    const dimension: Edit = (field) => {
      if (field.field !== 1) return null;
      const size = sizes[axis++] ?? null;
      return splicedField(field, (dim) => (dim.field === 1 && size !== null && dim.int() !== size ? intField(dim, size) : null)); // prettier-ignore
    };
    const inside = (number: number, edit: Edit): Edit => (field) => (field.field === number ? splicedField(field, edit) : null); // prettier-ignore
    const replaced = splicedField(reader, inside(2, inside(1, inside(2, dimension))));
    if (axis > 0 && axis !== sizes.length) this.#fail(`value ${quoted(name)}`)(`has ${axis} axes, and ${sizes.length} sizes are given`); // prettier-ignore
    return replaced;
  }
}

/**
 * A model file with tensors, attributes and sizes replaced. Names, metadata, versions, all orders, unknown fields and all other bytes
 * are the file's own. If the shape of a tensor does not change, only its values differ.
 * @param bytes of a file that readOnnx has read. @param path its name, for messages.
 * @returns the file in pieces, most of them views of `bytes`; tensors in other files only get new shapes and places.
 * @throws UserError('model-invalid') if a replacement fits no tensor of the file, or a value does not fit its number type.
 */
export const replaceTensors = (bytes: Uint8Array, changes: OnnxChanges, path: string): Pieces =>
  new Replacing(new OnnxBytes(bytes, path), changes).pieces();

/**
 * Replaces initializers of a model that is one file, see replaceTensors.
 * @throws UserError('model-invalid') as there, and if an initializer lies in another file (see writeOnnxFile).
 */
export function replaceInitializers(
  bytes: Uint8Array,
  initializers: ReadonlyMap<string, TensorChange>,
  path = 'model.onnx',
): Uint8Array {
  return joined(replaceTensors(bytes, { initializers }, path));
}
