/**
 * Ensures that retraining does not make the network worse: of the networks before it and after each of its epochs, the one with the lowest loss is
 * kept.
 */
import type { EngineSession } from '../../engine/engine.js';
import type { RunningState } from '../runningState.js';
import type { EvaluationSets, Run } from '../run.js';
import { figure } from '../../protocol/format.js';

/** If a later epoch is this much worse than the best, a note reports it. */
const WORSE = 1.05;

/** The deciding part: one that is not trained on if there is one, but never the test part, whose error is reported. */
const judging = (sets: EvaluationSets) =>
  sets.validation ? ({ set: 'validation', source: sets.validation } as const) : { set: 'training', source: sets.train };

/** The loss of the session's weights on that part; Infinity where it is not finite. */
async function lossOf(run: Run, session: EngineSession): Promise<number> {
  const { loss } = await session.evaluate(judging(run.sets).source);
  return Number.isFinite(loss) ? loss : Infinity;
}

/**
 * Compares the session's network with the best so far and keeps the better; ties go to the later.
 * @param epoch epochs done; 0: before the first.
 */
export async function keepBest(run: Run, state: RunningState, session: EngineSession, epoch: number): Promise<void> {
  const { progress } = state;
  const loss = await lossOf(run, session);
  if (progress.best && loss > (progress.best.loss ?? Infinity)) return;
  const finite = Number.isFinite(loss) ? loss : null;
  progress.best = { loss: finite, epoch, start: progress.best ? progress.best.start : finite };
  state.bestW = (await session.getWeights()).slice();
  state.bestStatistics = (await session.getState()).slice();
}

/** Restores the best network in the session, and logs it if that is not the last. @param epochs of the whole retraining. */
export async function takeBest(run: Run, state: RunningState, session: EngineSession, epochs: number): Promise<void> {
  const { best } = state.progress;
  if (!best) return;
  const { set } = judging(run.sets);
  if (best.epoch !== epochs) {
    const last = await lossOf(run, session);
    const figures = `${set} loss ${figure(best.loss)}; after the last epoch ${figure(last)}`;
    if (best.epoch === 0) {
      const message = `retraining did not help: no epoch of it has a lower ${set} loss than the network before it, which is the result (${figures})`;
      run.log({ event: 'warning', code: 'retraining-undone', message });
    } else if (last > WORSE * (best.loss ?? Infinity)) {
      const message = `The result is the network after epoch ${best.epoch} of ${epochs} of retraining, which has the lowest ${set} loss (${figures}).`;
      run.log({ event: 'warning', code: 'note', message });
    }
    await session.setWeights(state.bestW);
    await session.setState(state.bestStatistics);
  }
  state.progress.best = null;
  state.bestW = new Float32Array(0);
  state.bestStatistics = new Float32Array(0);
}
