import fc from 'fast-check';
import { it } from 'vitest';
import { thin } from '../../daemon/export/thin.js';
import { expectSame } from '../unit/export/expectSame.js';
import { predict, randomNetwork } from '../unit/export/randomNetworks.js';

it('thinning keeps the outputs of 1,000 random pruned networks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const { model, inputs, shape } = randomNetwork(seed);
      expectSame(
        await predict(thin(model).model, inputs, shape),
        await predict(model, inputs, shape),
        `network ${seed}`,
      );
    }),
    { seed: 17, numRuns: 1000, endOnFailure: true },
  );
}, 300_000);
