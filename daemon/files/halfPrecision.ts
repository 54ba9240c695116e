/** Numbers of 16 bits as floats of 32, which hold each of them exactly. */

/** IEEE 754 binary16: 5 bits of exponent, 10 of fraction. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** bfloat16: the upper half of a float32. */
export function bfloat16(bits: number): number {
  words[0] = bits << 16;
  return floats[0]!;
}
