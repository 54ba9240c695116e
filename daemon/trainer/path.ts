/**
 * The error-against-budget curve in one run. Budgets go from large to small, each warm-started at the (w, theta, lambda) that the L steps of the one
 * before ended with, then retrained and evaluated. On request, a search for the smallest budget within a bound on the error follows. Magnitude
 * pruning works likewise: each budget prunes the network retrained at the one before, and trains for as many epochs as LC does there (iterative
 * pruning, Han et al. 2015).
 */
import type { EngineSession } from '../engine/engine.js';
import { cStep, directCompression } from '../lc/cStep.js';
import {
  firstIteration,
  hasBound,
  largestError,
  leastError,
  nextPoint,
  smallestWithin,
  type PathResult,
} from '../lc/path.js';
import { muAt } from '../lc/schedule.js';
import { UserError } from '../protocol/errors.js';
import type { Evaluation, PathAnswer, PathPoint } from '../protocol/events.js';
import type { Budget } from '../protocol/plan.js';
import type { ResolvedPath } from '../protocol/resolvedPlan.js';
import { longRetraining } from './judge/baselines.js';
import { decisionSet, evaluateEach, primarySet } from './judge/evaluations.js';
import { countKept, prunableWeights } from './kept.js';
import { enter, lap, stateOf, type RunningState } from './runningState.js';
import { beginRetraining, lcIterations, lStepEpochs, lStepsFrom } from './loop.js';
import type { Outcome, Planned, Run, Tasks } from './run.js';
import {
  adopt,
  atTheta,
  direct,
  plannedRetraining,
  reference,
  retrains,
  retrainingSteps,
  retrainSurvivors,
  type Retraining,
} from './stages.js';
import type { PathProgress } from './state.js';

/** Names of the states that later points start from, and of results. */
const REFERENCE = 'reference';
const solution = (point: number): string => `solution-${point}`;
const retrained = (point: number): string => `retrained-${point}`;

/** The LC iteration at which a point begins. */
const firstOf = ({ plan }: Planned, path: ResolvedPath, warm: boolean): number =>
  firstIteration(plan.schedule.iterations, warm, path.warmStart);

/** Training after a point's L steps; for magnitude pruning, all of its training. */
const retrainingOf = (run: Planned, path: ResolvedPath, warm: boolean): Retraining =>
  run.plan.method === 'lc' ? plannedRetraining(run.plan) : longRetraining(run.plan, firstOf(run, path, warm));

/** Magnitude pruning consists of its retraining: it trains the survivors whatever the budget. */
const survivorsOf = ({ plan }: Planned, tasks: Tasks): Tasks =>
  plan.method === 'magnitude' ? { ...tasks, retrainable: true } : tasks;

function pointSteps(run: Planned, path: ResolvedPath, warm: boolean): number {
  const lSteps = run.plan.method === 'lc' ? lStepsFrom(run, firstOf(run, path, warm)) : 0;
  return lSteps + retrainingSteps(run, retrainingOf(run, path, warm), survivorsOf(run, run.tasks(path.budgets[0]!)));
}

/** Training steps of a whole path without the reference: of the planned budgets, and of every possible refinement. */
export function pathSteps(run: Planned, path: ResolvedPath): number {
  const more = path.budgets.length - 1 + (hasBound(path) ? path.refinements : 0);
  return pointSteps(run, path, false) + more * pointSteps(run, path, true);
}

/** Training steps of the planned points after the current one. */
const stepsAfter = (run: Run, path: ResolvedPath, { point }: PathProgress): number =>
  Math.max(0, path.budgets.length - 1 - point) * pointSteps(run, path, true);

const resultOf = ({ budget, decision }: PathPoint): PathResult<Budget> => ({ budget, error: decision });

