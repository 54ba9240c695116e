/** Several yes-or-no answers for each sample: each network's misses and false positives. Pure. */
import { LISTED_CLASSES, type ChangedSample, type WhatChanged } from '../../protocol/whatChanged.js';
import { NO_ANSWER, type Answers } from './answers.js';
import type { Scored } from './changedSamples.js';
import type { NameOf } from './classChanges.js';

type LabelResult = Extract<WhatChanged['result'], { kind: 'labels' }>;

const isYes = (value: number): boolean => value > 0.5;

/** Calls `see` for every value of the rows [from, to) that count. */
function eachValue(
  { labels, values, targets, form: { width } }: Answers,
  from: number,
  to: number,
  see: (label: number, says: boolean, right: boolean) => void,
): void {
  for (let row = from; row < to; row++) {
    if (labels[row] === NO_ANSWER) continue;
    for (let i = 0; i < width; i++) see(i, isYes(values![row * width + i]!), isYes(targets![row * width + i]!));
  }
}

export function labelChanges(reference: Answers, pruned: Answers, nameOf: NameOf): LabelResult {
  const { width } = reference.form;
  const fresh = () => ({ missed: 0, invented: 0 });
  const labels = Array.from({ length: width }, (_, i) => ({ name: nameOf(i), yes: 0, reference: fresh(), pruned: fresh() })); // prettier-ignore
  for (const [of, answers] of [['reference', reference], ['pruned', pruned]] as const)
    eachValue(answers, 0, answers.labels.length, (i, says, right) => {
      const label = labels[i]!;
      if (right && of === 'reference') label.yes++;
      if (right && !says) label[of].missed++;
      if (!right && says) label[of].invented++;
    }); // prettier-ignore
  const wrong = ({ missed, invented }: (typeof labels)[number]['pruned']) => missed + invented;
  const change = (label: (typeof labels)[number]) => Math.abs(wrong(label.pruned) - wrong(label.reference));
  return {
    kind: 'labels',
    count: width,
    labels: width <= LISTED_CLASSES ? labels : labels.sort((a, b) => change(b) - change(a)).slice(0, LISTED_CLASSES),
  };
}

function wrongIn(answers: Answers, index: number): number {
  const { positions } = answers.form;
  let wrong = 0;
  eachValue(answers, index * positions, (index + 1) * positions, (_, says, right) => (wrong += Number(says !== right)));
  return wrong;
}

/** The samples of which any answer changed, by the number of changes. */
export function changedLabels(reference: Answers, pruned: Answers): Scored[] {
  const { samples, positions, width } = reference.form;
  const found: Scored[] = [];
  for (let index = 0; index < samples; index++) {
    let changed = 0;
    for (let row = index * positions; row < (index + 1) * positions; row++) {
      if (reference.labels[row] === NO_ANSWER) continue;
      for (let at = row * width; at < (row + 1) * width; at++)
        if (isYes(reference.values![at]!) !== isYes(pruned.values![at]!)) changed++;
    }
    if (changed === 0) continue;
    const [was, is] = [wrongIn(reference, index), wrongIn(pruned, index)];
    found.push({ index, verdict: is > was ? 'worse' : is < was ? 'better' : 'other', score: changed });
  }
  return found;
}

/** Most names listed in one answer. */
const NAMES = 6;

export function describeLabels({ index, verdict }: Scored, reference: Answers, pruned: Answers, nameOf: NameOf): ChangedSample {
  const { positions, width } = reference.form;
  const listed = (values: Float32Array) => {
    if (positions > 1) return '';
    const yes = Array.from({ length: width }, (_, i) => i).filter((i) => isYes(values[index * width + i]!));
    if (yes.length === 0) return 'none';
    return yes.slice(0, NAMES).map(nameOf).join(', ') + (yes.length > NAMES ? ` and ${yes.length - NAMES} more` : '');
  };
  const says = (answers: Answers) => (positions > 1 ? `${wrongIn(answers, index)} wrong` : listed(answers.values!));
  return {
    index,
    verdict,
    label: positions > 1 ? `${positions} positions` : listed(reference.targets!),
    reference: says(reference),
    pruned: says(pruned),
    referenceSure: null,
    prunedSure: null,
  };
} // prettier-ignore
