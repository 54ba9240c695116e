/** The reference beside the pruned network, sample by sample: both evaluated by the run's own engine on the same part of the data as the run. */
import { inputsShown } from '../../data/inputs/inputsShown.js';
import { inputPreview } from '../../data/preview.js';
import { samplesAtOnce } from '../../data/batches/samplesAtOnce.js';
import type { EvaluateOptions, SampleSource } from '../../engine/engine.js';
import { absorbedHead } from '../../model/setup/loss.js';
import type { Evaluation } from '../../protocol/events.js';
import { count, percent } from '../../protocol/format.js';
import { LISTED_CLASSES, LISTED_SAMPLES, type ChangedSample, type WhatChanged } from '../../protocol/whatChanged.js';
import { sizeOf } from '../../protocol/shape.js';
import { evaluationOf, primarySet } from '../judge/evaluations.js';
import type { Assembled, FlatWeights } from '../setup.js';
import { Answers, type AnswerForm } from './answers.js';
import { changedClasses, classChanges, describeClasses, type NameOf } from './classChanges.js';
import { changedLabels, describeLabels, labelChanges } from './labelChanges.js';
import { changedNumbers, describeNumbers, numberChanges } from './numberChanges.js';
import { chooseSamples, type Scored } from './changedSamples.js';
import { inputForms, type NamedInput } from './inputForms.js';

/** The run's own figures, if known: the figures computed here must be equal. */
export interface Reported {
  readonly reference: Evaluation;
  readonly pruned: Evaluation;
}

export interface ChangedOptions {
  readonly signal?: AbortSignal;
  readonly reported?: Reported;
  /** @param done, total samples, of both networks together. */
  onProgress?(done: number, total: number): void;
}

type Setting = Pick<Assembled, 'parts' | 'facts'>;

function formOf({ facts }: Setting, source: SampleSource, outputShape: readonly number[]): AnswerForm {
  const width = outputShape.at(-1) ?? 1;
  const { loss, classification } = facts.spec;
  const classifies = classification ?? absorbedHead(loss) !== 'none';
  const several = width > 1 && loss === 'binaryCrossentropy';
  const kind = !classifies ? 'numbers' : width === 1 ? 'yes-no' : several ? 'several' : 'classes';
  return { kind, samples: source.size, positions: sizeOf(outputShape) / width, width };
}

/**
 * Evaluates both networks as the run did, in sessions of the same batch sizes: the errors are those of the run, to the last bit if engine and device
 * are the same.
 * @throws UserError('data-invalid') if there is more than can be compared; the signal's reason.
 */
export async function whatChanged(
  setting: Setting,
  networks: { readonly reference: FlatWeights; readonly pruned: FlatWeights },
  { signal, reported, onProgress }: ChangedOptions = {},
): Promise<WhatChanged> {
  const { parts, facts } = setting;
  const set = primarySet(parts.sets);
  const source = parts.sets[set]!;
  const passes = [
    [networks.reference, parts.plan.reference.batchSize],
    [networks.pruned, parts.plan.retrain.batchSize],
  ] as const;
  const found: { answers: Answers; evaluation: Evaluation }[] = [];
  let outputShape: readonly number[] = [];
  for (const [pass, [{ weights, statistics }, batchSize]] of passes.entries()) {
    const session = await parts.sessions.use(batchSize);
    await session.setWeights(weights);
    await session.setState(statistics);
    ({ outputShape } = session);
    const answers = new Answers(formOf(setting, source, outputShape));
    const options: EvaluateOptions = {
      ...(signal && { signal }),
      onBatch: (batch) => answers.add(batch),
      onProgress: (done) => onProgress?.(pass * source.size + done, passes.length * source.size),
    };
    found.push({ answers, evaluation: evaluationOf(await session.evaluate(source, options), parts.unlabelled) });
  }
  const [reference, pruned] = found as [(typeof found)[number], (typeof found)[number]];
  const { result, scored, describe, order } = compared(setting, reference.answers, pruned.answers);
  const shapes = facts.inputs.map(({ shape }) => shape);
  const { counts, shown } = chooseSamples(scored, samplesAtOnce(shapes, LISTED_SAMPLES));
  const inputs = await samplesShown(source, shown, facts.inputs, sizeOf(outputShape));
  const { samples, positions } = reference.answers.form;
  return {
    version: 1,
    set,
    samples,
    positions,
    answers: reference.answers.rows,
    reference: reference.evaluation,
    pruned: pruned.evaluation,
    regression: parts.regression ?? false,
    result,
    head: facts.spec.fromLogits ? absorbedHead(facts.spec.loss) : 'none',
    classNames: facts.classes && [...facts.classes],
    changed: { ...counts, shown: shown.map(describe), order },
    inputs,
    columns: facts.inputs.map(({ columns }) => [...columns]),
    form: await inputForms(source, facts.inputs, sizeOf(outputShape)),
    notes: notesOf({ set, result, scored, shown }, reference.evaluation, pruned.evaluation, reported),
  };
}