/** Runs the path from `state` to its end. The result is the point that the answer names. */
export async function runPath(run: Run, state: RunningState, path: ResolvedPath): Promise<Outcome> {
  if (run.plan.method !== 'lc' && run.plan.method !== 'magnitude') {
    throw new UserError('plan-invalid', `a path is computed by "lc" or "magnitude", not by "${run.plan.method}"`, {
      field: 'method',
    });
  }
  const { progress } = state;
  if (progress.phase === 'reference') await beginPath(run, state, path);
  for (;;) {
    const tasks = run.tasks(progress.budget);
    const warm = progress.path!.from !== null;
    await lcIterations(run, state, tasks, {
      after: stepsAfter(run, path, progress.path!),
      finished: async (session) => {
        progress.path!.lastIteration = progress.iteration;
        await run.savePathState(solution(progress.path!.point), await stateOf(state, session));
      },
    });
    const retraining = retrainingOf(run, path, warm);
    const trained = survivorsOf(run, tasks);
    const session = await retrainSurvivors(run, state, trained, retraining);
    if (trained.retrainable !== tasks.retrainable) {
      // A budget on values (a codebook, a norm): projects once more, from the retrained survivors.
      directCompression(tasks.tasks, await session.getWeights(), state.theta, run.plan.schedule.mu0);
      await adopt(state, session, tasks.tasks);
    }
    progress.path!.finished.push(await finishPoint(run, state, path, session, trained, retraining));
    const next = nextWithin(run, path, progress.path!);
    if (!next) return outcomeOf(run, state, path);
    await startPoint(run, state, path, session, next.budget, next.from);
  }
}

async function beginPath(run: Run, state: RunningState, path: ResolvedPath): Promise<void> {
  const { progress } = state;
  const session = await reference(run, state);
  const { error } = await session.evaluate(run.sets[decisionSet(run.sets)]!);
  lap(run, state);
  progress.path = {
    point: 0,
    from: null,
    lastIteration: 0,
    elapsed: progress.elapsed,
    reference: Number.isFinite(error) ? error : null,
    finished: [],
  };
  await direct(run, state, session, run.tasks(path.budgets[0]!).tasks);
  progress.loopElapsed = progress.elapsed;
  progress.loopStep = progress.totalStep;
  await run.savePathState(REFERENCE, await stateOf(state, session));
  await begin(run, state, path, session, path.budgets[0]!);
}

/** Advances from the current state of `session` and `state` to the beginning of the point's training. */
async function begin(
  run: Run,
  state: RunningState,
  path: ResolvedPath,
  session: EngineSession,
  budget: Budget,
): Promise<void> {
  const { progress } = state;
  const warm = progress.path!.from !== null;
  const order = progress.batches;
  const { tasks } = run.tasks(budget);
  progress.budget = budget;
  progress.stable = 0;
  progress.rateScale = 1;
  const w = await session.getWeights();
  if (run.plan.method === 'magnitude') {
    directCompression(tasks, w, state.theta);
    progress.theta = await atTheta(session, w, state.theta, tasks, async () =>
      primaryOf(run, await evaluateEach(run, session, 'theta', progress.totalStep, [])),
    );
    return beginRetraining(run, state, session, tasks);
  }
  const first = firstOf(run, path, warm);
  // The first L step already uses the new budget's theta.
  if (warm) cStep(tasks, w, state.lambda, muAt(run.plan.schedule, first), state.theta);
  else {
    directCompression(tasks, w, state.theta, run.plan.schedule.mu0);
    state.lambda?.fill(0);
  }
  await enter(run, state, session, 'l-step', first, warm ? order : null);
}

/** Restores the state in which point `from` ended its L steps (magnitude: its retraining), and continues from it. */
async function startPoint(
  run: Run,
  state: RunningState,
  path: ResolvedPath,
  session: EngineSession,
  budget: Budget,
  from: number | null,
): Promise<void> {
  const { progress } = state;
  const name = from === null ? REFERENCE : run.plan.method === 'lc' ? solution(from) : retrained(from);
  const { progress: then, vectors } = await run.loadPathState(name);
  await session.setWeights(vectors.w);
  await session.setState(vectors.statistics);
  state.theta.set(vectors.theta);
  state.lambda?.set(vectors.lambda);
  progress.batches = then.batches;
  lap(run, state);
  progress.path = { ...progress.path!, point: progress.path!.point + 1, from, elapsed: progress.elapsed };
  await begin(run, state, path, session, budget);
}

