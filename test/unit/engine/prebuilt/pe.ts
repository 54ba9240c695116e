import { Reader, type NativeFile } from './reader.js';

/** A DLL of Windows. */
export interface PeFile extends NativeFile {
  /** IMAGE_FILE_HEADER.Machine. */
  machine: number;
  /** Seconds since 1970, or 0; linkers that are asked for the same bytes twice write 0. */
  time: number;
  isDll: boolean;
  /** Least version of Windows: 4 or 5 is any. */
  system: number;
  /** IMAGE_OPTIONAL_HEADER.DllCharacteristics. */
  characteristics: number;
  /** Names of libraries that are loaded at the first call. */
  delayed: string[];
}

/** Of an optional header of 64 bits. */
const PE32_PLUS = 0x20b;
const [EXPORTS, IMPORTS, DELAYED] = [0, 1, 13];

/**
 * Reads a DLL: headers, export table and import tables (Microsoft's "PE Format").
 *
 * @throws Error if it is not one of 64 bits.
 */
export function readPe(bytes: Uint8Array): PeFile {
  const file = new Reader(bytes);
  const header = file.u32(0x3c) + 4;
  const optional = header + 20;
  if (file.u16(optional) !== PE32_PLUS) throw new Error('the file is no program of 64 bits');
  const sections = Array.from({ length: file.u16(header + 2) }, (_, i) => {
    const at = optional + file.u16(header + 16) + i * 40;
    return { address: file.u32(at + 12), bytes: file.u32(at + 16), start: file.u32(at + 20) };
  });
  /** Where in the file an address relative to the image lies. */
  const place = (address: number): number => {
    const section = sections.find((each) => address >= each.address && address < each.address + each.bytes);
    if (!section) throw new Error(`address ${address} is in no section`);
    return address - section.address + section.start;
  };
  const directory = (index: number): number | null => {
    const address = index < file.u32(optional + 108) ? file.u32(optional + 112 + index * 8) : 0;
    return address === 0 ? null : place(address);
  };
  const found: PeFile = {
    machine: file.u16(header),
    time: file.u32(header + 4),
    isDll: (file.u16(header + 18) & 0x2000) !== 0,
    system: file.u16(optional + 48),
    characteristics: file.u16(optional + 70),
    libraries: [],
    delayed: [],
    imports: [],
    exports: [],
  };
  const table = directory(EXPORTS);
  for (let i = 0; table !== null && i < file.u32(table + 24); i++)
    found.exports.push(file.text(place(file.u32(place(file.u32(table + 32)) + i * 4))));
  for (let at = directory(IMPORTS); at !== null && file.u32(at + 12) !== 0; at += 20) {
    found.libraries.push(file.text(place(file.u32(at + 12))).toLowerCase());
    for (let entry = place(file.u32(at)); file.u32(entry) !== 0; entry += 8)
      found.imports.push(file.text(place(file.u32(entry)) + 2));
  }
  for (let at = directory(DELAYED); at !== null && file.u32(at + 4) !== 0; at += 32)
    found.delayed.push(file.text(place(file.u32(at + 4))).toLowerCase());
  for (const names of [found.libraries, found.imports, found.exports]) names.sort();
  return found;
}
