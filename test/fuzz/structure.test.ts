import { expect, it } from 'vitest';
import { thinsExactly } from '../unit/network/structure/thinsExactly.js';

/** `npm run test:structure` takes 1,000; the seeds are 0, 1, 2... */
const networks = Number(process.env['LC_PRUNE_STRUCTURES'] ?? 120);

it(`thinning on the graph keeps the outputs of ${networks} random networks with half of their units at 0`, () => {
  let [before, after] = [0, 0];
  for (let seed = 0; seed < networks; seed++) {
    const sizes = thinsExactly(seed);
    before += sizes.before;
    after += sizes.after;
  }
  expect(after / before).toBeLessThan(0.7);
}, 600_000);
