/** Loss and error of the session's weights, logged, on the parts of the data. */
import type { EngineSession, SampleSource } from '../engine/engine.js';
import type { Evaluation, UntimedRunEvent } from '../protocol/events.js';
import type { EvaluationSets, Run } from './run.js';

type Point = Extract<UntimedRunEvent, { event: 'evaluation' }>['at'];
type SetName = keyof EvaluationSets;

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

/** The part whose error is reported: the test set, else what is held out, else the training subset. */
export const primarySet = (sets: EvaluationSets): SetName =>
  sets.test ? 'test' : sets.validation ? 'validation' : 'train';

/**
 * @param names parts to evaluate on; absent ones are skipped. The primary one always is among them.
 * @returns the evaluation on the primary part.
 */
export async function evaluateSets(
  run: Run,
  session: EngineSession,
  at: Point,
  step: number,
  names: readonly SetName[] = ['train', 'validation', 'test'],
  iteration?: number,
): Promise<Evaluation> {
  const primary = primarySet(run.sets);
  let result: Evaluation = { loss: null, error: null, samples: 0 };
  for (const set of new Set([...names, primary])) {
    const source: SampleSource | null = run.sets[set];
    if (!source) continue;
    const { loss, error, samples } = await session.evaluate(source);
    const evaluation = { loss: finite(loss), error: finite(error), samples };
    run.log({ event: 'evaluation', at, set, ...(iteration === undefined ? {} : { iteration }), step, ...evaluation });
    if (set === primary) result = evaluation;
  }
  return result;
}
