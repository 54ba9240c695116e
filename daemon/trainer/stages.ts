/** The first and last stages of every method: the reference, direct compression, retraining. */
import type { EngineSession } from '../engine/engine.js';
import type { CompressionTask } from '../lc/compression.js';
import { directCompression } from '../lc/cStep.js';
import { trainingRateAt } from '../lc/learningRate.js';
import { updateSupport } from '../lc/stopTest.js';
import { taskRanges } from '../lc/view.js';
import { UserError } from '../protocol/errors.js';
import type { Evaluation } from '../protocol/events.js';
import type { TrainingSettings } from '../protocol/resolvedPlan.js';
import { decisionOf, evaluateEach, evaluateSets, primarySet, reported } from './judge/evaluations.js';
import { seenValidation } from './judge/seenValidation.js';
import { saveCheckpoint, withTheta, type RunningState } from './runningState.js';
import type { Outcome, Planned, Run, Tasks } from './run.js';
import { stepsOf, trainPhase } from './trainPhase.js';
import { percent } from '../protocol/format.js';

/** Trains the reference (if the plan asks for it) and evaluates it. */
export async function reference(run: Run, state: RunningState): Promise<EngineSession> {
  const { progress } = state;
  const settings = run.plan.reference;
  let session: EngineSession;
  if (settings.epochs > 0) {
    session = await trainPhase(run, state, {
      settings,
      epochs: settings.epochs,
      learningRate: (epoch) => trainingRateAt(settings, epoch, settings.epochs),
    });
    await run.keepReference(await session.getWeights(), await session.getState());
  } else {
    session = await run.sessions.use(settings.batchSize);
  }
  progress.rateScale = 1;
  const parts = await evaluateEach(run, session, 'reference', progress.totalStep);
  progress.reference = parts[primarySet(run.sets)]!;
  const { error, loss } = progress.reference;
  if (error === null || loss === null) {
    throw new UserError(
      'model-invalid',
      'the reference gives no finite loss on this data; check its weights, and "data.preprocess"',
    );
  }
  if (run.chanceError !== null && error >= 0.95 * run.chanceError) {
    run.log({
      event: 'warning',
      code: 'at-chance',
      message: run.regression
        ? `the reference explains next to nothing of the targets (it leaves ${percent(error)} of their variance; always answering the mean leaves 100%): check "data.preprocess", and that the targets have the unit it was trained on`
        : `the reference is at chance (${percent(error)} error; always answering the most frequent class has ${percent(run.chanceError)}): check "data.preprocess" and the order of the classes`,
    });
  }
  const seen =
    settings.epochs === 0 && run.chanceError !== null && !run.regression
      ? seenValidation(parts.validation, parts.test)
      : null;
  if (seen !== null) run.log({ event: 'warning', code: 'seen-validation', message: seen });
  return session;
}

/** theta <- Pi(w), evaluated and logged: the result of compression without learning. */
export async function direct(
  run: Run,
  state: RunningState,
  session: EngineSession,
  tasks: readonly CompressionTask[],
): Promise<void> {
  run.log({ event: 'phase', phase: 'direct' });
  const w = await session.getWeights();
  directCompression(tasks, w, state.theta, run.plan.schedule.mu0);
  state.progress.theta = await atTheta(session, w, state.theta, tasks, () =>
    evaluateSets(run, session, 'direct', state.progress.totalStep),
  );
}

/** Calls `evaluate` with w <- theta in the tasks' ranges, and restores w afterwards. */
export async function atTheta<T>(
  session: EngineSession,
  w: Float32Array,
  theta: Float32Array,
  tasks: readonly CompressionTask[],
  evaluate: () => Promise<T>,
): Promise<T> {
  const own = w.slice();
  await session.setWeights(withTheta(own, theta, taskRanges(tasks)));
  try {
    return await evaluate();
  } finally {
    await session.setWeights(own);
  }
}

/** w <- theta. */
export async function adopt(
  state: RunningState,
  session: EngineSession,
  tasks: readonly CompressionTask[],
): Promise<void> {
  await session.setWeights(withTheta(await session.getWeights(), state.theta, taskRanges(tasks)));
}

/** 1 where theta keeps a weight; 0 elsewhere. Of theta's length, valid within the tasks' ranges. */
export function supportOf(tasks: readonly CompressionTask[], theta: Float32Array): Uint8Array {
  const support = new Uint8Array(theta.length);
  updateSupport(tasks, theta, support);
  return support;
}

export interface Retraining {
  readonly settings: TrainingSettings;
  readonly epochs: number;
  learningRate(epoch: number): number;
}

export const plannedRetraining = ({ retrain }: Run['plan']): Retraining => ({
  settings: retrain,
  epochs: retrain.epochs,
  learningRate: (epoch) => trainingRateAt(retrain, epoch, retrain.epochs),
});

/** Whether there is anything to retrain, and the budget allows it. */
export const retrains = ({ epochs }: Retraining, { retrainable }: Tasks): boolean => epochs > 0 && retrainable;

/** Steps of retraining, for the total. */
export const retrainingSteps = (run: Planned, retraining: Retraining, tasks: Tasks): number =>
  retrains(retraining, tasks)
    ? stepsOf(retraining.epochs, run.batches(retraining.settings.batchSize, 'retrain').stepsPerEpoch)
    : 0;

/** Trains the survivors with the support fixed (w is theta already), evaluates, and returns the result. */
export async function retrain(run: Run, state: RunningState, tasks: Tasks, retraining: Retraining): Promise<Outcome> {
  return outcomeOf(run, state, await retrainSurvivors(run, state, tasks, retraining));
}

/** The session's weights as the run's result, evaluated. */
export async function outcomeOf(run: Run, state: RunningState, session: EngineSession): Promise<Outcome> {
  const { progress } = state;
  const { reference: atReference, theta } = progress as { reference: Evaluation; theta: Evaluation };
  const weights = await session.getWeights();
  const each = await evaluateEach(run, session, 'retrained', progress.totalStep);
  const errors = { reference: atReference, theta, retrained: reported(run, each), decision: decisionOf(run, each) };
  return { weights, statistics: await session.getState(), ...errors };
}

/** Trains the survivors with the support fixed (w is theta already) and makes it durable; theta is then the result. */
export async function retrainSurvivors(
  run: Run,
  state: RunningState,
  tasks: Tasks,
  retraining: Retraining,
): Promise<EngineSession> {
  let session: EngineSession;
  if (retrains(retraining, tasks)) {
    const mask = { keep: supportOf(tasks.tasks, state.theta), ranges: taskRanges(tasks.tasks) };
    session = await trainPhase(run, state, { ...retraining, mask, keepsBest: true });
  } else {
    session = await run.sessions.use(retraining.settings.batchSize);
  }
  state.theta.set(await session.getWeights());
  await saveCheckpoint(run, state, session);
  return session;
}
