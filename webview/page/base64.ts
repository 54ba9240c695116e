/** Float64 columns and files as base64, the form in which they travel between page and host. */

/** Little-endian float64 values. */
export function decodeFloats(base64: string): Float64Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Float64Array(bytes.buffer);
}

export function encodeBytes(bytes: Uint8Array): string {
  const chunks: string[] = [];
  // fromCharCode takes its arguments from the stack, which is small.
  for (let i = 0; i < bytes.length; i += 0x8000) chunks.push(String.fromCharCode(...bytes.subarray(i, i + 0x8000)));
  return btoa(chunks.join(''));
}
