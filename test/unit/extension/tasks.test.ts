import { expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { resolveText } from '../../../daemon/plan/readPlan.js';
import { PROBLEM_MATCHER, TASK } from '../../../extension/ids.js';
import { commandOf } from '../../../extension/tasks/taskProvider.js';
import { tinyWorkspace } from '../../fixtures/tinyWorkspace.js';

const { contributes } = manifest;

test('a task runs a plan or a sweep, or resumes a run, and nothing else', () => {
  expect(commandOf({ plan: 'a b.prune.json' })).toEqual(['run', 'a b.prune.json']);
  expect(commandOf({ sweep: 'a.sweep.json' })).toEqual(['sweep', 'a.sweep.json']);
  expect(commandOf({ run: 'x', args: ['--engine', 'native'] })).toEqual(['resume', 'x', '--engine', 'native']);
  for (const wrong of [
    {},
    { plan: '' },
    { plan: 'a', run: 'x' },
    { plan: 'a', sweep: 'x' },
    { plan: 3 },
    { plan: 'a', args: '--seed' },
    { plan: 'a', args: [1] },
  ])
    // prettier-ignore
    expect(commandOf(wrong as never)).toBeNull();
  expect(contributes.taskDefinitions.map(({ type }) => type)).toEqual([TASK]);
});

/** Plans that are wrong in each way: syntax, a key, a value, a layer, a budget. */
const WRONG: readonly [text: string, line: number, column: number][] = [
  ['{\n  "model": "model.json",\n  "data": "data.csv"\n  "budget": {}\n}', 4, 3],
  ['{\n  "model": "model.json",\n  "data": "data.csv",\n  "budgit": { "keep": "1%" }\n}', 4, 3],
  ['{\n  "model": "model.json",\n  "data": "data.csv",\n  "budget": { "keep": "25%" },\n  "seed": "x"\n}', 5, 11],
  [
    '{\n  "model": "model.json",\n  "data": "data.csv",\n  "budget": { "keep": "25%" },\n  "exclude": ["nope"]\n}',
    5,
    15,
  ],
  ['{\n  "model": "model.json",\n  "data": "data.csv",\n  "budget": { "neurons": 1000 }\n}', 4, 13],
];

test('the problem matcher finds file, line and column in every error of a plan', async () => {
  const [pattern] = contributes.problemPatterns;
  expect(contributes.problemMatchers[0]).toMatchObject({ name: PROBLEM_MATCHER, pattern: `$${pattern!.name}` });
  const ws = await tinyWorkspace();
  try {
    for (const [text, line, column] of WRONG) {
      const error = await resolveText(text, ws.path('sub.prune.json'), { workspace: ws.folder }).catch((e: Error) => e);
      // As the command line prints it.
      const printed = `error: ${(error as Error).message}`;
      const match = new RegExp(pattern!.regexp).exec(printed);
      expect(match, printed).not.toBeNull();
      expect([match![pattern!.file], Number(match![pattern!.line]), Number(match![pattern!.column])], printed).toEqual(['sub.prune.json', line, column]); // prettier-ignore
      expect(match![pattern!.message]!.length).toBeGreaterThan(10);
    }
  } finally {
    await ws.remove();
  }
});
