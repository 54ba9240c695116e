/** Reads TensorProto: dims, type and place are checked with the file, values are read on request. */
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import type { ExternalRange, OnnxTensor } from './onnxModel.js';
import { rawNumbers, typedNumbers } from './tensorValues.js';
import { FIXED, kindOf, typeOf, type TypedField } from './tensorTypes.js';
import { invalid, quoted, WireReader, type OnnxBytes } from './wire.js';

/** Returns bytes that lie beside the model's file. @throws UserError if they are missing. */
export type ReadExternal = (range: ExternalRange) => Uint8Array;

export interface TensorSource {
  readonly file: OnnxBytes;
  readonly external?: ReadExternal;
}

/** Most axes of a tensor: far more than any operator takes. */
const MAX_RANK = 32;

/** The fields of a TensorProto that hold values, by number. */
export const FIELDS: Readonly<Record<number, TypedField>> = {
  4: 'float_data',
  5: 'int32_data',
  6: 'string_data',
  7: 'int64_data',
  10: 'double_data',
  11: 'uint64_data',
};

/** A TensorProto's fields, unchecked. Ranges are offsets in the file's bytes. */
export interface RawTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly raw: readonly [start: number, end: number] | null;
  /** Ranges by field, [start, end, start, end...]. */
  readonly typed: ReadonlyMap<TypedField, readonly number[]>;
  readonly external: ReadonlyMap<string, string> | null;
}

/** @throws UserError('model-invalid'). */
export function rawTensor(reader: WireReader): RawTensor {
  let [name, dataType, isExternal] = ['', 0, false];
  let raw: [number, number] | null = null;
  const dims: number[] = [];
  const typed = new Map<TypedField, number[]>();
  const external = new Map<string, string>();
  while (reader.next()) {
    const { field } = reader;
    const values = FIELDS[field];
    if (values !== undefined) {
      if (values === 'string_data') reader.view();
      else if (reader.end === reader.start) continue;
      const pieces = typed.get(values) ?? [];
      typed.set(values, pieces);
      reader.pieces(pieces, FIXED[values]);
    } else if (field === 1) reader.ints(dims);
    else if (field === 2) dataType = reader.int();
    else if (field === 3) reader.damaged('a tensor in segments, which are not read');
    else if (field === 8) name = reader.name();
    else if (field === 9) {
      reader.view();
      raw = [reader.start, reader.end];
    } else if (field === 13) addEntry(external, reader);
    else if (field === 14) isExternal = reader.int() === 1;
    if (dims.length > MAX_RANK) reader.damaged(`a tensor of more than ${MAX_RANK} axes`);
  }
  return { name, dims, dataType, raw, typed, external: isExternal ? external : null };
}

/** A StringStringEntryProto. */
export function addEntry(entries: Map<string, string>, reader: WireReader): void {
  const entry = reader.message();
  let [key, value] = ['', ''];
  while (entry.next())
    if (entry.field === 1) key = entry.name();
    else if (entry.field === 2) value = entry.text();
  entries.set(key, value);
}

/** The place of an external tensor's bytes. @param bytes how many it needs; null if its type has no size. */
function externalRange(entries: ReadonlyMap<string, string>, bytes: number | null, fail: (problem: string) => never) {
  const whole = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return Number.isSafeInteger(value)
      ? value
      : fail(`its ${key} in another file, ${quoted(text)}, is no whole number`);
  };
  const location = entries.get('location') ?? '';
  if (location === '') fail('it lies in another file that is not named');
  const [offset, length] = [whole('offset') ?? 0, whole('length')];
  if (bytes !== null && length !== null && length !== bytes)
    fail(`its shape needs ${bytes} bytes, and ${length} of the file ${quoted(location)} are named`);
  return { location, offset, length: length ?? bytes };
}

/** Counts the values in the file from their bytes. */
function countTyped(bytes: Uint8Array, pieces: readonly number[], field: TypedField): number {
  let count = 0;
  for (let i = 0; i < pieces.length; i += 2) {
    const [start, end] = [pieces[i]!, pieces[i + 1]!];
    if (FIXED[field] > 0) count += (end - start) / FIXED[field];
    else if (field === 'string_data') count++;
    // The last byte of each number is below 128.
    else for (let at = start; at < end; at++) count += bytes[at]! < 128 ? 1 : 0;
  }
  return count;
}

/**
 * Reads a tensor and checks that its shape, type and place agree.
 * @param what returns its name for messages: 'initializer "w"'.
 * @throws UserError('model-invalid').
 */
export function tensorOf(tensor: RawTensor, what: () => string, source: TensorSource): OnnxTensor {
  const fail = (problem: string): never => invalid(source.file.path, `${what()}: ${problem}`, tensor.name);
  const { dims, dataType, raw, name } = tensor;
  const shape = () => `shape [${dims.join(', ')}]`;
  const type = typeOf(dataType);
  const kind = kindOf(dataType);
  if (dataType === 0) fail('its kind of numbers is not said');
  const count = sizeOf(dims);
  if (dims.some((dim) => dim < 0 || dim === Number.MAX_SAFE_INTEGER) || !Number.isSafeInteger(8 * count))
    fail(`its ${shape()} cannot be`);
  const filled = [...tensor.typed];
  const bytes = kind && kind.size > 0 ? kind.size * count : null;
  const base = { name, type, dims };
  const refuse = (): never => {
    throw new UserError('model-unsupported', `${source.file.path}: ${what()} holds ${type === 'string' ? 'text' : `numbers of kind ${dataType} (TensorProto.DataType)`}, which cannot be computed with here; export the model in float32`, { file: source.file.path, field: name }); // prettier-ignore
  };
  if (tensor.external) {
    if (raw || filled.length > 0) fail('it lies both in this file and in another');
    const external = externalRange(tensor.external, bytes, fail);
    const values = () => {
      if (!kind || bytes === null) return refuse();
      if (count === 0) return rawNumbers(new Uint8Array(0), kind.type, count, fail);
      if (!source.external) return fail(`its values lie in the file ${quoted(external.location)}, which was not read`);
      const view = source.external(external);
      if (view.length !== bytes) fail(`its ${shape()} needs ${bytes} bytes of ${quoted(external.location)}, which has ${view.length}`); // prettier-ignore
      return rawNumbers(view, kind.type, count, fail);
    };
    return { ...base, values, external };
  }
  if (filled.length > 1 || (raw && raw[1] > raw[0] && filled.length > 0)) fail('its values are there twice');
  const [field, pieces] = filled[0] ?? [null, []];
  if (field !== null && kind) {
    if (field !== kind.field) fail(`its values lie in ${field}, those of ${type} belong in ${kind.field}`);
    const found = countTyped(source.file.bytes, pieces, field);
    if (found !== count) fail(`its ${shape()} needs ${count} values, and ${found} are there`);
    return { ...base, values: () => (field === 'string_data' ? refuse() : typedNumbers(source.file, pieces, kind, count, fail)) }; // prettier-ignore
  }
  const [start, end] = raw ?? [0, 0];
  if (bytes !== null && end - start !== bytes)
    fail(`its ${shape()} needs ${bytes} bytes, and ${end - start} are there; is the file cut off?`);
  if (type === 'string' && count > 0) fail(`its ${shape()} needs ${count} texts, and none are there`);
  return { ...base, values: () => (kind && bytes !== null ? rawNumbers(source.file.bytes.subarray(start, end), kind.type, count, fail) : refuse()) }; // prettier-ignore
}
