import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePlan } from '../../daemon/plan/parsePlan.js';

const valid =
  '{ "model": "m.json", "data": { "source": "mnist", "validation": 0.1 }, "tasks": [{ "layers": ["a", "b*"], "budget": { "keep": "1%" } }], "seed": 3 }';

const inside = (text: string, offset: number, length: number) => offset >= 0 && length >= 0 && offset <= text.length;

it('never throws on mutated plans, and every problem lies inside the text', () => {
  const mutation = fc.tuple(fc.nat(valid.length), fc.nat(8), fc.string({ maxLength: 8, unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const text = mutations.reduce(
        (current, [at, drop, insert]) => current.slice(0, at) + insert + current.slice(at + drop),
        valid,
      );
      const { plan, problems } = parsePlan(text);
      expect(plan === null).toBe(problems.length > 0);
      for (const problem of problems) expect(inside(text, problem.offset, problem.length)).toBe(true);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

it('never throws on arbitrary JSON', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const { plan, problems } = parsePlan(text);
      expect(plan === null).toBe(problems.length > 0);
    }),
    { seed: 2, numRuns: 1000 },
  );
});