interface Compared {
  readonly result: WhatChanged['result'];
  readonly scored: Scored[];
  describe(one: Scored): ChangedSample;
  readonly order: string;
}

/** Names of classes, labels or outputs. */
function namesOf({ facts }: Setting, { kind, width }: AnswerForm): NameOf {
  const { classes, outputs } = facts;
  if (kind === 'yes-no') {
    const names = classes?.length === 2 ? classes : ['no', 'yes'];
    return (i) => names[i]!;
  }
  const names = classes?.length === width ? classes : outputs.length === width ? outputs : [];
  return (i) => names[i] ?? String(i);
}

function compared(setting: Setting, reference: Answers, pruned: Answers): Compared {
  const { kind, positions, width } = reference.form;
  const nameOf = namesOf(setting, reference.form);
  if (kind === 'numbers')
    return {
      result: numberChanges(reference, pruned, nameOf),
      scored: changedNumbers(reference, pruned),
      describe: (one) => describeNumbers(one, reference, pruned),
      order: 'by how much nearer to the target, or further from it, the answer came',
    };
  if (kind === 'several' && !reference.oneHot)
    return {
      result: labelChanges(reference, pruned, nameOf),
      scored: changedLabels(reference, pruned),
      describe: (one) => describeLabels(one, reference, pruned, nameOf),
      order: 'by how many of its answers changed',
    };
  return {
    result: classChanges(reference, pruned, kind === 'yes-no' ? 2 : width, nameOf),
    scored: changedClasses(reference, pruned),
    describe: (one) => describeClasses(one, reference, pruned, nameOf),
    order:
      positions === 1
        ? 'by how sure the pruned network is of its answer'
        : 'by how many of its answers changed',
  }; // prettier-ignore
}

async function samplesShown(
  source: SampleSource,
  shown: readonly Scored[],
  inputs: readonly NamedInput[],
  targetSize: number,
): Promise<WhatChanged['inputs']> {
  const sizes = inputs.map(({ shape }) => sizeOf(shape));
  const all = sizes.map((size) => new Float32Array(shown.length * size));
  const one = sizes.map((size) => new Float32Array(size));
  const target = new Float32Array(targetSize);
  for (const [i, { index }] of shown.entries()) {
    await source.read(index, 1, one, target);
    one.forEach((values, input) => all[input]!.set(values, i * sizes[input]!));
  }
  return inputsShown(inputs.map(({ name, shape }, i) => inputPreview(name, shape, all[i]!, shown.length)));
}

function notesOf(
  { set, result, scored, shown }: { set: string; result: WhatChanged['result']; scored: readonly Scored[]; shown: readonly Scored[] },
  reference: Evaluation,
  pruned: Evaluation,
  reported: Reported | undefined,
): string[] {
  const notes: string[] = [];
  if (set === 'train')
    notes.push('The data has no test and no validation part: all of this is of samples that the network was trained on.');
  if (reference.target === 'reference')
    notes.push("The data has no labels: an answer counts as right here if it is the reference's own.");
  if (shown.length < scored.length)
    notes.push(`Of ${count(scored.length)} samples with another answer ${count(shown.length)} are shown.`);
  if (result.kind === 'classes' && result.pairs)
    notes.push(`With ${count(result.count)} classes, only the pairs whose confusion changed most are listed.`);
  if (result.kind !== 'numbers' && result.count > LISTED_CLASSES)
    notes.push(`The ${count(LISTED_CLASSES)} classes whose errors changed most are listed.`);
  for (const [what, now, was] of [
    ['reference', reference, reported?.reference],
    ['pruned network', pruned, reported?.pruned],
  ] as const)
    if (was && (now.error !== was.error || now.samples !== was.samples))
      notes.push(
        `The run reported an error of ${percent(was.error ?? Number.NaN)} for the ${what} on ${count(was.samples)} samples; computed again here it is ${percent(now.error ?? Number.NaN)} on ${count(now.samples)}.`,
      );
  return notes;
} // prettier-ignore
