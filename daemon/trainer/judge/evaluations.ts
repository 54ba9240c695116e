/** Evaluates the session's weights on the parts of the data, and logs loss and error. */
import type { EngineSession, EvaluationResult, OutputResult, SampleSource } from '../../engine/engine.js';
import { hasBound } from '../../lc/path.js';
import type { Evaluation, UntimedRunEvent } from '../../protocol/events.js';
import { count, percent } from '../../protocol/format.js';
import type { EvaluationSets, Run } from '../run.js';

type Point = Extract<UntimedRunEvent, { event: 'evaluation' }>['at'];
type SetName = keyof EvaluationSets;

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

/** The part whose error is reported: the test set, else what is held out, else the training subset. */
export const primarySet = (sets: EvaluationSets): SetName =>
  sets.test ? 'test' : sets.validation ? 'validation' : 'train';

/**
 * The part whose error decides between models: one that is held out from training and reporting alike, if there is one, else the training part. Never
 * the test part, because its error would no longer be an unbiased estimate for the chosen model.
 */
export const decisionSet = (sets: EvaluationSets): SetName => (sets.validation ? 'validation' : 'train');

/** Warnings about the basis of a search for the smallest network, before the hours that it takes; empty if there are none. */
export function decisionNotes({ path, method, reference }: Run['plan'], sets: EvaluationSets): string[] {
  if (method !== 'lc' || !path || !hasBound(path)) return [];
  const set = decisionSet(sets);
  const notes: string[] = [];
  if (set === 'train') {
    // A given model has been trained on this data, so no part can be held out any more.
    const instead =
      reference.epochs > 0
        ? '"data": {"validation": 0.1} in the plan sets a part aside for that'
        : 'its error on data that took no part, such as the test part, says how good it is';
    notes.push(
      `The training part will decide which network is the smallest within the bound, and its error there is lower than on new data: ${instead}.`,
    );
  }
  const { size } = sets[set]!;
  const allowed = path.maxErrorIncrease ?? path.maxError!;
  if (allowed > 0 && allowed * size < 1)
    notes.push(
      `${percent(allowed)} of the ${count(size)} samples that decide is less than one of them: the bound allows no more than 0 would.`,
    );
  return notes;
}

const measures = ({ loss, error, absoluteError }: Omit<OutputResult, 'output' | 'weight'>) => ({
  loss: finite(loss),
  error: finite(error),
  ...(absoluteError !== undefined && Number.isFinite(absoluteError) && { absoluteError }),
});

/** An engine's evaluation as a log event. @param unlabelled whether the targets were the reference's answers. */
export function evaluationOf(result: EvaluationResult, unlabelled = false): Evaluation {
  const { samples, outputs } = result;
  const each = outputs?.map((one) => ({ output: one.output ?? '', weight: one.weight, ...measures(one) }));
  return {
    ...measures(result),
    samples,
    ...(unlabelled && { target: 'reference' as const }),
    ...(each && { outputs: each }),
  };
}

const NOTHING: Evaluation = { loss: null, error: null, samples: 0 };

type Evaluations = Partial<Record<SetName, Evaluation>>;

/** What is reported of the parts of `evaluateEach`: that of the primary one. */
export const reported = ({ sets }: Pick<Run, 'sets'>, each: Evaluations): Evaluation =>
  each[primarySet(sets)] ?? NOTHING;

/** The error that runs are compared by, if a part beside the reported one is held out for it; else null. */
export const decisionOf = ({ sets }: Pick<Run, 'sets'>, each: Evaluations): number | null =>
  primarySet(sets) === 'validation' ? null : (each.validation?.error ?? null);

/** The result of `evaluateEach` on the primary part. */
export async function evaluateSets(...[run, ...rest]: Parameters<typeof evaluateEach>): Promise<Evaluation> {
  return reported(run, await evaluateEach(run, ...rest));
}

/** @param names parts to evaluate on; missing ones are skipped. The primary one is always among them. */
export async function evaluateEach(
  run: Run,
  session: EngineSession,
  at: Point,
  step: number,
  names: readonly SetName[] = ['train', 'validation', 'test'],
  iteration?: number,
): Promise<Evaluations> {
  const primary = primarySet(run.sets);
  const results: Evaluations = {};
  for (const set of new Set([...names, primary])) {
    const source: SampleSource | null = run.sets[set];
    if (!source) continue;
    const evaluation = evaluationOf(await session.evaluate(source), run.unlabelled);
    run.log({ event: 'evaluation', at, set, ...(iteration === undefined ? {} : { iteration }), step, ...evaluation });
    results[set] = evaluation;
  }
  return results;
}
