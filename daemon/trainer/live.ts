/** The state of a running run: the session holds w, velocity and statistics; the rest is here. */
import type { EngineSession, Range } from '../engine/engine.js';
import type { Run } from './run.js';
import { Stopped } from './process/control.js';
import { freshGuard } from './judge/lossGuard.js';
import type { Progress, RunState, TrainingPhase } from './state.js';

/** Share of the time that writing checkpoints inside a phase may take. */
const CHECKPOINT_SHARE = 0.05;

export interface Live {
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
export async function createLive(run: Run, session: EngineSession, restored: RunState | null): Promise<Live> {
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
export function lap(run: Run, live: Live): void {
  const now = run.clock();
  live.progress.elapsed += now - live.mark;
  live.mark = now;
}

/** The current state, as a checkpoint stores it. Its vectors are not copies. */
export async function stateOf(live: Live, session: EngineSession): Promise<RunState> {
  live.progress.random = [...session.getRandomState()];
  return {
    progress: live.progress,
    vectors: {
      w: await session.getWeights(),
      velocity: await session.getVelocity(),
      statistics: await session.getState(),
      theta: live.theta,
      lambda: live.lambda ?? new Float32Array(0),
      startW: live.startW,
      startStatistics: live.startStatistics,
      bestW: live.bestW,
      bestStatistics: live.bestStatistics,
    },
  };
}

/** Writes a checkpoint of the current state. Only between steps. */
export async function saveCheckpoint(run: Run, live: Live, session: EngineSession): Promise<void> {
  lap(run, live);
  const answer = run.control.beginCheckpoint();
  live.progress.pendingBudget = run.control.pendingBudget;
  const before = run.clock();
  try {
    await run.save(await stateOf(live, session));
  } catch (error) {
    answer(error);
    throw error;
  }
  const now = run.clock();
  live.checkpointDue = now + Math.max(run.checkpointMs, (now - before) / CHECKPOINT_SHARE);
  answer(null);
}

/**
 * Called between steps and between iterations: handles the requests that arrived meanwhile.
 * @throws Stopped after the checkpoint, when asked to stop.
 */
export async function boundary(run: Run, live: Live, session: EngineSession): Promise<void> {
  const { control } = run;
  if (control.pauseWanted || control.stopReason) {
    await saveCheckpoint(run, live, session);
    const isPaused = control.pauseWanted && !control.stopReason;
    if (isPaused) await pause(run, live, session);
    if (control.stopReason) throw new Stopped(control.stopReason, live.progress.totalStep, isPaused);
  } else if (control.checkpointWanted || run.clock() >= live.checkpointDue) {
    await saveCheckpoint(run, live, session);
  }
}

/** Waits for `resume` or `stop`. This time does not count as work. */
async function pause(run: Run, live: Live, session: EngineSession): Promise<void> {
  const { control } = run;
  run.log({ event: 'paused', step: live.progress.totalStep });
  while (control.pauseWanted && !control.stopReason) {
    await control.paused();
    live.mark = run.clock();
    // A budget set during a pause must not be lost.
    if (control.checkpointWanted) await saveCheckpoint(run, live, session);
  }
  if (!control.stopReason) run.logStart(true);
}

/**
 * Advances to the beginning of a phase (or of the next iteration of this one) and writes a checkpoint.
 * @param batches data order to continue with; null: from its beginning. A phase that continues keeps its own.
 */
export async function enter(
  run: Run,
  live: Live,
  session: EngineSession,
  phase: TrainingPhase,
  iteration: number,
  batches: unknown = live.progress.phase === phase ? live.progress.batches : null,
): Promise<void> {
  const { progress } = live;
  progress.guard = { ...freshGuard(), off: phase === progress.phase && progress.guard.off };
  progress.batches = batches;
  progress.phase = phase;
  progress.iteration = iteration;
  progress.step = 0;
  progress.retries = 0;
  progress.best = null;
  lap(run, live);
  progress.iterationElapsed = progress.elapsed;
  await saveCheckpoint(run, live, session);
  await boundary(run, live, session);
}

/** w with theta in the tasks' ranges. */
export function withTheta(w: Float32Array, theta: Float32Array, ranges: readonly Range[]): Float32Array {
  const weights = w.slice();
  for (const { start, end } of ranges) weights.set(theta.subarray(start, end), start);
  return weights;
}
