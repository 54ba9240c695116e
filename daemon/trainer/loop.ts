/**
 * The LC algorithm. [P: Carreira-Perpinan & Idelbayev, "Learning-Compression" Algorithms for Neural Net Pruning, CVPR 2018]
 *
 *     w <- reference net;  lambda <- 0;  theta <- Pi(w)
 *     for j = 0 .. J-1:
 *         mu <- mu0 a^j
 *         L step:       w <- SGD on L(w) + mu/2 ||w - t||^2,  t = theta + lambda/mu
 *         C step:       theta <- argmin ||v - theta||^2 s.t. C(theta) <= kappa,  v = w - lambda/mu
 *         multipliers:  lambda <- lambda - mu (w - theta)
 *     w <- theta;  retrain the survivors
 */
import type { EngineSession } from '../engine/engine.js';
import { cStep } from '../lc/cStep.js';
import { penaltyTarget, updateMultipliers } from '../lc/multipliers.js';
import { learningRateAt } from '../lc/learningRate.js';
import { muAt } from '../lc/schedule.js';
import { createStopTest, distance, updateSupport, type Distance } from '../lc/stopTest.js';
import { taskRanges } from '../lc/view.js';
import { evaluateSets, primarySet } from './judge/evaluations.js';
import { countKept } from './kept.js';
import { enter, lap, type RunningState } from './runningState.js';
import type { EvaluationSets, Outcome, Planned, Run, Tasks } from './run.js';
import { adopt, atTheta, direct, plannedRetraining, reference, retrain, retrainingSteps, supportOf } from './stages.js';
import { stepsOf, trainPhase } from './trainPhase.js';

/** A part of the data is evaluated at every iteration if that takes at most this share of the L step's samples. */
const CHEAP = 0.1;

export const lStepEpochs = ({ schedule }: Run['plan'], j: number): number =>
  j === 0 ? schedule.firstEpochs : schedule.epochs;

/** Training steps of L steps j = from .. J-1. */
export function lStepsFrom(run: Planned, from: number): number {
  const { stepsPerEpoch } = run.batches(run.plan.training.batchSize, 'l-step');
  let steps = 0;
  for (let j = from; j < run.plan.schedule.iterations; j++) steps += stepsOf(lStepEpochs(run.plan, j), stepsPerEpoch);
  return steps;
}

/**
 * Runs the LC algorithm from `state` to its end. @throws Stopped, UserError('diverged'
 * 'disk'
 * ...).
 */
export async function runLc(run: Run, state: RunningState): Promise<Outcome> {
  const { progress } = state;
  const compressed = run.tasks(progress.budget);

  if (progress.phase === 'reference') {
    const session = await reference(run, state);
    await direct(run, state, session, compressed.tasks);
    lap(run, state);
    progress.loopElapsed = progress.elapsed;
    progress.loopStep = progress.totalStep;
    await enter(run, state, session, 'l-step', 0);
  }

  const tasks = await lcIterations(run, state, compressed);
  return retrain(run, state, tasks, plannedRetraining(run.plan));
}

/**
 * The LC iterations from `state` to the last, and w <- theta; does nothing if they are over.
 * @param after training steps that follow this budget's retraining, for the ETA. @param finished is called before w <- theta.
 * @returns the tasks in force at the end: the user may change the budget.
 */
