/** The state of a running run: the session holds w, velocity and statistics; the rest is here. */
import type { EngineSession, Range } from '../engine/engine.js';
import type { Run } from './run.js';
import { Stopped } from './process/control.js';
import { freshGuard } from './judge/lossGuard.js';
import type { Progress, RunState, TrainingPhase } from './state.js';

/** Share of the time that writing checkpoints inside a phase may take. */
const CHECKPOINT_SHARE = 0.05;

export interface RunningState {
  readonly progress: Progress;
  theta: Float32Array;
  /** null without multipliers. */
  lambda: Float32Array | null;
  startW: Float32Array;
  startStatistics: Float32Array;
  /** In retraining: the best network so far. */
  bestW: Float32Array;
  bestStatistics: Float32Array;
  /** Clock times: of the last addition to `elapsed`, and of the next periodic checkpoint. */
  mark: number;
  checkpointDue: number;
}

const beginning = (phase: TrainingPhase): Progress => ({
  phase,
  iteration: 0,
  step: 0,
  totalStep: 0,
  elapsed: 0,
  loopElapsed: 0,
  loopStep: 0,
  iterationElapsed: 0,
  rateScale: 1,
  retries: 0,
  guard: freshGuard(),
  best: null,
  agreement: null,
  stable: 0,
  budget: null,
  pendingBudget: null,
  reference: null,
  theta: null,
  batches: null,
  random: [],
  start: { batches: null, random: [] },
});

/** @param restored null: a run from its beginning, with the session's weights as they are. */
export async function createRunningState(
  run: Run,
  session: EngineSession,
  restored: RunState | null,
): Promise<RunningState> {
  const now = run.clock();
  const times = { mark: now, checkpointDue: now + run.checkpointMs };
  const multipliers = run.plan.method === 'lc' && run.plan.schedule.multipliers === 'AL';
  if (!restored) {
    return {
      progress: beginning('reference'),
      theta: new Float32Array(session.size),
      lambda: multipliers ? new Float32Array(session.size) : null,
      startW: new Float32Array(0),
      startStatistics: new Float32Array(0),
      bestW: new Float32Array(0),
      bestStatistics: new Float32Array(0),
      ...times,
    };
  }
  const { progress, vectors } = restored;
  if (progress.pendingBudget) run.control.setBudget(progress.pendingBudget);
  await session.setWeights(vectors.w);
  await session.setVelocity(vectors.velocity);
  await session.setState(vectors.statistics);
  session.setRandomState(progress.random);
  const { lambda } = vectors;
  return { ...vectors, progress, lambda: multipliers ? lambda : null, ...times };
}

/** Adds the time since the last call to the run's working time. */
export function lap(run: Run, state: RunningState): void {
  const now = run.clock();
  state.progress.elapsed += now - state.mark;
  state.mark = now;
}

/** The current state, as a checkpoint stores it. Its vectors are not copies. */
export async function stateOf(state: RunningState, session: EngineSession): Promise<RunState> {
  state.progress.random = [...session.getRandomState()];
  return {
    progress: state.progress,
    vectors: {
      w: await session.getWeights(),
      velocity: await session.getVelocity(),
      statistics: await session.getState(),
      theta: state.theta,
      lambda: state.lambda ?? new Float32Array(0),
      startW: state.startW,
      startStatistics: state.startStatistics,
      bestW: state.bestW,
      bestStatistics: state.bestStatistics,
    },
  };
}

/** Writes a checkpoint of the current state. Only between steps. */
export async function saveCheckpoint(run: Run, state: RunningState, session: EngineSession): Promise<void> {
  lap(run, state);
  const answer = run.control.beginCheckpoint();
  state.progress.pendingBudget = run.control.pendingBudget;
  const before = run.clock();
  try {
    await run.save(await stateOf(state, session));
  } catch (error) {
    answer(error);
    throw error;
  }
  const now = run.clock();
  state.checkpointDue = now + Math.max(run.checkpointMs, (now - before) / CHECKPOINT_SHARE);
  answer(null);
}

/**
 * Called between steps and between iterations: handles the requests that arrived meanwhile.
 * @throws Stopped after the checkpoint, when asked to stop.
 */
export async function boundary(run: Run, state: RunningState, session: EngineSession): Promise<void> {
  const { control } = run;
  if (control.pauseWanted || control.stopReason) {
    await saveCheckpoint(run, state, session);
    const isPaused = control.pauseWanted && !control.stopReason;
    if (isPaused) await pause(run, state, session);
    if (control.stopReason) throw new Stopped(control.stopReason, state.progress.totalStep, isPaused);
  } else if (control.checkpointWanted || run.clock() >= state.checkpointDue) {
    await saveCheckpoint(run, state, session);
  }
}

/** Waits for `resume` or `stop`. This time does not count as work. */
async function pause(run: Run, state: RunningState, session: EngineSession): Promise<void> {
  const { control } = run;
  run.log({ event: 'paused', step: state.progress.totalStep });
  while (control.pauseWanted && !control.stopReason) {
    await control.paused();
    state.mark = run.clock();
    // A budget set during a pause must not be lost.
    if (control.checkpointWanted) await saveCheckpoint(run, state, session);
  }
  if (!control.stopReason) run.logStart(true);
}

/**
 * Advances to the beginning of a phase (or of the next iteration of this one) and writes a checkpoint.
 * @param batches data order to continue with; null: from its beginning. A phase that continues keeps its own.
 */
export async function enter(
  run: Run,
  state: RunningState,
  session: EngineSession,
  phase: TrainingPhase,
  iteration: number,
  batches: unknown = state.progress.phase === phase ? state.progress.batches : null,
): Promise<void> {
  const { progress } = state;
  progress.guard = { ...freshGuard(), off: phase === progress.phase && progress.guard.off };
  progress.batches = batches;
  progress.phase = phase;
  progress.iteration = iteration;
  progress.step = 0;
  progress.retries = 0;
  progress.best = null;
  lap(run, state);
  progress.iterationElapsed = progress.elapsed;
  await saveCheckpoint(run, state, session);
  await boundary(run, state, session);
}

/** w with theta in the tasks' ranges. */
export function withTheta(w: Float32Array, theta: Float32Array, ranges: readonly Range[]): Float32Array {
  const weights = w.slice();
  for (const { start, end } of ranges) weights.set(theta.subarray(start, end), start);
  return weights;
}
