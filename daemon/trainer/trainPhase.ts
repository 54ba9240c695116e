/** One phase of SGD (the reference, an L step, retraining): it can be interrupted at every step, and is guarded against divergence. */
import type { EngineSession, TrainRequest } from '../engine/engine.js';
import type { OtherRate } from '../protocol/cautions.js';
import { UserError } from '../protocol/errors.js';
import type { TrainingSettings } from '../protocol/resolvedPlan.js';
import { figure, rounded } from '../protocol/format.js';
import { createBatchLog } from './log/batchLog.js';
import { keepBest, takeBest } from './judge/bestEpoch.js';
import { boundary, saveCheckpoint, type RunningState } from './runningState.js';
import { freshGuard, isDestroyed, lossLimit, watch } from './judge/lossGuard.js';
import type { Batches, Run } from './run.js';
import { LIMITS } from './limits.js';

const MAX_RETRIES = 8;
/** Weights whose norm grew by this factor within one phase have diverged, even if finite. */
const EXPLOSION = 1e3;
/** Growth of a reduced learning rate with every phase that ends well: seven phases make up for one halving. */
const RECOVERY = 1.1;

/** An error that a smaller learning rate may avoid: thrown by an engine for a loss that is not finite, and here. */
class LossRose extends UserError {}

export interface PhaseRequest extends Pick<TrainRequest, 'penalty' | 'mask'> {
  readonly settings: TrainingSettings;
  readonly epochs: number;
  /** Learning rate at a (fractional) epoch of this phase. */
  learningRate(epoch: number): number;
  /** Keeps the network with the lowest loss, among the one at its beginning and those after its epochs. */
  readonly keepsBest?: boolean;
}

/** Steps of a number of epochs, which may be a fraction: at least one unless zero. */
export const stepsOf = (epochs: number, stepsPerEpoch: number): number =>
  epochs === 0 ? 0 : Math.max(1, Math.round(epochs * stepsPerEpoch));

const norm = (vector: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  return Math.sqrt(sum);
};

/**
 * Trains from `progress.step` to the end of the phase `progress` is in. Velocity starts at zero.
 * @returns the session, with the phase's batch size.
 * @throws Stopped; UserError('diverged') when smaller learning rates did not help.
 */
export async function trainPhase(run: Run, state: RunningState, request: PhaseRequest): Promise<EngineSession> {
  const { progress } = state;
  const session = await run.sessions.use(request.settings.batchSize, progress.phase !== 'reference');
  const batches = run.batches(request.settings.batchSize, progress.phase);
  if (progress.batches === null) batches.rewind();
  else batches.restore(progress.batches);
  if (progress.step === 0) {
    state.startW = (await session.getWeights()).slice();
    state.startStatistics = (await session.getState()).slice();
    progress.start = { batches: batches.state, random: [...session.getRandomState()] };
    await session.setVelocity(new Float32Array(session.size));
  }
  for (;;) {
    try {
      await train(run, state, request, session, batches);
      progress.retries = 0;
      progress.rateScale = Math.min(1, RECOVERY * progress.rateScale);
      if (request.keepsBest) await takeBest(run, state, session, request.epochs);
      return session;
    } catch (error) {
      if (!(error instanceof UserError && error.code === 'diverged')) throw error;
      await goBack(run, state, request, session, batches, error);
    }
  }
}

