// The platform that a native file runs on, from its first bytes.

const ELF = { 0x3e: 'linux-x64', 0xb7: 'linux-arm64' };
const PE = { 0x8664: 'win32-x64', 0xaa64: 'win32-arm64' };
const MACH_O = { 0x01000007: 'darwin-x64', 0x0100000c: 'darwin-arm64' };

/**
 * @param {Uint8Array} bytes
 * @returns {string | null} the target, such as "linux-x64"; "other" for a native file of another processor; null for a file that is none.
 */
export function platformOf(bytes) {
  if (bytes.length < 64) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint32(0, true);
  if (first === 0x464c457f) return ELF[view.getUint16(18, true)] ?? 'other';
  if (first === 0xfeedfacf) return MACH_O[view.getUint32(4, true)] ?? 'other';
  // Mach-O for 32 bits, and a file with several processors' code.
  if (first === 0xfeedface || first === 0xbebafeca) return 'other';
  if (view.getUint16(0, true) !== 0x5a4d) return null;
  const header = view.getUint32(0x3c, true);
  if (header + 6 > bytes.length || view.getUint32(header, true) !== 0x00004550) return null;
  return PE[view.getUint16(header + 4, true)] ?? 'other';
}
