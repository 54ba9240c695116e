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

/** To the nearest whole number, halves to the even one; at least 0, below 2^52. */
const toEven = (value: number): number => value + 2 ** 52 - 2 ** 52;

/** The bits of the float16 nearest to a number; of two as near, the one with an even fraction. Infinity from 65520 on. */
export function toFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Below the smallest normal number fractions count in steps of 2^-24; one too many is that number.
  if (size < 2 ** -14) return sign | toEven(size * 2 ** 24);
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  else if (2 ** (exponent + 1) <= size) exponent++;
  return sign | (((exponent + 14) << 10) + toEven(size / 2 ** (exponent - 10)));
}

/** The same of bfloat16. @param value a float32. */
export function toBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  floats[0] = value;
  return (words[0]! + 0x7fff + ((words[0]! >>> 16) & 1)) >>> 16;
}
