import { describe, expect, it } from 'vitest';
import { lineAndColumn, parsePlan, requirePlan } from '../../../daemon/plan/parsePlan.js';
import { UserError } from '../../../daemon/protocol/errors.js';

const minimal = '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }';

const onlyProblem = (text: string) => {
  const { plan, problems } = parsePlan(text);
  expect(plan).toBeNull();
  expect(problems).toHaveLength(1);
  return { ...problems[0]!, covered: text.slice(problems[0]!.offset, problems[0]!.offset + problems[0]!.length) };
};

describe('parsePlan', () => {
  it('takes model + data + budget as a whole plan', () => {
    expect(parsePlan(minimal)).toMatchObject({
      plan: { model: 'model.json', data: 'mnist', budget: { keep: '1%' } },
      problems: [],
    });
  });

  it('allows comments, trailing commas and a byte order mark', () => {
    const text = `\uFEFF// a plan\n{ "model": "m.json", /* data */ "data": "mnist", "budget": { "weights": 100, }, }`;
    expect(parsePlan(text).problems).toEqual([]);
  });

  it.each([
    ['a top-level typo', minimal.replace('"data"', '"datta"'), 'datta', 'data'],
    ['a typo in the budget', minimal.replace('"keep"', '"kep"'), 'kep', 'keep'],
    ['a swap of letters', minimal.replace('"model"', '"mdoel"'), 'mdoel', 'model'],
  ])('suggests the nearest key for %s, at its place', (_, text, wrong, right) => {
    const { problems } = parsePlan(text);
    const problem = problems.find((candidate) => candidate.message.includes('unknown key'))!;
    expect(problem.message).toContain(wrong);
    expect(problem.replacement).toBe(right);
    expect(text.slice(problem.offset, problem.offset + problem.length)).toBe(`"${wrong}"`);
  });

  it('finds an unknown key inside the object form of a union', () => {
    const text = '{ "model": "m.json", "data": { "source": "mnist", "preproces": {} }, "budget": { "keep": 0.1 } }';
    expect(onlyProblem(text)).toMatchObject({ replacement: 'preprocess', covered: '"preproces"' });
  });

  it('names the field of a wrong value and covers it', () => {
    const problem = onlyProblem(minimal.replace('"1%"', '"lots"'));
    expect(problem.message).toContain('budget.keep');
    expect(problem.covered).toBe('"lots"');
  });

  it('treats __proto__ as an unknown key and leaves prototypes alone', () => {
    const problem = onlyProblem(minimal.replace('"data"', '"__proto__": { "seed": 1 }, "data"'));
    expect(problem.message).toContain('unknown key "__proto__"');
    expect(({} as Record<string, unknown>)['seed']).toBeUndefined();
  });

  it('wants exactly one of budget and tasks', () => {
    expect(onlyProblem('{ "model": "m.json", "data": "mnist" }').message).toContain('no budget');
    expect(
      onlyProblem(minimal.replace('"budget"', '"tasks": [{ "layers": "*", "budget": { "keep": 0.5 } }], "budget"'))
        .message,
    ).toContain('not both');
  });

  it('refuses deep nesting and huge text before parsing', () => {
    expect(onlyProblem(`{"model":${'['.repeat(200_000)}`).message).toContain('nested deeper');
    expect(onlyProblem(`${minimal}${' '.repeat(1 << 21)}`).message).toContain('longer than');
  });

  it('does not count brackets inside strings', () => {
    expect(parsePlan(minimal.replace('model.json', '['.repeat(100))).problems).toEqual([]);
  });

  it('reports broken JSON with its position', () => {
    const { problems } = parsePlan('{ "model": }');
    expect(problems[0]!.message).toContain('not valid JSON');
    expect(problems[0]!.offset).toBe(11);
  });
});

describe('requirePlan', () => {
  it('throws one line with file, line and column', () => {
    const text = '{\n  "model": "m.json",\n  "dta": "mnist",\n  "data": "mnist",\n  "budget": { "keep": 1 }\n}';
    expect(() => requirePlan(text, 'a.prune.json')).toThrow(UserError);
    expect(() => requirePlan(text, 'a.prune.json')).toThrow(
      /^a\.prune\.json:3:3: unknown key "dta"; did you mean "data"\?$/,
    );
  });
});

describe('lineAndColumn', () => {
  it('counts from 1', () => {
    expect(lineAndColumn('ab\ncd', 0)).toEqual({ line: 1, column: 1 });
    expect(lineAndColumn('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
  });
});