async function train(
  run: Run,
  state: RunningState,
  request: PhaseRequest,
  session: EngineSession,
  batches: Batches,
): Promise<void> {
  const { progress } = state;
  const { settings, penalty, mask } = request;
  const { phase } = progress;
  const where = phase === 'l-step' || phase === 'prune' ? { phase, iteration: progress.iteration } : { phase };
  const { stepsPerEpoch } = batches;
  const total = stepsOf(request.epochs, stepsPerEpoch);
  const epochOf = (step: number) => step / stepsPerEpoch;
  if (request.keepsBest && progress.best === null) await keepBest(run, state, session, 0);
  const { path, budget } = progress;
  const onPath = path && phase !== 'reference' ? { point: path.point, ...(budget && { budget }) } : {};
  run.log({ event: 'phase', ...where, steps: total, ...onPath });
  const batchLog = createBatchLog(
    where,
    settings.batchSize,
    () => run.clock(),
    (event) => run.log(event),
  );
  let steps = 1;
  while (progress.step < total) {
    const began = run.clock();
    const from = progress.step;
    const left = request.keepsBest ? stepsPerEpoch - (from % stepsPerEpoch) : Infinity;
    const count = Math.min(steps, total - from, left);
    const learningRate = (i: number) => progress.rateScale * request.learningRate(epochOf(from + i));
    let failure: unknown = null;
    const onStep = (i: number, loss: number) => {
      try {
        const step = progress.totalStep + i + 1;
        if (Number.isFinite(loss)) watch(progress.guard, loss, chanceLossOf(run, batches));
        batchLog.add({ step, epoch: epochOf(from + i + 1), loss, learningRate: learningRate(i) });
      } catch (error) {
        // The engine must not see an error of a full disk in the middle of its step.
        failure ??= error;
      }
    };
    await session.train({
      batches,
      steps: count,
      learningRate,
      momentum: settings.momentum,
      nesterov: settings.nesterov,
      weightDecay: settings.weightDecay,
      ...(settings.clipNorm !== undefined && { clipNorm: settings.clipNorm }),
      ...(penalty ? { penalty } : {}),
      ...(mask ? { mask } : {}),
      onStep,
    });
    if (failure !== null) throw failure;
    requireSane(state, chanceLossOf(run, batches), from + count === total);
    progress.step += count;
    progress.totalStep += count;
    progress.batches = batches.state;
    const milliseconds = Math.max(run.clock() - began, 0.1);
    steps = Math.max(1, Math.min(4 * steps, Math.floor((count * LIMITS.engineCall) / milliseconds)));
    if (progress.step === total) batchLog.flush();
    if (request.keepsBest && (progress.step === total || progress.step % stepsPerEpoch === 0))
      await keepBest(run, state, session, Math.min(request.epochs, epochOf(progress.step)));
    if (progress.step < total) await boundaryAfter(batchLog.flush);
  }
  const size = norm(await session.getWeights());
  if (!(size <= EXPLOSION * (1 + norm(state.startW)))) {
    throw new UserError('diverged', `the weights grew without bound (norm ${size})`);
  }

  /** The log position in a checkpoint must include every step before it. */
  async function boundaryAfter(flush: () => void): Promise<void> {
    const { control } = run;
    if (control.stopReason || control.pauseWanted || control.checkpointWanted || run.clock() >= state.checkpointDue) {
      flush();
      await boundary(run, state, session);
    }
  }
}

/** Loss of a constant answer in training; null: unknown. */
const chanceLossOf = (run: Run, { chanceLoss = run.chanceLoss }: Batches): number | null => chanceLoss;

/** @throws LossRose if training has destroyed the network. @param chance loss of a constant answer. */
function requireSane({ progress }: RunningState, chance: number | null, last: boolean): void {
  const { guard } = progress;
  if (!isDestroyed(guard, last)) return;
  const [high, start] = [guard.smoothed!, guard.start!].map((loss) => figure(loss));
  const limit = figure(lossLimit(guard, chance));
  throw new LossRose(
    'diverged',
    `the batch loss rose from ${start} to ${high} (a network that has learned nothing: ${figure(chance!)}; allowed here: ${limit})`,
  );
}

/** The section of the plan whose learning rate a phase trains with. */
const sectionOf = (phase: string): OtherRate['section'] =>
  phase === 'reference' || phase === 'retrain' ? phase : 'training';

/** Returns to the beginning of the phase (in an L step: the last C step), with half the learning rate. */
async function goBack(
  run: Run,
  state: RunningState,
  request: PhaseRequest,
  session: EngineSession,
  batches: Batches,
  cause: UserError,
): Promise<void> {
  const { progress } = state;
  const rate = progress.rateScale * request.learningRate(0);
  const where = progress.phase === 'l-step' ? `L step ${progress.iteration + 1}` : progress.phase;
  const givesUp = progress.retries === MAX_RETRIES;
  if (givesUp && !(cause instanceof LossRose)) {
    throw new UserError(
      'diverged',
      `training diverged in ${where} even at learning rate ${figure(rate)}; check the data's scale (NaN, not normalised?) or lower "learningRate"`,
      { field: 'training.learningRate' },
    );
  }
  if (!givesUp) {
    progress.retries += 1;
    progress.rateScale /= 2;
  }
  // The loss is then high for another reason, such as a budget that is too small: it may stay so, and the result is judged at the end.
  progress.guard = { ...freshGuard(), off: givesUp };
  progress.step = 0;
  progress.batches = progress.start.batches;
  batches.restore(progress.start.batches);
  await session.setWeights(state.startW);
  await session.setState(state.startStatistics);
  await session.setVelocity(new Float32Array(session.size));
  session.setRandomState(progress.start.random);
  run.log({
    event: 'warning',
    code: 'diverged',
    message: givesUp
      ? `${cause.message} in ${where} even at learning rate ${figure(rate)}; going on without watching it`
      : `${cause instanceof LossRose ? cause.message : 'training diverged'} in ${where}; going on from its beginning with half the learning rate (${figure(rate / 2)})`,
    ...(!givesUp && {
      rate: {
        section: sectionOf(progress.phase),
        value: rounded(progress.rateScale * request.settings.learningRate, 2),
      },
    }),
  });
  await saveCheckpoint(run, state, session);
}