const primaryOf = (run: Run, each: Awaited<ReturnType<typeof evaluateEach>>): Evaluation => each[primarySet(run.sets)]!;

/** Evaluates the retrained point, stores its model and logs it. */
async function finishPoint(
  run: Run,
  state: RunningState,
  path: ResolvedPath,
  session: EngineSession,
  tasks: Tasks,
  retraining: Retraining,
): Promise<PathPoint> {
  const { progress } = state;
  const { point, from, elapsed, finished } = progress.path!;
  const each = await evaluateEach(run, session, 'retrained', progress.totalStep);
  await run.savePathState(retrained(point), await stateOf(state, session));
  const weights = await session.getWeights();
  const bytes = await run.keepPoint(point, weights, await session.getState());
  lap(run, state);
  let epochs = retrains(retraining, tasks) ? retraining.epochs : 0;
  if (run.plan.method === 'lc')
    for (let j = firstOf(run, path, from !== null); j <= progress.path!.lastIteration; j++)
      epochs += lStepEpochs(run.plan, j);
  const done: PathPoint = {
    point,
    budget: progress.budget!,
    from,
    ...countKept(run.layers, weights),
    prunable: prunableWeights(run.layers),
    bytes,
    theta: progress.theta!,
    retrained: primaryOf(run, each),
    decision: each[decisionSet(run.sets)]!.error,
    epochs,
    seconds: (progress.elapsed - elapsed) / 1000,
    ...(progress.agreement && { agreement: progress.agreement }),
  };
  const points = Math.max(path.budgets.length, finished.length + 1);
  run.log({ event: 'point', points, step: progress.totalStep, ...done });
  return done;
}

/** The next point; null at the end, also if the search would leave the range of valid budgets, or reach known numbers of weights. */
function nextWithin(run: Run, path: ResolvedPath, progress: PathProgress): ReturnType<typeof nextPoint<Budget>> {
  const search = hasBound(path)
    ? { bound: largestError(path, progress.reference), refinements: path.refinements }
    : null;
  const next = nextPoint(path.budgets, progress.finished.map(resultOf), search);
  if (!next) return null;
  if (progress.finished.length < path.budgets.length && path.budgets.includes(next.budget)) return next;
  try {
    const { kappa } = run.tasks(next.budget);
    const known = progress.finished.some(({ budget }) => kappa !== null && run.tasks(budget).kappa === kappa);
    return known ? null : next;
  } catch (error) {
    if (error instanceof UserError && error.code === 'budget-impossible') return null;
    throw error;
  }
}

async function outcomeOf(run: Run, state: RunningState, path: ResolvedPath): Promise<Outcome> {
  const { finished, reference: error } = state.progress.path!;
  const results = finished.map(resultOf);
  const smallest = smallestWithin(results, largestError(path, error));
  const chosen = finished[smallest < 0 ? leastError(results) : smallest]!;
  const { vectors } = await run.loadPathState(retrained(chosen.point));
  const set = decisionSet(run.sets);
  const answer: PathAnswer = {
    point: chosen.point,
    set,
    samples: run.sets[set]!.size,
    reference: error,
    maxErrorIncrease: path.maxErrorIncrease,
    maxError: path.maxError,
    met: smallest >= 0,
  };
  return {
    weights: vectors.w,
    statistics: vectors.statistics,
    reference: state.progress.reference!,
    theta: chosen.theta,
    retrained: chosen.retrained,
    decision: set === 'validation' && primarySet(run.sets) !== set ? chosen.decision : null,
    path: answer,
  };
}
