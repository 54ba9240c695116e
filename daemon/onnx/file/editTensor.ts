/** A TensorProto with other values, encoded as before, and a new shape if that changes. */
import { sizeOf } from '../../protocol/shape.js';
import { varint } from '../emit/message.js';
import { encodeRaw, encodeTyped } from './encodeValues.js';
import { addEntry, FIELDS, rawTensor } from './readTensor.js';
import { bytesField, repeated, splicedField, withValue, type Edit, type Pieces } from './splice.js';
import { FIXED, kindOf } from './tensorTypes.js';
import type { WireReader } from './wire.js';

/** The replacement of a tensor. */
export interface TensorChange {
  readonly dims: readonly number[];
  /** Row major. Float16 and bfloat16 tensors take the nearest value, ties to even. */
  readonly values: ArrayLike<number>;
}

/** The new place of a tensor's values in another file. */
export interface NewPlace {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Entries of external_data for the new place, without the checksum of the old file. */
function placeEdit({ location, offset, length }: NewPlace): { edit: Edit; more: () => Pieces } {
  const left = new Map<string, string>([['location', location], ['offset', String(offset)], ['length', String(length)]]); // prettier-ignore
  const edit: Edit = (reader) => {
    const entry = new Map<string, string>();
    addEntry(entry, reader);
    const [[key, old]] = [...entry] as [[string, string]];
    if (key === 'checksum') return [];
    const value = left.get(key);
    left.delete(key);
    if (value === undefined || value === old) return null;
    return splicedField(reader, (field) => (field.field === 2 ? withValue(field, [text(value)]) : null));
  };
  const more = (): Pieces => {
    // Missing entries mean: from the file's beginning, as long as the shape needs.
    if (left.get('offset') === '0') left.delete('offset');
    left.delete('length');
    return [...left].flatMap(([key, value]) => bytesField(13, [...bytesField(1, [text(key)]), ...bytesField(2, [text(value)])])); // prettier-ignore
  };
  return { edit, more };
}

/**
 * The current field, a TensorProto, with other values; null if nothing changes.
 * @param change null if the values stay and only the place is new.
 * @param place of a tensor in another file. @param fail is called if the change does not fit the tensor.
 */
export function changedTensor(
  reader: WireReader,
  change: TensorChange | null,
  place: NewPlace | null,
  fail: (problem: string) => never,
): Pieces | null {
  const old = rawTensor(reader.message());
  const kind = kindOf(old.dataType);
  if (!kind || kind.size === 0) return fail('its kind of numbers cannot be written');
  if (old.external && change && !place) fail('it lies in another file, which is written with the model alone');
  const dims = change?.dims ?? old.dims;
  if (change && change.values.length !== sizeOf(dims)) fail(`${change.values.length} values do not fit its new shape [${dims.join(', ')}]`); // prettier-ignore
  const sameDims = dims.length === old.dims.length && dims.every((dim, i) => dim === old.dims[i]);
  const dimsEdit = repeated(dims, varint);
  const placed = place && placeEdit(place);
  // A packed field of floats has the same bytes as raw_data.
  const raw = () => encodeRaw(change!.values, kind, fail);
  const one = (value: number) => encodeTyped(value, kind, fail);
  const typedEdit = repeated(change?.values ?? [], one, FIXED[kind.field] > 0 ? raw : undefined);
  let hasData = old.external !== null || change === null;
  let hasDims = sameDims;
  const value: Edit = (field) => {
    if (field.field === 1 && !sameDims) {
      hasDims = true;
      return dimsEdit(field);
    }
    if (field.field === 13 && placed && old.external) return placed.edit(field);
    if (!change || old.external) return null;
    if (field.field === 9 && old.typed.size === 0) {
      hasData = true;
      return withValue(field, [raw()]);
    }
    if (FIELDS[field.field] !== kind.field || field.start === field.end) return null;
    hasData = true;
    return typedEdit(field);
  };
  return splicedField(reader, value, () => [
    ...(hasDims ? [] : dims.flatMap((dim) => [varint(8), varint(dim)])),
    ...(hasData || change!.values.length === 0 ? [] : bytesField(9, [raw()])),
    ...(placed && old.external ? placed.more() : []),
  ]);
}
