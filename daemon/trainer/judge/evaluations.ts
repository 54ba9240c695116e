/** Loss and error of the session's weights, logged, on the parts of the data. */
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
 * The part whose error decides between models: what is held out from training and reporting alike, where there is such a part,
 * else what was trained on. Never the test part, whose error would no longer say how good the chosen one is.
 */
export const decisionSet = (sets: EvaluationSets): SetName => (sets.validation ? 'validation' : 'train');

/** What a search for the smallest network rests on, said before the hours that it takes; empty where nothing is amiss. */
export function decisionNotes({ path, method, reference }: Run['plan'], sets: EvaluationSets): string[] {
  if (method !== 'lc' || !path || !hasBound(path)) return [];
  const set = decisionSet(sets);
  const notes: string[] = [];
  if (set === 'train') {
    // Of the data that a given model was trained on, no part can be set aside any more.
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

/** What an engine found, as the log has it. */
export function evaluationOf(result: EvaluationResult): Evaluation {
  const { samples, outputs } = result;
  const each = outputs?.map((one) => ({ output: one.output ?? '', weight: one.weight, ...measures(one) }));
  return { ...measures(result), samples, ...(each && { outputs: each }) };
}

const NOTHING: Evaluation = { loss: null, error: null, samples: 0 };

/** What `evaluateEach` gives on the primary part. */
export async function evaluateSets(...[run, ...rest]: Parameters<typeof evaluateEach>): Promise<Evaluation> {
  return (await evaluateEach(run, ...rest))[primarySet(run.sets)] ?? NOTHING;
}

/** @param names parts to evaluate on; absent ones are skipped. The primary one always is among them. */
export async function evaluateEach(
  run: Run,
  session: EngineSession,
  at: Point,
  step: number,
  names: readonly SetName[] = ['train', 'validation', 'test'],
  iteration?: number,
): Promise<Partial<Record<SetName, Evaluation>>> {
  const primary = primarySet(run.sets);
  const results: Partial<Record<SetName, Evaluation>> = {};
  for (const set of new Set([...names, primary])) {
    const source: SampleSource | null = run.sets[set];
    if (!source) continue;
    const evaluation = evaluationOf(await session.evaluate(source));
    run.log({ event: 'evaluation', at, set, ...(iteration === undefined ? {} : { iteration }), step, ...evaluation });
    results[set] = evaluation;
  }
  return results;
}
