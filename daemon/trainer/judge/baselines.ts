/** Magnitude pruning, one-shot and gradual, with exactly the epochs LC gets for the same plan, so that a comparison is fair. */
import { directCompression } from '../../lc/cStep.js';
import { learningRateAt, trainingRateAt } from '../../lc/learningRate.js';
import { updateSupport } from '../../lc/stopTest.js';
import { taskRanges } from '../../lc/view.js';
import { evaluateSets } from './evaluations.js';
import { enter, lap, type RunningState } from '../runningState.js';
import { beginRetraining, logIteration, lStepEpochs, lStepsFrom } from '../loop.js';
import type { Outcome, Run } from '../run.js';
import {
  adopt,
  atTheta,
  direct,
  outcomeOf,
  plannedRetraining,
  reference,
  retrain,
  retrainingSteps,
  retrainSurvivors,
  supportOf,
  type Retraining,
} from '../stages.js';
import { trainPhase } from '../trainPhase.js';

/**
 * Retraining for as long as LC's L steps and retraining together. The learning rate falls geometrically from the first L step's to the last of LC's
 * retraining, so that neither method has better rates.
 * @param from the LC iteration at which LC begins: later than 0 if it starts from a larger budget's solution.
 */
export function longRetraining(plan: Run['plan'], from = 0): Retraining {
  const { schedule, training, retrain: settings } = plan;
  let { epochs } = settings;
  for (let j = from; j < schedule.iterations; j++) epochs += lStepEpochs(plan, j);
  const lastRate = trainingRateAt(settings, Math.max(0, Math.ceil(settings.epochs) - 1), settings.epochs);
  const rateAtEnd = Math.min(lastRate, training.learningRate);
  const decay = (rateAtEnd / training.learningRate) ** (1 / Math.max(1, Math.ceil(epochs) - 1));
  return { settings, epochs, learningRate: (epoch) => training.learningRate * decay ** Math.floor(epoch) };
}

/** Compresses the reference once, then retrains the survivors. (Han et al. 2015; with codebooks, Han et al. 2016) */
export async function runMagnitude(run: Run, state: RunningState): Promise<Outcome> {
  const compressed = run.tasks(state.progress.budget);
  if (state.progress.phase === 'reference') {
    const session = await reference(run, state);
    await direct(run, state, session, compressed.tasks);
    await beginRetraining(run, state, session, compressed.tasks);
  }
  if (compressed.retrainable) return retrain(run, state, compressed, longRetraining(run.plan));
  // A budget on values (a codebook, a norm): projects once more, from the retrained survivors.
  const { tasks } = compressed;
  const session = await retrainSurvivors(run, state, { ...compressed, retrainable: true }, longRetraining(run.plan));
  directCompression(tasks, await session.getWeights(), state.theta, run.plan.schedule.mu0);
  await adopt(state, session, tasks);
  return outcomeOf(run, state, session);
}

/**
 * Gradual magnitude pruning (Zhu & Gupta 2017): as many pruning steps as LC has iterations, sparsity rising by their cubic
 * schedule, an L step's epochs of training of the survivors after each, then the planned retraining.
 */
export async function runGradual(run: Run, state: RunningState): Promise<Outcome> {
  const { progress } = state;
  const { schedule, training } = run.plan;
  const compressed = run.tasks(progress.budget);
  if (progress.phase === 'reference') {
    const session = await reference(run, state);
    await direct(run, state, session, compressed.tasks);
    // Nothing is pruned yet.
    state.theta.set(await session.getWeights());
    lap(run, state);
    progress.loopElapsed = progress.elapsed;
    progress.loopStep = progress.totalStep;
    await enter(run, state, session, 'prune', 0);
  }
  while (progress.phase === 'prune') {
    const j = progress.iteration;
    const tasks = compressed.gradual((j + 1) / schedule.iterations);
    const support = supportOf(tasks, state.theta);
    if (progress.step === 0) {
      const session = await run.sessions.use(training.batchSize);
      directCompression(tasks, await session.getWeights(), state.theta);
      await adopt(state, session, tasks);
    }
    const pruned = supportOf(tasks, state.theta);
    const epochs = lStepEpochs(run.plan, j);
    const session = await trainPhase(run, state, {
      settings: training,
      epochs,
      learningRate: (epoch) =>
        learningRateAt(training, { iteration: j, iterations: schedule.iterations, epoch, epochs }, null),
      mask: { keep: pruned, ranges: taskRanges(tasks) },
    });
    const w = await session.getWeights();
    state.theta.set(w);
    const supportChange = updateSupport(tasks, state.theta, support);
    progress.theta = await atTheta(session, w, state.theta, tasks, () =>
      evaluateSets(run, session, 'theta', progress.totalStep, ['validation'], j),
    );
    const last = j + 1 === schedule.iterations;
    const stepsLeft =
      (last ? 0 : lStepsFrom(run, j + 1)) + retrainingSteps(run, plannedRetraining(run.plan), compressed);
    logIteration(run, state, { mu: 0, between: { distance: 0, ratio: 0 }, supportChange, stepsLeft });
    if (last) await beginRetraining(run, state, session, compressed.tasks);
    else await enter(run, state, session, 'prune', j + 1);
  }
  return retrain(run, state, compressed, plannedRetraining(run.plan));
}
