/** Tools that start long work: each returns its cost first, and starts when the call is confirmed. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { aboutTime } from '../../protocol/outlookText.js';
import { count } from '../../protocol/format.js';
import { UserError } from '../../protocol/errors.js';
import { parseGoal } from '../../protocol/goalText.js';
import type { Params } from '../../protocol/messages.js';
import { PathSettings } from '../../protocol/plan.js';
import { lastEvents } from '../../runs/eventLog.js';
import { remainingSeconds } from '../../runs/list/summary.js';
import { BASELINES } from '../../protocol/resolvedPlan.js';
import { defineTool, filePath, runName, text } from '../tool.js';

const confirm = z
  .string()
  .max(100)
  .optional()
  .describe('The token of the first call. Without it nothing starts, and the answer has the cost and a token.');

const STARTS = { readOnlyHint: false, destructiveHint: false, idempotentHint: false };

const CONFIRMED =
  'Takes two calls: without "confirm" nothing starts, and the answer has what it costs and a token; show the cost to the user, then call again with the token.';

const Started = z.object({
  text,
  started: z.boolean(),
  run: z.string().nullable().describe('Name of the run that goes on now; null: nothing was started.'),
  seconds: z.number().nullable().describe('What it takes, by training steps timed on this machine.'),
  notes: z.array(z.string()),
  confirm: z.string().nullable().describe('The token for the second call.'),
});

const nothingYet = (what: string, cost: string): string =>
  `Nothing has started. ${what} ${cost}. Ask the user, then call again with "confirm".`;

/** The path's settings with the bound that a goal says. @throws UserError('usage') for what is no goal on the error, or a second bound. */
function withGoal(path: PathSettings | undefined, goal: string | undefined): PathSettings | undefined {
  if (goal === undefined) return path;
  const input = parseGoal(goal);
  const reading = 'readings' in input ? input.readings[0] : undefined;
  if (!reading || !('bound' in reading))
    throw new UserError(
      'usage',
      `start_run: "${goal.slice(0, 100)}" is no goal on the error; say "lose at most 0.5%" or "97% accuracy", and give budgets to the plan`,
      { field: 'goal' },
    );
  if (path?.maxErrorIncrease !== undefined || path?.maxError !== undefined)
    throw new UserError('usage', 'start_run: "goal" and "path" both bound the error; give one of the two', { field: 'goal' }); // prettier-ignore
  return { ...path, ...reading.bound };
}

export const startRun = defineTool({
  name: 'start_run',
  title: 'Start a run',
  description: `Prunes by a plan: trains on this machine's processor or GPU for seconds to hours, and writes a folder under .lcprune/runs. ${CONFIRMED} The run goes on by itself; run_status follows it. It is stopped, with a checkpoint, when this server ends.`,
  annotations: STARTS,
  input: z.strictObject({
    plan: filePath('The plan file'),
    engine: z.string().max(100).optional().describe("In place of the plan's."),
    seed: z.int().min(0).max(0xffffffff).optional().describe("In place of the plan's."),
    compare: z.array(z.enum(BASELINES)).max(2).optional().describe('Baselines with equal epochs that run afterwards.'),
    path: PathSettings.optional().describe(
      'Computes the error-against-budget curve instead, in one run; {}: as the plan says, or 8 budgets. Only magnitude compares.',
    ),
    goal: z
      .string()
      .max(200)
      .optional()
      .describe(
        'Looks for the smallest network that meets it, in words: "lose at most 0.5%", "97% accuracy", "error 3%".',
      ),
    confirm,
  }),
  output: Started,
  async run({ plan, engine, seed, compare, path: settings, goal, confirm: token }, root) {
    const planPath = await root.file(plan);
    const path = withGoal(settings, goal);
    const wanted: Params<'lc/start'> = {
      planPath,
      ...(path && { path }),
      ...(engine !== undefined && { engine }),
      ...(seed !== undefined && { seed }),
      ...(compare && { compare }),
    };
    // Errors of the plan are reported before it costs anything.
    const read = await root.context.backend.readPlan(planPath, {
      workspace: root.folder,
      ...(path && { asPath: path }),
    });
    const what = JSON.stringify(['start', wanted, await readFile(planPath, 'utf8')]);
    if (token !== undefined) {
      const run = await root.confirmations.once(token, what, async () => (await root.ask('lc/start', wanted)).run);
      return { text: `${run} has started.`, started: true, run, seconds: null, notes: [], confirm: null };
    }
    const job = { planPath, workspace: root.folder, engine, path };
    const { time, notes } = await root.context.backend.runInChild('planTime', job);
    const baselines = (compare ?? []).filter((method) => method !== read.method).length;
    const seconds = time && time.seconds * (1 + baselines);
    const again = baselines === 0 ? '' : `, and as much again for each baseline: ${aboutTime(seconds ?? 0)} in all`;
    const cost = time
      ? `It takes at most ${time.text}${again}`
      : `How long it takes is not known: ${notes.at(-1) ?? 'no engine could be timed'}`;
    return {
      text: nothingYet(`${root.shown(planPath)} would be run in ${root.shown(root.folder)}.`, cost),
      started: false,
      run: null,
      seconds,
      notes,
      confirm: root.confirmations.ask(what),
    };
  },
});

export const resumeRun = defineTool({
  name: 'resume_run',
  title: 'Resume a run',
  description: `Continues a paused, stopped, interrupted or crashed run from its last checkpoint. ${CONFIRMED}`,
  annotations: STARTS,
  input: z.strictObject({
    run: runName,
    engine: z.string().min(1).max(100).optional().describe('To go on with; left out: its own.'),
    confirm,
  }),
  output: Started,
  async run({ run, engine, confirm: token }, root) {
    const { folder } = await root.find(run);
    const wanted: Params<'lc/resume'> = { run, ...(engine !== undefined && { engine }) };
    const { progress, state, message } = await root.summary(run);
    const what = JSON.stringify(['resume', wanted]);
    if (token !== undefined) {
      await root.confirmations.once(token, what, async () => {
        await root.ask('lc/resume', wanted);
        return run;
      });
      return { text: `${run} goes on.`, started: true, run, seconds: null, notes: [], confirm: null };
    }
    const seconds = remainingSeconds(await root.context.backend.readRunPlan(folder), await lastEvents(folder));
    const left = `${count(Math.round(100 * (1 - progress)))}% of it is left`;
    return {
      text: nothingYet(`${run} is ${state}.`, seconds === null ? left : `${left}: ${aboutTime(seconds)}`),
      started: false,
      run: null,
      seconds,
      notes: message === null ? [] : [message],
      confirm: root.confirmations.ask(what),
    };
  },
});
