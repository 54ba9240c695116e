/** Numbers: each network's residuals. Pure. */
import type { ChangedSample, WhatChanged } from '../../protocol/whatChanged.js';
import { significant } from '../../protocol/format.js';
import { NO_ANSWER, type Answers } from './answers.js';
import type { Scored } from './changedSamples.js';
import type { NameOf } from './classChanges.js';

type NumberResult = Extract<WhatChanged['result'], { kind: 'numbers' }>;
type Residuals = NumberResult['reference'];

const BINS = 41;
const POINTS = 500;
/** Most outputs with figures of their own. */
const OUTPUTS = 32;
/** Most residuals from which the edges of the histogram are computed. */
const SAMPLED = 100_000;
/** Share of the residuals, at each end, that goes into the outer bins. */
const OUTSIDE = 0.005;

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Root mean square and mean absolute residual, in float64. @param at which value of a row; undefined: all. */
export function residualsOf({ labels, values, targets, form: { width } }: Answers, at?: number): Residuals {
  let [squares, absolute, count] = [0, 0, 0];
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] === NO_ANSWER) continue;
    for (let i = at ?? 0; i < (at === undefined ? width : at + 1); i++) {
      const residual = values![row * width + i]! - targets![row * width + i]!;
      squares += residual * residual;
      absolute += Math.abs(residual);
      count++;
    }
  }
  return { rmse: finite(Math.sqrt(squares / count)), meanAbsolute: finite(absolute / count) };
}

/** Positions of the counted values, at most `most` at even distances. */
function spread({ labels, form: { width } }: Answers, most: number): number[] {
  const stride = Math.max(1, Math.ceil((labels.length * width) / most));
  const found: number[] = [];
  for (let at = 0; at < labels.length * width; at += stride)
    if (labels[Math.floor(at / width)] !== NO_ANSWER) found.push(at);
  return found;
}

/** Edges that hold all but the outermost residuals of both networks. */
function edgesOf(both: readonly Answers[]): number[] {
  const sample = both
    .flatMap((answers) => spread(answers, SAMPLED).map((at) => answers.values![at]! - answers.targets![at]!))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const quantile = (share: number) => sample[Math.round(share * (sample.length - 1))] ?? 0;
  let [low, high] = [quantile(OUTSIDE), quantile(1 - OUTSIDE)];
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  return Array.from({ length: BINS + 1 }, (_, i) => low + (i * (high - low)) / BINS);
}

function histogram({ labels, values, targets, form: { width } }: Answers, edges: readonly number[]): number[] {
  const bins = new Array<number>(BINS).fill(0);
  const [low, high] = [edges[0]!, edges.at(-1)!];
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] === NO_ANSWER) continue;
    for (let at = row * width; at < (row + 1) * width; at++) {
      const residual = values![at]! - targets![at]!;
      if (!Number.isFinite(residual)) continue;
      const bin = Math.floor(((residual - low) / (high - low)) * BINS);
      bins[Math.min(BINS - 1, Math.max(0, bin))]!++;
    }
  }
  return bins;
}

export function numberChanges(reference: Answers, pruned: Answers, nameOf: NameOf): NumberResult {
  const { width } = reference.form;
  const edges = edgesOf([reference, pruned]);
  const several = width > 1 && width <= OUTPUTS;
  return {
    kind: 'numbers',
    count: width,
    reference: residualsOf(reference),
    pruned: residualsOf(pruned),
    histogram: { edges, reference: histogram(reference, edges), pruned: histogram(pruned, edges) },
    points: spread(reference, POINTS).map((at) => [reference.targets![at]!, finite(reference.values![at]!), finite(pruned.values![at]!)]), // prettier-ignore
    outputs: Array.from({ length: several ? width : 0 }, (_, i) => ({
      name: nameOf(i),
      reference: residualsOf(reference, i),
      pruned: residualsOf(pruned, i),
    })),
  };
}

/** Mean |residual| of a sample; NaN if none of its values counts. */
function offBy({ labels, values, targets, form: { positions, width } }: Answers, index: number): number {
  let [sum, count] = [0, 0];
  for (let row = index * positions; row < (index + 1) * positions; row++) {
    if (labels[row] === NO_ANSWER) continue;
    for (let at = row * width; at < (row + 1) * width; at++, count++) sum += Math.abs(values![at]! - targets![at]!);
  }
  return sum / count;
}

/** Every sample whose distance to the target changed, by the difference. */
export function changedNumbers(reference: Answers, pruned: Answers): Scored[] {
  const found: Scored[] = [];
  for (let index = 0; index < reference.form.samples; index++) {
    const change = offBy(pruned, index) - offBy(reference, index);
    if (change === 0 || Number.isNaN(change)) continue;
    found.push({ index, verdict: change > 0 ? 'worse' : 'better', score: Math.abs(change) });
  }
  return found;
}

/** Most numbers listed in one answer. */
const LISTED = 6;

export function describeNumbers({ index, verdict }: Scored, reference: Answers, pruned: Answers): ChangedSample {
  const { positions, width } = reference.form;
  const size = positions * width;
  const listed = (values: Float32Array) =>
    [...values.subarray(index * size, index * size + Math.min(LISTED, size))].map((value) => significant(value, 5)).join(', ') +
    (size > LISTED ? `, ... (${size})` : ''); // prettier-ignore
  return {
    index,
    verdict,
    label: listed(reference.targets!),
    reference: listed(reference.values!),
    pruned: listed(pruned.values!),
    referenceSure: null,
    prunedSure: null,
  };
}
