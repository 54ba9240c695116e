import { it } from 'vitest';
import { thinsExactly } from './thinsExactly.js';
it('random', () => {
  let [b, a] = [0, 0];
  let bad = 0;
  const t = Date.now();
  for (let seed = Number(process.env.SEED ?? 0); seed < Number(process.env.END ?? 300); seed++)
    try {
      const { before, after } = thinsExactly(seed);
      b += before;
      a += after;
    } catch (e) {
      if (bad++ < 8) console.log(seed, String((e as Error).stack).slice(0, 600));
    }
  console.log(bad, b, a, Date.now() - t);
}, 300000);
