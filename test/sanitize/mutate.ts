/**
 * Builds mutated programs and runs a quarter of those that the decoder takes: `mutate.mjs ADDON SEED FROM TO [PROGRESS]`. Under the
 * address sanitizer a wild read or write ends the process; PROGRESS is a file that holds the number of the mutant at work.
 * Prints one line of JSON: how many were built and run, and how many were refused for which reason.
 */
import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Addon } from '../../daemon/engine/native/addon.js';
import { createRandom } from '../../daemon/lc/random.js';
import { mutantOf } from './mutations.js';
import { samplePrograms } from './programs.js';

const [path, ...numbers] = process.argv.slice(2);
const [seed, first, end] = numbers.map(Number) as [number, number, number];
const progress = numbers[3] ? openSync(numbers[3], 'w') : undefined;
const addon = createRequire(import.meta.url)(path!) as Addon;
const levels = addon.levels();
const programs = await samplePrograms();
const random = createRandom(seed);
/** Each buffer has its own memory, so that the bytes after it are not ours. */
const filled = (size: number) => Float32Array.from({ length: size }, () => random.normal());
const buffers = programs.map(({ sizes }) => sizes.map(filled));

let [ran, built] = [0, 0];
const refused: Record<string, number> = {};
for (let index = first; index < end; index++) {
  if (progress !== undefined) writeSync(progress, `${index}\n`, 0);
  const { program: from, code, sizes } = mutantOf(programs, seed, index);
  // Results become NaN in time, and denormal numbers are slow.
  if (index % 500 === 0) buffers[from] = sizes.map(filled);
  const own = sizes.map((size, i) => {
    const buffer = buffers[from]![i];
    return buffer?.length === size ? buffer : filled(size);
  });
  try {
    const program = addon.create(own, code, index % 64 === 0 ? 2 : 1, levels[index % levels.length]!);
    if (built++ % 4 === 0) {
      // One that asks for more memory than there is fails, and that is all.
      try {
        addon.runNow(program);
      } catch (error) {
        if ((error as Error).message !== 'out of memory') throw error;
      }
      ran++;
    }
    addon.free(program);
  } catch (error) {
    const reason = (error as Error).message.replace(/operation -?\d+: /, '');
    refused[reason] = (refused[reason] ?? 0) + 1;
  }
}
console.log(JSON.stringify({ built, ran, refused }));
