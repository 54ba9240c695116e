/** The summary of a run in a list: from its plan, its log and whether its trainer lives. */
import { basename, dirname } from 'node:path';
import { Budget } from '../../protocol/plan.js';
import { budgetLabel, planBudgetLabel } from '../../protocol/runs/budgetLabel.js';
import type { RunState } from '../../protocol/events.js';
import type { RunSummary } from '../../protocol/messages.js';
import { JobState } from '../../protocol/runs/runOn.js';
import type { AbsolutePath } from '../../protocol/paths.js';
import type { ResolvedPlan } from '../../protocol/resolvedPlan.js';
import type { StopReason } from '../../trainer/process/ipc.js';
import { cautionsOf } from '../cautions.js';
import type { LastEvents } from '../eventLog.js';

const LEFT_BY_CHOICE: readonly string[] = ['user', 'interrupted', 'abandoned'] satisfies StopReason[];

/** @param alive whether a trainer holds the run's lock. @param job of the run, if a queue has it. */
export function runState({ state }: Pick<LastEvents, 'state'>, alive: boolean, job: JobState | null = null): RunState {
  if (!alive && job && job.state !== 'ended' && state?.event !== 'done')
    return job.state === 'running' ? 'running' : 'queued';
  switch (state?.event) {
    case 'done':
      return 'done';
    case 'failed':
      if (alive) return 'running';
      if (!state.ending) return 'failed';
      return state.ending.cause === 'crash' ? 'crashed' : 'interrupted';
    case 'stopped':
      if (alive) return 'running';
      return LEFT_BY_CHOICE.includes(state.reason) ? 'stopped' : 'interrupted';
    case 'paused':
      return alive ? 'paused' : 'interrupted';
    default:
      return alive ? 'running' : 'interrupted';
  }
}

function messageOf(state: RunState, events: LastEvents): string | null {
  if (events.state?.event === 'failed') return events.state.message;
  const reason = events.state?.event === 'stopped' ? (events.state.reason as StopReason) : null;
  if (state === 'stopped' && reason === 'abandoned')
    return 'It was paused when its window closed, and none was opened; resume continues where it stopped.';
  if (state !== 'interrupted') return null;
  return reason === 'shutdown'
    ? 'The program that ran it was closed; resume continues where it stopped.'
    : 'Its trainer ended before the run did; resume continues from the last checkpoint.';
}

/** Only for a run that has not been resumed since. */
const endingOf = (state: RunState, { state: last }: LastEvents): Pick<RunSummary, 'ending'> =>
  (state === 'crashed' || state === 'interrupted') && last?.event === 'failed' && last.ending
    ? { ending: last.ending }
    : {};

/** Time left at its latest speed; null before it has trained. */
export function remainingSeconds(plan: ResolvedPlan, { start, batch, iteration, last }: LastEvents): number | null {
  if (!start || !batch || last === null) return null;
  if (iteration && iteration.etaSeconds !== null)
    return Math.max(0, iteration.etaSeconds - (last - iteration.time) / 1000);
  if (batch.samplesPerSecond <= 0) return null;
  return (Math.max(0, start.totalSteps - batch.step) * plan.training.batchSize) / batch.samplesPerSecond;
}

/** The budget in force, in words. A run that only trains the reference has a budget in its plan but does not apply it. */
function budgetOf(plan: ResolvedPlan, events: LastEvents): Pick<RunSummary, 'budget'> {
  if (plan.method === 'reference') return {};
  const changed = Budget.safeParse(events.budget);
  const budget = changed.success ? budgetLabel(changed.data) : planBudgetLabel(plan);
  return budget === '' ? {} : { budget };
}

function pointsOf({ points }: LastEvents): Pick<RunSummary, 'points'> {
  if (points.size === 0) return {};
  return {
    points: [...points.values()].map(({ point, budget, kept, prunable, retrained, bytes, seconds }) => ({
      point,
      budget: budgetLabel(budget),
      kept: kept / Math.max(1, prunable),
      error: retrained.error,
      bytes,
      seconds,
    })),
  };
}

const iterates = ({ method }: ResolvedPlan): boolean => method === 'lc' || method === 'gradual';

/** Where a run is: `<workspace>/.lcprune/runs/<run>`. @param folder absolute. */
export const placeOf = (folder: string) => ({
  run: basename(folder),
  workspace: dirname(dirname(dirname(folder))) as AbsolutePath,
  folder: folder as AbsolutePath,
});

/** @param created when the folder was made, for a run without events. */
export function summarizeRun(
  folder: string,
  plan: ResolvedPlan,
  events: LastEvents,
  alive: boolean,
  created: number,
  job: JobState | null = null,
): RunSummary {
  const state = runState(events, alive, job);
  const active = state === 'running' || state === 'paused' || state === 'queued';
  const { start, batch, iteration } = events;
  const done = events.state?.event === 'done' ? events.state : null;
  return {
    ...placeOf(folder),
    plan: plan.name,
    planPath: plan.planPath,
    model: 'path' in plan.model ? plan.model.path : plan.model.architecture,
    modelPath: 'path' in plan.model ? plan.model.path : null,
    method: plan.method,
    engine: start?.engine ?? null,
    state,
    started: events.first ?? created,
    ended: active ? null : (events.last ?? created),
    iteration: iteration ? iteration.iteration + 1 : 0,
    iterations: iterates(plan) ? plan.schedule.iterations : 0,
    progress: done ? 1 : start && batch ? Math.min(1, batch.step / Math.max(1, start.totalSteps)) : 0,
    error: events.error,
    referenceError: events.referenceError,
    ...(plan.data.labels === false && { unlabelled: true }),
    kept: done?.kept ?? iteration?.kept ?? null,
    prunable: start?.prunable ?? null,
    etaSeconds: active ? remainingSeconds(plan, events) : null,
    samplesPerSecond: state === 'running' ? (batch?.samplesPerSecond ?? null) : null,
    message: state === 'queued' || state === 'running' ? null : messageOf(state, events),
    ...(job && state !== 'done' && { job: JobState.parse(job) }),
    ...cautionsOf(events),
    ...endingOf(state, events),
    ...budgetOf(plan, events),
    ...pointsOf(events),
    ...(done && { seconds: done.seconds }),
    ...(plan.baselineOf !== undefined && { baselineOf: plan.baselineOf }),
  };
}

/** A folder that is not a usable run, listed with the reason so that it can be deleted. */
export const brokenRun = (folder: string, created: number, message: string): RunSummary => ({
  ...placeOf(folder),
  plan: basename(folder),
  planPath: null,
  model: '',
  modelPath: null,
  method: '',
  engine: null,
  state: 'failed',
  started: created,
  ended: created,
  iteration: 0,
  iterations: 0,
  progress: 0,
  error: null,
  referenceError: null,
  kept: null,
  prunable: null,
  etaSeconds: null,
  samplesPerSecond: null,
  message,
});
