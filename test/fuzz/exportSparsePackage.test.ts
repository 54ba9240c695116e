import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import { readSparsePackage } from '../../daemon/export/sparse/readSparsePackage.js';
import { writeSparsePackage } from '../../daemon/export/sparse/sparsePackage.js';
import { buildArchitecture } from '../../daemon/model/setup/architectures.js';
import { UserError } from '../../daemon/protocol/errors.js';
import { keepShare } from '../unit/export/prunedModels.js';

const model = keepShare(buildArchitecture('lenet300', 1), 0.01, 1);
const files = [writeSparsePackage(model), writeSparsePackage(model, { code: 'fixed' })];

/** Corrects the checksum, so that the damage reaches the parser. */
function sealed(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.length >= 4) copy.writeUInt32LE(crc32(copy.subarray(0, -4)), copy.length - 4);
  return copy;
}

function expectModelOrUserError(bytes: Uint8Array): boolean {
  try {
    const read = readSparsePackage(bytes, 'fuzz.lcp');
    for (const { shape, data } of read.weights) expect(data.length).toBe(shape.reduce((n, dim) => n * dim, 1));
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).not.toContain('\n');
    return false;
  }
}

it('answers damaged packages with a model of the right shapes or one clear error', () => {
  const mutation = fc.tuple(fc.nat(), fc.nat(12), fc.uint8Array({ maxLength: 8 }));
  let read = 0;
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.array(mutation, { minLength: 1, maxLength: 3 }), (file, mutations) => {
      const damaged = mutations.reduce((bytes, [where, drop, insert]) => {
        // Half of the damage hits the structure: the first kilobyte.
        const at = where % 2 === 0 ? where % 1000 : where % bytes.length;
        return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + drop)]);
      }, Buffer.from(file));
      if (expectModelOrUserError(sealed(damaged))) read++;
    }),
    { seed: 1, numRuns: 2000 },
  );
  // Changed bits of a value cannot be detected as damage.
  expect(read).toBeGreaterThan(0);
});

it('refuses a package cut short anywhere, and one whose bits have changed', () => {
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(7), (file, where, bit) => {
      const at = where % file.length;
      expect(() => readSparsePackage(file.subarray(0, at), 'cut.lcp')).toThrow(UserError);
      expect(() => readSparsePackage(sealed(file.subarray(0, at)), 'cut.lcp')).toThrow(UserError);
      const flipped = Uint8Array.from(file);
      flipped[at]! ^= 1 << bit;
      expect(() => readSparsePackage(flipped, 'flipped.lcp')).toThrow(UserError);
    }),
    { seed: 2, numRuns: 500 },
  );
});

it('refuses arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expectModelOrUserError(Buffer.concat([Buffer.from('LCSP\x01'), bytes]));
      expectModelOrUserError(sealed(Buffer.concat([Buffer.from('LCSP\x01'), bytes])));
    }),
    { seed: 3, numRuns: 1000 },
  );
});
