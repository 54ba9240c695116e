/** Writes the sample programs to a file that race.c reads: `dump.mjs FILE`. Little-endian 32-bit words, see race.c. */
import { writeFileSync } from 'node:fs';
import { samplePrograms } from './programs.js';

const words: number[] = [];
for (const { code, sizes } of await samplePrograms()) words.push(sizes.length, ...sizes, code.length, ...code);
writeFileSync(process.argv[2]!, new Uint8Array(Int32Array.from(words).buffer));
