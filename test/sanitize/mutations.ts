/** Programs that are nearly right: what a decoder that trusts its input would run. */
import { createRandom, type Random } from '../../daemon/lc/random.js';
import type { SampleProgram } from './programs.js';

/** Boundary values for sizes, counts and numbers of buffers. */
const telling = [0, 1, -1, 2, 7, 15, 16, 17, 255, 256, 257, 1000, 9999, 65535, 65536, 2 ** 24, 2 ** 24 + 1, 2 ** 30, 0x7fff0000, 2 ** 31 - 1, -(2 ** 31)]; // prettier-ignore

export interface Mutant {
  readonly code: Int32Array;
  readonly sizes: readonly number[];
}

function mutateWord(code: number[], random: Random): void {
  const at = random.below(code.length);
  const kind = random.below(4);
  if (kind === 0) code[at] = telling[random.below(telling.length)]!;
  else if (kind === 1) code[at]! += random.below(33) - 16;
  else if (kind === 2) code[at]! ^= 1 << random.below(32);
  else code[at] = code[random.below(code.length)]!;
}

function mutateLength(code: number[], random: Random, others: readonly SampleProgram[]): void {
  const at = random.below(code.length);
  const kind = random.below(4);
  if (kind === 0) code.length = at;
  else if (kind === 1) code.splice(at, 1 + random.below(8));
  else if (kind === 2) code.splice(at, 0, ...code.slice(at, at + 1 + random.below(8)));
  else {
    const other = others[random.below(others.length)]!.code;
    const from = random.below(other.length);
    code.splice(at, random.below(20), ...other.subarray(from, from + random.below(40)));
  }
}

/** Mutant number `index` of a seed: the same each time. Buffers only shrink, so that those of the program can be used. */
export function mutantOf(
  programs: readonly SampleProgram[],
  seed: number,
  index: number,
): Mutant & { program: number } {
  const random = createRandom(seed, index);
  const program = random.below(programs.length);
  const { code: whole, sizes: given } = programs[program]!;
  const code = [...whole];
  const sizes = [...given];
  for (let left = 1 + random.below(3); left > 0 && code.length > 0; left--) {
    const kind = random.below(10);
    if (kind < 7) mutateWord(code, random);
    else if (kind < 9) mutateLength(code, random, programs);
    else {
      const at = random.below(sizes.length);
      sizes[at] = random.below(sizes[at]! + 1);
    }
  }
  return { program, code: Int32Array.from(code), sizes };
}
