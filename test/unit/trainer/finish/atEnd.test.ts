import { expect, it } from 'vitest';
import { measureAtEnd } from '../../../../daemon/trainer/finish/atEnd.js';
import type { Assembled } from '../../../../daemon/trainer/setup.js';

it('what cannot be measured at the end is a note of the run, and never its failure', async () => {
  const assembled = {
    plan: { method: 'lc', reference: { epochs: 0 } },
    model: {},
    parts: { sets: {} },
    flatWeights() {
      throw new Error('the reference is gone');
    },
  } as unknown as Assembled;
  const evaluation = { loss: 1, error: 0.1, samples: 10 };
  const values = new Float32Array(1);
  const ended = { folder: '/nowhere', workspace: '/', weights: values, statistics: values, reference: evaluation, retrained: evaluation }; // prettier-ignore
  const { measured, notes } = await measureAtEnd(assembled, ended);
  expect(measured).toBeUndefined();
  expect(notes).toEqual([
    'What changed was not computed: the reference is gone',
    expect.stringMatching(/^Size and speed of the result were not measured: .*no result yet/),
  ]);
  const alone = { ...assembled, plan: { method: 'reference' } } as unknown as Assembled;
  expect(await measureAtEnd(alone, ended)).toEqual({ notes: [] });
});
