/** Decodes a text file, whatever encoding a spreadsheet or an editor saved it in. */
import { invalidData } from '../dataError.js';

/** UTF-8 unless the first bytes show another encoding: a byte order mark, or the zeros of 16-bit ASCII. */
function encodingOf(name: string, head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  let [even, odd] = [0, 0];
  for (let i = 0; i < head.length; i++)
    if (head[i] === 0 && i % 2 === 0) even++;
    else if (head[i] === 0) odd++;
  if (even + odd === 0) return 'utf-8';
  const half = head.length / 2;
  if (even === 0 && odd > half / 2) return 'utf-16le';
  if (odd === 0 && even > half / 2) return 'utf-16be';
  throw invalidData(name, 'this is not text (it has zero bytes); save the table as CSV in UTF-8');
}

/** Number of bytes at the end of `bytes` that begin a UTF-8 character without completing it. */
function openTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

const decoded = (decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string | null => {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    return null;
  }
};

/** A lead byte of UTF-8 and what must follow it: no word of a Latin alphabet has this pair. */
const MULTIBYTE = /[\xc3-\xf4][\x80-\xbf]/;

/**
 * The text of a file, in pieces. Text that is not UTF-8 is decoded as Windows-1252, a superset of Latin-1.
 * @param head the first bytes, which show the encoding.
 * @param note called once, with a sentence, if the text is not UTF-8.
 * @throws UserError('data-invalid') for bytes that are not text, and for both encodings in one file.
 */
export async function* textOfBytes(
  name: string,
  head: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
  note: (sentence: string) => void,
): AsyncGenerator<string, undefined> {
  const encoding = encodingOf(name, head);
  if (encoding !== 'utf-8') {
    note(`The text is read as ${encoding.toUpperCase()}.`);
    const decoder = new TextDecoder(encoding, { fatal: true });
    const damaged = () =>
      invalidData(name, `this is not ${encoding.toUpperCase()} text; save the table as CSV in UTF-8`);
    for await (const chunk of chunks) {
      const text = decoded(decoder, chunk, true);
      if (text === null) throw damaged();
      yield text;
    }
    const last = decoded(decoder, new Uint8Array(0), false);
    if (last === null) throw damaged();
    yield last;
    return;
  }
  let decoder = new TextDecoder('utf-8', { fatal: true });
  let [latin, ascii, first] = [false, true, true];
  let carried: Uint8Array = new Uint8Array(0);
  const decode = (bytes: Uint8Array): string => {
    const text = decoded(decoder, bytes, false);
    if (text !== null) {
      ascii &&= text.length === bytes.length;
      // The mark is dropped from the first piece; inside the text it is a character.
      if (first) decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      first = false;
      return text;
    }
    if (latin || !ascii || MULTIBYTE.test(Buffer.from(bytes).toString('latin1')))
      throw invalidData(name, 'this text is UTF-8 in some places and not in others; save the table as CSV in UTF-8');
    latin = true;
    note('The text is not UTF-8: it is read as Windows-1252 (Latin-1).');
    decoder = new TextDecoder('windows-1252');
    return decoder.decode(bytes);
  };
  for await (const chunk of chunks) {
    const bytes: Uint8Array = carried.length > 0 ? Buffer.concat([carried, chunk]) : chunk;
    const open = latin ? 0 : openTail(bytes);
    carried = bytes.slice(bytes.length - open);
    yield decode(bytes.subarray(0, bytes.length - open));
  }
  if (carried.length > 0) yield decode(carried);
}
