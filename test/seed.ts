/**
 * Every property test draws from this seed unless it names its own: a failure here is a failure everywhere. And arrays of numbers whose bytes are the
 * same are equal at once: element by element, those of a network take vitest seconds.
 */
import fc from 'fast-check';
import { expect } from 'vitest';

fc.configureGlobal({ seed: 20180618 });

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Whether both are arrays of the same numbers, compared as `toEqual` compares numbers. */
function areSameNumbers(a: unknown, b: unknown): boolean {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b))
    return a.constructor === b.constructor && Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  // Unlike `every`, this looks at holes.
  return a.findIndex((value, i) => typeof value !== 'number' || !Object.is(value, b[i])) < 0;
}

// What is not the same is compared, and shown, by vitest.
expect.addEqualityTesters([(a: unknown, b: unknown): boolean | undefined => areSameNumbers(a, b) || undefined]);