export async function lcIterations(
  run: Run,
  state: RunningState,
  compressed: Tasks,
  { after = 0, finished }: { after?: number; finished?: (session: EngineSession) => Promise<void> } = {},
): Promise<Tasks> {
  const { progress } = state;
  const { schedule, training } = run.plan;
  const target = new Float32Array(state.theta.length);
  while (progress.phase === 'l-step') {
    const j = progress.iteration;
    const mu = muAt(schedule, j);
    const { tasks } = (compressed = (await takeBudget(run, state, mu)) ?? compressed);
    const ranges = taskRanges(tasks);

    // L step.
    penaltyTarget(tasks, state.theta, state.lambda, mu, target);
    const epochs = lStepEpochs(run.plan, j);
    const session = await trainPhase(run, state, {
      settings: training,
      epochs,
      learningRate: (epoch) =>
        learningRateAt(training, { iteration: j, iterations: schedule.iterations, epoch, epochs }, mu),
      penalty: { mu, target, ranges },
    });
    const w = await session.getWeights();

    // C step.
    run.log({ event: 'phase', phase: 'c-step', iteration: j });
    const support = supportOf(tasks, state.theta);
    cStep(tasks, w, state.lambda, mu, state.theta);
    if (state.lambda) updateMultipliers(tasks, state.lambda, mu, w, state.theta);

    const between = distance(tasks, w, state.theta);
    const supportChange = updateSupport(tasks, state.theta, support);
    const stopTest = createStopTest(schedule, { stable: progress.stable });
    const { kept } = countKept(run.layers, state.theta);
    const converged = stopTest.update(between.ratio, supportChange, kept);
    progress.stable = stopTest.state.stable;
    const ratio = Number.isFinite(between.ratio) ? between.ratio : null;
    progress.agreement = { ratio, supportChange, kept };

    const sets = affordableSets(run, j);
    if (sets.includes(primarySet(run.sets))) await evaluateSets(run, session, 'w', progress.totalStep, [], j);
    progress.theta = await atTheta(session, w, state.theta, tasks, () =>
      evaluateSets(run, session, 'theta', progress.totalStep, [...sets, 'validation'], j),
    );
    const last = converged || j + 1 === schedule.iterations;
    const stepsLeft =
      (last ? 0 : lStepsFrom(run, j + 1)) + retrainingSteps(run, plannedRetraining(run.plan), compressed) + after;
    logIteration(run, state, { mu, between, supportChange, stepsLeft });

    if (last) {
      await finished?.(session);
      await beginRetraining(run, state, session, compressed.tasks);
    } else await enter(run, state, session, 'l-step', j + 1);
  }
  return compressed;
}

/** w <- theta is made durable before retraining begins. */
export async function beginRetraining(
  run: Run,
  state: RunningState,
  session: EngineSession,
  tasks: ReturnType<Run['tasks']>['tasks'],
): Promise<void> {
  run.control.closeBudget();
  await adopt(state, session, tasks);
  await enter(run, state, session, 'retrain', 0);
}

/** Applies a budget that the user has set since the last iteration from the beginning of this one: its L step already uses the new theta. */
async function takeBudget(run: Run, state: RunningState, mu: number): Promise<Tasks | null> {
  if (state.progress.step > 0) return null;
  const budget = run.control.takeBudget();
  if (!budget) return null;
  state.progress.budget = budget;
  state.progress.stable = 0;
  run.log({ event: 'budget', budget, iteration: state.progress.iteration });
  const compressed = run.tasks(budget);
  for (const message of compressed.notes) run.log({ event: 'warning', code: 'note', message });
  const session = await run.sessions.use(run.plan.training.batchSize);
  cStep(compressed.tasks, await session.getWeights(), state.lambda, mu, state.theta);
  return compressed;
}

function affordableSets(run: Run, j: number): (keyof EvaluationSets)[] {
  const { batchSize } = run.plan.training;
  const samples = batchSize * stepsOf(lStepEpochs(run.plan, j), run.batches(batchSize, 'l-step').stepsPerEpoch);
  return (['train', 'validation', 'test'] as const).filter((set) => (run.sets[set]?.size ?? 0) <= CHEAP * samples);
}

interface IterationFigures {
  readonly mu: number;
  readonly between: Distance;
  readonly supportChange: number;
  /** Training steps to the end of the run. */
  readonly stepsLeft: number;
}

/** Logs the `iteration` event of the current iteration. */
export function logIteration(
  run: Run,
  state: RunningState,
  { mu, between, supportChange, stepsLeft }: IterationFigures,
): void {
  const { progress } = state;
  lap(run, state);
  const secondsPerStep =
    (progress.elapsed - progress.loopElapsed) / 1000 / Math.max(1, progress.totalStep - progress.loopStep);
  run.log({
    event: 'iteration',
    iteration: progress.iteration,
    iterations: run.plan.schedule.iterations,
    step: progress.totalStep,
    mu,
    ...between,
    loss: progress.theta?.loss ?? null,
    error: progress.theta?.error ?? null,
    ...countKept(run.layers, state.theta),
    supportChange,
    seconds: (progress.elapsed - progress.iterationElapsed) / 1000,
    etaSeconds: secondsPerStep * stepsLeft,
  });
}
