/** Classes: the confusions of each of two networks. Pure. */
import {
  LISTED_CLASSES,
  LISTED_PAIRS,
  MATRIX_CLASSES,
  type ChangedSample,
  type WhatChanged,
} from '../../protocol/whatChanged.js';
import { NO_ANSWER, type Answers } from './answers.js';
import type { Scored } from './changedSamples.js';

type ClassResult = Extract<WhatChanged['result'], { kind: 'classes' }>;

/** The name of each class; its number if it has none. */
export type NameOf = (index: number) => string;

/** counts[label * classes + answer], over the rows that count. */
function confusions({ labels, answers }: Answers, classes: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] === NO_ANSWER) continue;
    const pair = labels[row]! * classes + answers[row]!;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}

/**
 * @param classes how many there are.
 * @param reference, pruned over the same samples.
 */
export function classChanges(reference: Answers, pruned: Answers, classes: number, nameOf: NameOf): ClassResult {
  const [before, after] = [confusions(reference, classes), confusions(pruned, classes)];
  const rows = Array.from({ length: classes }, (_, i) => ({ name: nameOf(i), samples: 0, reference: 0, pruned: 0 }));
  for (const [of, counts] of [['reference', before], ['pruned', after]] as const)
    for (const [pair, count] of counts) {
      const label = Math.floor(pair / classes);
      if (of === 'reference') rows[label]!.samples += count;
      if (pair % classes !== label) rows[label]![of] += count;
    } // prettier-ignore
  const change = (row: (typeof rows)[number]) => Math.abs(row.pruned - row.reference);
  const listed =
    classes <= LISTED_CLASSES ? rows : [...rows].sort((a, b) => change(b) - change(a)).slice(0, LISTED_CLASSES);
  const small = classes <= MATRIX_CLASSES;
  const matrix = (counts: Map<number, number>) =>
    Array.from({ length: classes }, (_, label) =>
      Array.from({ length: classes }, (_, answer) => counts.get(label * classes + answer) ?? 0),
    );
  return {
    kind: 'classes',
    count: classes,
    classes: listed,
    matrices: small ? { reference: matrix(before), pruned: matrix(after) } : null,
    pairs: small ? null : worstPairs(before, after, classes, nameOf),
  };
}

function worstPairs(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  classes: number,
  nameOf: NameOf,
): NonNullable<ClassResult['pairs']> {
  const wrong = [...new Set([...before.keys(), ...after.keys()])].filter(
    (pair) => Math.floor(pair / classes) !== pair % classes,
  );
  return wrong
    .map((pair) => ({
      label: nameOf(Math.floor(pair / classes)),
      answer: nameOf(pair % classes),
      reference: before.get(pair) ?? 0,
      pruned: after.get(pair) ?? 0,
    }))
    .sort(
      (a, b) =>
        Math.abs(b.pruned - b.reference) - Math.abs(a.pruned - a.reference) || b.pruned + b.reference - a.pruned - a.reference,
    )
    .slice(0, LISTED_PAIRS); // prettier-ignore
}

const wrongRows = ({ labels, answers }: Answers, from: number, to: number): number => {
  let wrong = 0;
  for (let row = from; row < to; row++) if (labels[row] !== NO_ANSWER && labels[row] !== answers[row]) wrong++;
  return wrong;
};

function changedRows(reference: Answers, pruned: Answers, from: number, to: number): number {
  let changed = 0;
  for (let row = from; row < to; row++) if (reference.answers[row] !== pruned.answers[row]) changed++;
  return changed;
}

/**
 * The samples of which any answer changed: by the pruned network's confidence in its answer, or, if a sample has many answers, by how many of them
 * changed.
 */
export function changedClasses(reference: Answers, pruned: Answers): Scored[] {
  const { samples, positions } = reference.form;
  const found: Scored[] = [];
  for (let index = 0; index < samples; index++) {
    const [from, to] = [index * positions, (index + 1) * positions];
    const changed = changedRows(reference, pruned, from, to);
    if (changed === 0) continue;
    const [was, is] = [wrongRows(reference, from, to), wrongRows(pruned, from, to)];
    const sure = pruned.sure?.[index];
    const score = sure === undefined ? changed : Number.isFinite(sure) ? sure : 0;
    found.push({ index, verdict: is > was ? 'worse' : is < was ? 'better' : 'other', score });
  }
  return found;
}

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

/** A changed sample in words. */
export function describeClasses(
  { index, verdict }: Scored,
  reference: Answers,
  pruned: Answers,
  nameOf: NameOf,
): ChangedSample {
  const { positions } = reference.form;
  const [from, to] = [index * positions, (index + 1) * positions];
  const one = positions === 1;
  const wrong = (answers: Answers) => `${wrongRows(answers, from, to)} wrong`;
  return {
    index,
    verdict,
    label: one ? nameOf(reference.labels[from]!) : `${changedRows(reference, pruned, from, to)} of ${positions} answers changed`, // prettier-ignore
    reference: one ? nameOf(reference.answers[from]!) : wrong(reference),
    pruned: one ? nameOf(pruned.answers[from]!) : wrong(pruned),
    referenceSure: finite(reference.sure?.[index]),
    prunedSure: finite(pruned.sure?.[index]),
  };
}
