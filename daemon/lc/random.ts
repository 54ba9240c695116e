/** A seeded generator (xoshiro128**, Blackman & Vigna 2018) with plain JSON state, so that a checkpoint can store it. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Uniform integer in [0, n). */
  below(n: number): number;
  /** Fisher-Yates, in place. */
  shuffle(items: Uint32Array): void;
  readonly state: readonly number[];
  restore(state: readonly number[]): void;
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** SplitMix32, as its authors advise for seeding: close seeds give unrelated states. */
function splitMix(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x9e3779b9) | 0;
    let z = s ^ (s >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
}

/**
 * @param seed any integer; its low 32 bits count.
 * @param stream separates generators of one seed (shuffling, dropout, initial weights).
 */
export function createRandom(seed: number, stream = 0): Random {
  const mix = splitMix(seed ^ Math.imul(stream, 0x85ebca6b));
  const s = new Int32Array([mix(), mix(), mix(), mix()]);
  const bits = (): number => {
    const s1 = s[1]!;
    const result = Math.imul(rotl(Math.imul(s1, 5), 7), 9);
    const t = s1 << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s1;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotl(s[3]!, 11);
    return result >>> 0;
  };
  const next = () => bits() / 4294967296;
  const below = (n: number) => Math.floor(next() * n);
  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const item = items[i]!;
        items[i] = items[j]!;
        items[j] = item;
      }
    },
    get state() {
      return [...s];
    },
    restore(state) {
      if (state.length !== 4) throw new RangeError(`a generator state has 4 words, not ${state.length}`);
      s.set(state);
    },
  };
}
