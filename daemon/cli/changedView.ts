/** What pruning changed, in tables. */
import type { Evaluation } from '../protocol/events.js';
import type { WhatChanged } from '../protocol/whatChanged.js';
import { orDash, significant } from '../protocol/format.js';
import type { Terminal } from './terminal.js';
import { count, errorText, percent, table } from './text.js';

/** Most classes, pairs and outputs that are listed. */
const LISTED = 20;

type Print = (text: string) => void;

const signed = (value: number): string => (value > 0 ? `+${count(value)}` : count(value));

function printClasses({ classes, matrices, pairs }: Extract<WhatChanged['result'], { kind: 'classes' }>, print: Print): void {
  const rows = [...classes]
    .sort((a, b) => Math.abs(b.pruned - b.reference) - Math.abs(a.pruned - a.reference))
    .slice(0, LISTED)
    .map(({ name, samples, reference, pruned }) => [
      name,
      count(samples),
      ...[reference, pruned].map((wrong) => percent(samples === 0 ? null : wrong / samples)),
      signed(pruned - reference),
    ]);
  print(table(['class', 'samples', 'reference error', 'pruned error', 'wrong'], rows));
  const confused =
    pairs ??
    classes.flatMap((label, i) =>
      classes.flatMap((answer, j) => {
        const [reference, pruned] = [matrices!.reference[i]![j]!, matrices!.pruned[i]![j]!];
        return i === j || reference + pruned === 0 ? [] : [{ label: label.name, answer: answer.name, reference, pruned }];
      }),
    );
  if (confused.length === 0) return;
  const worst = [...confused].sort((a, b) => b.pruned - b.reference - (a.pruned - a.reference)).slice(0, LISTED / 2);
  print('');
  print(table(['label', 'taken for', 'reference', 'pruned'], worst.map(({ label, answer, reference, pruned }) => [label, answer, count(reference), count(pruned)])));
} // prettier-ignore

const number = (value: number | null): string => orDash(value, (figure) => significant(figure, 5));

function printResult(result: WhatChanged['result'], print: Print): void {
  if (result.kind === 'classes') return printClasses(result, print);
  if (result.kind === 'labels') {
    const wrong = ({ missed, invented }: { missed: number; invented: number }) => `${count(missed)} + ${count(invented)}`;
    return print(table(['label', 'yes', 'reference missed + made up', 'pruned missed + made up'], result.labels.slice(0, LISTED).map(({ name, yes, reference, pruned }) => [name, count(yes), wrong(reference), wrong(pruned)])));
  }
  const rows = [
    ['root mean square', number(result.reference.rmse), number(result.pruned.rmse)],
    ['mean absolute', number(result.reference.meanAbsolute), number(result.pruned.meanAbsolute)],
  ];
  print(table(['residual', 'reference', 'pruned'], rows));
} // prettier-ignore

/** @param samples how many changed ones are listed. */
export function printChanged({ reference, pruned, result, changed }: WhatChanged, samples: number, terminal: Terminal): void {
  const print: Print = (text) => terminal.print(text);
  const line = (name: string, evaluation: Evaluation) => print(`${name.padEnd(9)}  ${errorText(evaluation)}`);
  line('reference', reference);
  line('pruned', pruned);
  print('');
  printResult(result, print);
  const listed = changed.shown.slice(0, samples);
  if (listed.length === 0) return;
  const said = (answer: string, sure: number | null) => (sure === null ? answer : `${answer} (${percent(sure, 1)})`);
  const rows = listed.map(({ index, label, reference: before, pruned: after, referenceSure, prunedSure, verdict }) => [
    String(index),
    label,
    said(before, referenceSure),
    said(after, prunedSure),
    verdict,
  ]);
  print('');
  print(table(['sample', 'label', 'reference', 'pruned', ''], rows));
  print(`Listed ${changed.order}.`);
} // prettier-ignore
