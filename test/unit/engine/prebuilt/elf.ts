import { Reader, type NativeFile } from './reader.js';

const DYNAMIC = 6;
const DYNSYM = 11;
const DT_NEEDED = 1;
const DT_NULL = 0;

/**
 * Reads a shared library of Linux: the dynamic section and the dynamic symbols (System V ABI, chapters 4 and 5; 64 bits).
 *
 * @throws Error if it has no dynamic symbols.
 */
export function readElf(bytes: Uint8Array): NativeFile {
  const file = new Reader(bytes);
  const [headers, size, count] = [file.u64(40), file.u16(58), file.u16(60)];
  const sections = Array.from({ length: count }, (_, i) => {
    const at = headers + i * size;
    return { type: file.u32(at + 4), start: file.u64(at + 24), bytes: file.u64(at + 32), link: file.u32(at + 40) };
  });
  const symbols = sections.find(({ type }) => type === DYNSYM);
  const dynamic = sections.find(({ type }) => type === DYNAMIC);
  if (!symbols || !dynamic) throw new Error('the file has no dynamic symbols');
  const names = sections[symbols.link]!.start;
  const found: NativeFile = { libraries: [], imports: [], exports: [] };
  for (let at = symbols.start + 24; at < symbols.start + symbols.bytes; at += 24) {
    const section = file.u16(at + 6);
    // Local symbols are of no use to others.
    if (file.u8(at + 4) >> 4 === 0) continue;
    found[section === 0 ? 'imports' : 'exports'].push(file.text(names + file.u32(at)));
  }
  for (let at = dynamic.start; file.u64(at) !== DT_NULL; at += 16)
    if (file.u64(at) === DT_NEEDED) found.libraries.push(file.text(names + file.u64(at + 8)));
  found.imports.sort();
  found.exports.sort();
  return found;
}
