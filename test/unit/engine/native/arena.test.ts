import { describe, expect, it } from 'vitest';
import { Arena } from '../../../../daemon/engine/native/arena.js';
import { createRandom } from '../../../../daemon/lc/random.js';

describe('arena', () => {
  it('never gives two living tensors the same floats, and keeps a vector of slack behind each', () => {
    const random = createRandom(1);
    for (let trial = 0; trial < 10; trial++) {
      const arena = new Arena();
      let living: { start: number; floats: number }[] = [];
      for (let i = 0; i < 120; i++) {
        if (living.length > 0 && random.below(2) === 0) {
          const [gone] = living.splice(random.below(living.length), 1);
          arena.give(gone!.start, gone!.floats);
        } else {
          const floats = 1 + random.below(300);
          living.push({ start: arena.take(floats), floats });
        }
        living = living.sort((a, b) => a.start - b.start);
        const sound = living.every(
          ({ start, floats }, k) => start % 16 === 0 && start + floats + 16 <= (living[k + 1]?.start ?? arena.size),
        );
        expect(sound).toBe(true);
      }
    }
  });

  it('uses space again: a chain of tensors needs room for two', () => {
    const arena = new Arena();
    let before = arena.take(1000);
    for (let i = 0; i < 20; i++) {
      const next = arena.take(1000);
      arena.give(before, 1000);
      before = next;
    }
    expect(arena.size).toBeLessThan(2.2 * 1016);
  });
});
