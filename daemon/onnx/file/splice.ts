/** Rewrites messages with some of their fields replaced; every other byte is the file's own. */
import { varint } from '../emit/message.js';
import type { WireReader } from './wire.js';

/** Bytes in pieces, most of them views of the file. */
export type Pieces = readonly Uint8Array[];

/** Returns the replacement of the current field, with its tag and length; null leaves the field as it is. */
export type Edit = (reader: WireReader) => Pieces | null;

export const sizeOfPieces = (pieces: Pieces): number => pieces.reduce((total, { length }) => total + length, 0);

/** A field of bytes with its own tag. */
export const bytesField = (field: number, pieces: Pieces): Pieces => [
  varint(field * 8 + 2),
  varint(sizeOfPieces(pieces)),
  ...pieces,
];

/**
 * Rewrites the message of a fresh reader with fields replaced.
 * @param more fields to append, read after the message was walked. @returns null if nothing changed.
 */
export function spliced(reader: WireReader, edit: Edit, more: () => Pieces = () => []): Pieces | null {
  const pieces: Uint8Array[] = [];
  let kept = reader.start;
  let changed = false;
  while (reader.next()) {
    const replaced = edit(reader);
    if (replaced === null) continue;
    if (reader.fieldStart > kept) pieces.push(reader.bytes.subarray(kept, reader.fieldStart));
    pieces.push(...replaced);
    kept = reader.end;
    changed = true;
  }
  if (reader.limit > kept) pieces.push(reader.bytes.subarray(kept, reader.limit));
  const added = more();
  return changed || added.length > 0 ? [...pieces, ...added] : null;
}

/** The current field with another value of its type (a message, text or packed numbers), under the same tag. */
export function withValue(reader: WireReader, value: Pieces): Pieces {
  const size = sizeOfPieces(value);
  // A length of the same size keeps its encoding.
  const head =
    size === reader.end - reader.start
      ? [reader.bytes.subarray(reader.fieldStart, reader.start)]
      : [reader.bytes.subarray(reader.fieldStart, reader.tagEnd), varint(size)];
  return [...head, ...value];
}

/** Rewrites the message in the current field with its fields replaced; null if nothing changed. */
export function splicedField(reader: WireReader, edit: Edit, more?: () => Pieces): Pieces | null {
  const value = spliced(reader.message(), edit, more);
  return value && withValue(reader, value);
}

/**
 * An edit of a repeated number. The new values replace the old ones at the place of the first, one per field or packed,
 * as the old ones were.
 * @param encode returns a value's bytes. @param together returns the bytes of all values, if that is faster.
 */
export function repeated(
  values: ArrayLike<number>,
  encode: (value: number) => Uint8Array,
  together: () => Uint8Array = () => Buffer.concat(Array.from(values, encode)),
): Edit {
  let written = false;
  return (reader) => {
    if (written) return [];
    written = true;
    if (reader.isBytes) return withValue(reader, [together()]);
    const tag = reader.bytes.subarray(reader.fieldStart, reader.tagEnd);
    return Array.from(values, encode).flatMap((value) => [tag, value]);
  };
}

export function joined(pieces: Pieces): Uint8Array {
  const all = new Uint8Array(sizeOfPieces(pieces));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
