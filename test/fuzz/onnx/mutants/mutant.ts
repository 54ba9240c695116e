/** The mutant of a number: a valid file with some bytes or fields made wrong, or a graph that no exporter writes. */
import { createRandom, type Random } from '../../../../daemon/lc/random.js';
import { BASES } from '../bases/bases.js';
import { OPERATOR_BASES } from '../bases/operators.js';
import { changeAnyField, changeBytes } from './anyField.js';
import { copyOf, encode, parse, type Field } from './field.js';
import { changeKnownField } from './knownField.js';
import { STRANGE } from './strange.js';

/** One mutant in so many is a strange graph: they cost more than the others. */
const STRANGE_EACH = 400;
/** Share of the mutants of files with one operator or a few, which take the least time. */
const SMALL_SHARE = 0.8;

const trees = new Map<number, Field[]>();

function treeOf(base: number): Field[] {
  const known = trees.get(base) ?? parse(BASES[base]!.bytes)!;
  trees.set(base, known);
  return known.map(copyOf);
}

export interface Mutant {
  /** The valid file, or the kind of graph. */
  readonly from: string;
  readonly bytes: Uint8Array;
}

function changed(base: number, random: Random): Uint8Array {
  const kind = random.next();
  if (kind < 0.15) return changeBytes(BASES[base]!.bytes, random);
  const fields = treeOf(base);
  // Most have one fault: a file with several is refused for the first.
  for (let more = true; more; more = random.below(4) === 0)
    (kind < 0.4 ? changeAnyField : changeKnownField)(fields, random);
  const bytes = encode(fields);
  return random.below(20) === 0 && bytes.length > 0 ? changeBytes(bytes, random) : bytes;
}

/** The mutant of a number: the same for the same seed. */
export function mutantOf(seed: number, index: number): Mutant {
  const random = createRandom(seed * 1_000_003 + index);
  if (index % STRANGE_EACH === STRANGE_EACH - 1) {
    const [from, build] = STRANGE[Math.floor(index / STRANGE_EACH) % STRANGE.length]!;
    return { from, bytes: build(random) };
  }
  const files = BASES.length - OPERATOR_BASES.length;
  const base = random.next() < SMALL_SHARE ? files + random.below(OPERATOR_BASES.length) : random.below(files);
  return { from: BASES[base]!.name, bytes: changed(base, random) };
}
