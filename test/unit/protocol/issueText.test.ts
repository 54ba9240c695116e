/** No message of the validator reaches the user in the validator's own words: every schema, every kind of wrong value. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { commandArguments } from '../../../daemon/protocol/commands.js';
import { RunEvent } from '../../../daemon/protocol/events.js';
import { issueText, plainIssues } from '../../../daemon/protocol/issueText.js';
import {
  clientNotifications,
  Hello,
  InitializationOptions,
  notifications,
  requests,
} from '../../../daemon/protocol/messages.js';
import { Budget, DataSource, PathSettings, Plan } from '../../../daemon/protocol/plan.js';
import { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';

const JUNK: readonly unknown[] = [undefined, null, true, -1, 0.5, 1e99, NaN, '', 'junk', [], [[]], {}, { junk: 1 }];

/** Values of about the schema's shape, each with one thing wrong: junk in the place of every key, however deep. */
function* wrong(schema: z.core.$ZodType, depth = 4): Generator<unknown> {
  yield* JUNK;
  if (depth === 0) return;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable)
    yield* wrong(schema.unwrap() as z.core.$ZodType, depth);
  else if (schema instanceof z.ZodDefault) yield* wrong(schema.unwrap() as z.core.$ZodType, depth);
  else if (schema instanceof z.ZodUnion)
    for (const option of schema.options) yield* wrong(option as z.core.$ZodType, depth - 1);
  else if (schema instanceof z.ZodArray)
    for (const value of wrong(schema.element as z.core.$ZodType, depth - 1)) yield [value];
  else if (schema instanceof z.ZodRecord)
    for (const value of wrong(schema.valueType as z.core.$ZodType, depth - 1)) yield { any: value };
  else if (schema instanceof z.ZodObject) {
    const discriminator = Object.entries(schema.shape).flatMap(([key, inner]) =>
      inner instanceof z.ZodLiteral ? [[key, [...inner.values][0]]] : [],
    );
    const base = Object.fromEntries(discriminator) as object;
    for (const [key, inner] of Object.entries(schema.shape))
      for (const value of wrong(inner as z.core.$ZodType, depth - 1)) yield { ...base, [key]: value };
  }
}

/** The words of validators and of JavaScript. */
const THEIRS =
  /Invalid|Too (small|big)|Unrecognized|\bexpected\b|\breceived\b|undefined|NaN,|ZodError|\[object|discriminator|"code":|regex|\/\^/;

const schemas: [string, z.core.$ZodType][] = [
  ['plan', Plan],
  ['budget', Budget],
  ['data', DataSource],
  ['path', PathSettings],
  ['resolved plan', ResolvedPlan],
  ['event', RunEvent],
  ['hello', Hello],
  ['initialization', InitializationOptions],
  ...Object.entries(requests).flatMap(([name, { params, result }]): [string, z.core.$ZodType][] => [
    [`${name} params`, params],
    [`${name} result`, result],
  ]),
  ...Object.entries({ ...notifications, ...clientNotifications, ...commandArguments }),
];

it.each(schemas)('%s', (_name, schema) => {
  let found = 0;
  const seen = new Set<string>();
  for (const value of wrong(schema)) {
    const parsed = z.safeParse(schema, value);
    if (parsed.success) continue;
    found++;
    const text = issueText(parsed.error, value);
    if (seen.has(text)) continue;
    seen.add(text);
    expect(text).not.toMatch(THEIRS);
    expect(text).not.toContain('\n');
    for (const { message } of plainIssues(parsed.error.issues, value))
      expect(message).toMatch(/^((".+"|the whole) (must be .+; it is .+|is missing; it must be .+)|unknown key ".+")$/);
  }
  expect(found).toBeGreaterThan(5);
});

describe('what it says', () => {
  const minimal = { model: 'm.json', data: 'mnist', budget: { keep: '1%' } };
  it.each([
    [{ ...minimal, data: undefined }, '"data" is missing; it must be text or an object'],
    [{ ...minimal, seed: 'x' }, '"seed" must be a number; it is "x"'],
    [{ ...minimal, seed: 1.5 }, '"seed" must be a whole number; it is 1.5'],
    [{ ...minimal, seed: -1 }, '"seed" must be a number of at least 0; it is -1'],
    [{ ...minimal, budget: { keep: 'lots' } }, '"budget.keep" must be a percentage such as "1%"; it is "lots"'],
    [{ ...minimal, budget: { keep: 5 } }, '"budget.keep" must be a number of at most 1; it is 5'],
    [{ ...minimal, budget: { keep: true } }, '"budget.keep" must be a number or text; it is true'],
    [{ ...minimal, method: 'lcc' }, '"method" must be "lc", "magnitude" or "gradual"; it is "lcc"'],
    [{ ...minimal, training: { learningRate: 0 } }, '"training.learningRate" must be a number above 0; it is 0'],
    [{ ...minimal, data: { source: 'x', limit: 0 } }, '"data.limit" must be a number of at least 1; it is 0'],
    [{ ...minimal, budgets: 1 }, 'unknown key "budgets"'],
    [{ ...minimal, tasks: [] }, '"tasks" must be a list of at least 1 entry; it is an empty list'],
  ])('%j', (plan, text) => {
    const parsed = Plan.safeParse(plan);
    expect(issueText(parsed.error!, plan)).toBe(text);
  });

  it('no more than three things, and how many more there are', () => {
    const parsed = Plan.safeParse({ a: 1, b: 2, c: 3, model: 'm', data: 'd', d: 4, e: 5 });
    expect(issueText(parsed.error!, {})).toBe('unknown key "a"; unknown key "b"; unknown key "c" (and 2 more)');
  });
});
