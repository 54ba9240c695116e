import { createHash } from 'node:crypto';
import { Reader, type NativeFile } from './reader.js';

/** A library of macOS. */
export interface MachO extends NativeFile {
  /** mach_header_64.cputype. */
  processor: number;
  /** MH_DYLIB is 6, MH_BUNDLE 8. */
  kind: number;
  /** "macos 11.0": platform and least version, of LC_BUILD_VERSION. */
  system: string;
  /** Names of functions that are looked up in the whole program that loads it, not in a library. */
  lookedUp: string[];
  signature: Signature | null;
}

export interface Signature {
  adHoc: boolean;
  /** Whether each page of the file, up to the signature, has the SHA-256 that the signature gives for it. */
  intact: boolean;
}

const command = { SYMTAB: 0x2, LOAD_DYLIB: 0xc, CODE_SIGNATURE: 0x1d, BUILD_VERSION: 0x32 };
const [EXTERNAL, TYPE, UNDEFINED] = [0x01, 0x0e, 0x0];
/** nlist_64's library ordinal, of a two-level namespace, that names no library. */
const DYNAMIC_LOOKUP = 0xfe;
const PLATFORM_MACOS = 1;

/**
 * Reads a library of macOS: load commands, symbols and signature (Apple's mach-o/loader.h, mach-o/nlist.h and
 * kern/cs_blobs.h; 64 bits). Names lose the underscore that C's functions have there.
 */
export function readMachO(bytes: Uint8Array): MachO {
  const file = new Reader(bytes);
  const found: MachO = {
    processor: file.u32(4),
    kind: file.u32(12),
    system: '',
    libraries: [],
    imports: [],
    lookedUp: [],
    exports: [],
    signature: null,
  };
  let at = 32;
  for (let i = 0; i < file.u32(16); i++, at += file.u32(at + 4)) {
    const kind = file.u32(at);
    if (kind === command.LOAD_DYLIB) found.libraries.push(file.text(at + file.u32(at + 8)));
    else if (kind === command.SYMTAB) readSymbols(file, at, found);
    else if (kind === command.CODE_SIGNATURE) found.signature = readSignature(bytes, file.u32(at + 8));
    else if (kind === command.BUILD_VERSION) {
      const version = file.u32(at + 12);
      const platform = file.u32(at + 8) === PLATFORM_MACOS ? 'macos' : `platform ${file.u32(at + 8)}`;
      found.system = `${platform} ${version >>> 16}.${(version >>> 8) & 0xff}`;
    }
  }
  for (const names of [found.imports, found.lookedUp, found.exports]) names.sort();
  return found;
}

function readSymbols(file: Reader, at: number, found: MachO): void {
  const [start, count, names] = [file.u32(at + 8), file.u32(at + 12), file.u32(at + 16)];
  for (let i = 0; i < count; i++) {
    const symbol = start + i * 16;
    const kind = file.u8(symbol + 4);
    if (!(kind & EXTERNAL)) continue;
    const name = file.text(names + file.u32(symbol)).replace(/^_/, '');
    if ((kind & TYPE) !== UNDEFINED) found.exports.push(name);
    else if (file.u16(symbol + 6) >> 8 === DYNAMIC_LOOKUP) found.lookedUp.push(name);
    else found.imports.push(name);
  }
}

const [SUPER_BLOB, CODE_DIRECTORY] = [0xfade0cc0, 0xfade0c02];
const AD_HOC = 0x2;
const SHA256 = 2;

/** @param start of the signature. Its numbers are big-endian. @returns null if it has no directory of SHA-256 of pages. */
function readSignature(bytes: Uint8Array, start: number): Signature | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  if (view.getUint32(0) !== SUPER_BLOB) return null;
  for (let i = 0; i < view.getUint32(8); i++) {
    const at = view.getUint32(16 + i * 8);
    if (view.getUint32(at) !== CODE_DIRECTORY || view.getUint8(at + 37) !== SHA256) continue;
    const [hashes, pages, limit] = [view.getUint32(at + 16), view.getUint32(at + 28), view.getUint32(at + 32)];
    const page = 2 ** view.getUint8(at + 39);
    const hashOf = (n: number) =>
      createHash('sha256')
        .update(bytes.subarray(n * page, Math.min((n + 1) * page, limit)))
        .digest();
    const given = (n: number) => bytes.subarray(start + at + hashes + n * 32, start + at + hashes + (n + 1) * 32);
    const intact =
      limit === start && Array.from({ length: pages }, (_, n) => hashOf(n).equals(given(n))).every(Boolean);
    return { adHoc: (view.getUint32(at + 12) & AD_HOC) !== 0, intact: intact && pages === Math.ceil(limit / page) };
  }
  return null;
}
