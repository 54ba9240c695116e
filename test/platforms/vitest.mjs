// Stands for vitest on a processor or system that is emulated, for which vitest's own native files are not installed: its runner and its
// expectations, in one process.
import { GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, chai, setState } from '@vitest/expect';

export { afterAll, beforeAll, describe, it, test } from '@vitest/runner';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
export const expect = chai.expect;
setState({ assertionCalls: 0 }, expect);
globalThis[GLOBAL_EXPECT] = expect;
