import { describe, expect, it } from 'vitest';
import { rules } from '../../../../daemon/network/verify/verifyNode.js';
import { oneOperation, operationsOfGrammar } from '../../../fuzz/graph/grammar.js';
import { checkSlopes } from '../../../fuzz/graph/slopes.js';

const seeds = 25;

describe('the gradient of each operation equals differences of its value in float64, for random shapes and attributes', () => {
  it('every operation has a case', () => {
    const leaves = ['Input', 'Constant'];
    // Only a gradient makes it; its own is refused (gradients.test.ts).
    const without = [...leaves, 'MaxPoolGrad'];
    expect([...operationsOfGrammar, ...without].sort()).toEqual(Object.keys(rules).sort());
  });

  it.each(operationsOfGrammar)('%s', (op) => {
    const verdicts = Array.from({ length: seeds }, (_, seed) => checkSlopes(oneOperation(op, seed), seed));
    expect(verdicts.filter(({ kind }) => kind === 'differ').map(({ what }) => what)).toEqual([]);
    expect(verdicts.filter(({ kind }) => kind === 'agree').length).toBeGreaterThan(0.9 * seeds);
  });
});
