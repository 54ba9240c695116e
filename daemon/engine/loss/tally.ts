/** Losses and wrong answers of evaluated batches, in float64. */
import type { LossSettings } from '../../model/setup/lossSettings.js';
import type { Loss } from '../engine.js';
import { elementLoss, smoothingFloor } from './elements.js';
import type { Head } from '../../model/setup/loss.js';
import { EPSILON } from './epsilon.js';

/** Applies a head to outputs in place: rows of `width` logits become probabilities. */
export function applyHead(head: Head, output: Float32Array, width: number): void {
  if (head === 'sigmoid') for (let i = 0; i < output.length; i++) output[i] = 1 / (1 + Math.exp(-output[i]!));
  if (head !== 'softmax') return;
  for (let row = 0; row < output.length; row += width) {
    let max = -Infinity;
    for (let i = row; i < row + width; i++) max = Math.max(max, output[i]!);
    let sum = 0;
    for (let i = row; i < row + width; i++) sum += output[i] = Math.exp(output[i]! - max);
    for (let i = row; i < row + width; i++) output[i]! /= sum;
  }
}

/** Sums over rows of loss and wrong answers, in float64. */
export interface Tally {
  loss: number;
  wrong: number;
  rows: number;
  /** For a binary cross-entropy over several outputs: rows whose largest output is not the target's. */
  wrongRows?: number;
  /** For the same: a target does not have exactly one 1, so that each output is a yes or no of its own. */
  several?: boolean;
}

/**
 * The share of wrong answers. For a binary cross-entropy over several outputs it is that of rows if each target is one of the outputs (Keras's
 * "accuracy"), else that of single outputs.
 */
export const errorOf = ({ wrong, wrongRows, several, rows }: Tally): number =>
  (wrongRows === undefined || several ? wrong : wrongRows) / Math.max(1, rows);

/** Exactly one 1 in [from, to), and zeros. */
export function isOneHot(target: Float32Array, from: number, to: number): boolean {
  let ones = 0;
  for (let i = from; i < to; i++) {
    if (target[i] === 1) ones++;
    else if (target[i] !== 0) return false;
  }
  return ones === 1;
}

/** Position within [from, to) of the largest value, the first on a tie. */
export function argMax(values: Float32Array, from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! > values[best]!) best = i;
  return best - from;
}

/** A target's value after label smoothing: keep * y + floor. */
interface Smoothed {
  readonly keep: number;
  readonly floor: number;
}

/** -sum(y log p) of one row. */
function categorical(
  head: Head,
  output: Float32Array,
  target: Float32Array,
  from: number,
  to: number,
  { keep, floor }: Smoothed,
): number {
  let max = -Infinity;
  for (let i = from; i < to; i++) max = Math.max(max, output[i]!);
  let sum = 0;
  for (let i = from; i < to; i++) sum += head === 'softmax' ? Math.exp(output[i]! - max) : output[i]!;
  const log = (v: number) =>
    head === 'softmax' ? v - max - Math.log(sum) : Math.log(Math.min(Math.max(v / sum, EPSILON), 1 - EPSILON));
  let loss = 0;
  for (let i = from; i < to; i++) {
    const y = keep * target[i]! + floor;
    if (y !== 0) loss -= y * log(output[i]!);
  }
  return loss;
}

/**
 * Adds `samples` samples to the tally. A row is the last axis: one per sample, or one per position of a sequence. A row is wrong when its largest
 * output is not the target's; for a binary cross-entropy and for single outputs, elements on the wrong side of 1/2 count as their share of the row
 * (errorOf chooses between the two).
 * The loss is of the smoothed targets, the error of the targets themselves.
 * @param output before the head; both of at least samples * rowsPerSample * width elements.
 * @param mask of the rows: those of 0 are left out.
 */
export function tallyBatch(
  tally: Tally,
  loss: Loss,
  head: Head,
  output: Float32Array,
  target: Float32Array,
  rows: number,
  width: number,
  settings: LossSettings = {},
  mask: Float32Array | null = null,
): void {
  const ofElement = elementLoss(loss, head, settings);
  const { labelSmoothing = 0 } = settings;
  const smoothed = { keep: 1 - labelSmoothing, floor: smoothingFloor(loss, labelSmoothing, width) };
  const threshold = head === 'sigmoid' ? 0 : 0.5;
  for (let row = 0; row < rows; row++) {
    if (mask?.[row] === 0) continue;
    tally.rows++;
    const from = row * width;
    const to = from + width;
    if (!ofElement) {
      tally.loss += categorical(head, output, target, from, to, smoothed);
      tally.wrong += argMax(output, from, to) === argMax(target, from, to) ? 0 : 1;
      continue;
    }
    let sum = 0;
    let wrong = 0;
    for (let i = from; i < to; i++) {
      sum += ofElement.value(output[i]!, smoothed.keep * target[i]! + smoothed.floor);
      if (output[i]! > threshold !== target[i]! > 0.5) wrong++;
    }
    tally.loss += ofElement.ofRow === 'sum' ? sum : sum / width;
    if (loss === 'binaryCrossentropy' && width > 1) {
      tally.several ||= !isOneHot(target, from, to);
      tally.wrongRows = (tally.wrongRows ?? 0) + Number(argMax(output, from, to) !== argMax(target, from, to));
    }
    if (loss === 'binaryCrossentropy' || width === 1) tally.wrong += wrong / width;
    else tally.wrong += argMax(output, from, to) === argMax(target, from, to) ? 0 : 1;
  }
}
