/** Executes a plan's method from its beginning or from a checkpoint to the result. */
import type { Agreement } from '../../protocol/events.js';
import type { Budget } from '../../protocol/plan.js';
import { primarySet } from '../judge/evaluations.js';
import { isConstant } from '../judge/findings.js';
import { longRetraining, runGradual, runMagnitude } from '../judge/baselines.js';
import { boundary, createRunningState, lap, saveCheckpoint, type RunningState } from '../runningState.js';
import { lStepsFrom, runLc } from '../loop.js';
import { pathSteps, runPath } from '../path.js';
import type { Outcome, Planned, Run } from '../run.js';
import { plannedRetraining, reference, retrainingSteps } from '../stages.js';
import type { RunState } from '../state.js';
import { stepsOf } from '../trainPhase.js';

/** Training steps of the whole run, unless a stop test ends it earlier. */
export function totalSteps(run: Planned): number {
  const { method, reference: trained } = run.plan;
  const first =
    trained.epochs > 0 ? stepsOf(trained.epochs, run.batches(trained.batchSize, 'reference').stepsPerEpoch) : 0;
  if (method === 'reference') return first;
  if (run.plan.path) return first + pathSteps(run, run.plan.path);
  const tasks = run.tasks(null);
  if (method === 'magnitude')
    return first + retrainingSteps(run, longRetraining(run.plan), { ...tasks, retrainable: true });
  return first + lStepsFrom(run, 0) + retrainingSteps(run, plannedRetraining(run.plan), tasks);
}

/** A run that only trains the reference has it as its result. */
async function runReference(run: Run, state: RunningState): Promise<Outcome> {
  const session = await reference(run, state);
  const evaluation = state.progress.reference!;
  return {
    weights: await session.getWeights(),
    statistics: await session.getState(),
    reference: evaluation,
    theta: evaluation,
    retrained: evaluation,
    decision: null,
  };
}

const METHODS = { lc: runLc, magnitude: runMagnitude, gradual: runGradual, reference: runReference };

export interface Executed extends Outcome {
  /** The budget that the user has set in place of the plan's, or the path's point's; null: as planned. */
  readonly budget: Budget | null;
  /** State after its L and C steps; null if there were none. */
  readonly agreement: Agreement | null;
  /** The result gives the same output for every input. */
  readonly constant: boolean;
  /** Milliseconds of work, without pauses and interruptions. */
  readonly seconds: number;
}

/**
 * @param restored state of the checkpoint to continue from; null for a new run.
 * @throws Stopped after a checkpoint, when asked to; UserError.
 */
export async function execute(run: Run, restored: RunState | null): Promise<Executed> {
  const { method, training, reference: trained, retrain, path } = run.plan;
  const phase = restored?.progress.phase ?? 'reference';
  const { batchSize } = { reference: trained, 'l-step': training, prune: training, retrain }[phase];
  const session = await run.sessions.use(batchSize);
  const state = await createRunningState(run, session, restored);
  if (method !== 'lc' || path || phase === 'retrain') run.control.closeBudget();
  run.logStart(restored !== null);
  if (!restored) await saveCheckpoint(run, state, session);
  await boundary(run, state, session);
  const outcome = await (path ? runPath(run, state, path) : METHODS[method](run, state));
  lap(run, state);
  const { finished } = state.progress.path ?? {};
  const point = finished?.find((one) => one.point === outcome.path?.point);
  const last = await run.sessions.use((method === 'reference' ? trained : retrain).batchSize);
  await last.setWeights(outcome.weights);
  await last.setState(outcome.statistics);
  return {
    ...outcome,
    budget: point?.budget ?? state.progress.budget,
    agreement: (point ? point.agreement : state.progress.agreement) ?? null,
    constant: await isConstant(last, run.sets[primarySet(run.sets)]!),
    seconds: state.progress.elapsed / 1000,
  };
}
