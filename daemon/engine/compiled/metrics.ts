import type { Loss } from '../engine.js';
import type { Head } from '../trace/lossHead.js';

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
}

const clip = (p: number) => Math.min(Math.max(p, 1e-7), 1 - 1e-7);

function argMax(values: Float32Array, from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! > values[best]!) best = i;
  return best - from;
}

/** -sum(y log p) of one row. */
function categorical(head: Head, output: Float32Array, target: Float32Array, from: number, to: number): number {
  let max = -Infinity;
  for (let i = from; i < to; i++) max = Math.max(max, output[i]!);
  let sum = 0;
  for (let i = from; i < to; i++) sum += head === 'softmax' ? Math.exp(output[i]! - max) : output[i]!;
  const log = (v: number) => (head === 'softmax' ? v - max - Math.log(sum) : Math.log(clip(v / sum)));
  let loss = 0;
  for (let i = from; i < to; i++) if (target[i]! !== 0) loss -= target[i]! * log(output[i]!);
  return loss;
}

/** One element's loss, of the element-wise losses. */
function elementLoss(loss: Loss, head: Head, z: number, y: number): number {
  if (loss === 'binaryCrossentropy') {
    if (head === 'sigmoid') return Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z)));
    return -y * Math.log(clip(z)) - (1 - y) * Math.log(1 - clip(z));
  }
  const size = Math.abs(z - y);
  if (loss === 'meanSquaredError') return size * size;
  if (loss === 'meanAbsoluteError') return size;
  const near = Math.min(size, 1);
  return 0.5 * near * near + size - near;
}

/**
 * Adds `samples` samples to the tally. A row is the last axis: one per sample, or one per position of a sequence. A row is
 * wrong when its largest output is not the target's; of a binary cross-entropy and of single outputs, elements on the wrong
 * side of 1/2 count as their share of the row.
 *
 * @param output before the head; both of at least samples * rowsPerSample * width elements.
 */
export function tallyBatch(
  tally: Tally,
  loss: Loss,
  head: Head,
  output: Float32Array,
  target: Float32Array,
  rows: number,
  width: number,
): void {
  const isCategorical = loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy';
  const threshold = head === 'sigmoid' ? 0 : 0.5;
  for (let row = 0; row < rows; row++) {
    const from = row * width;
    const to = from + width;
    if (isCategorical) {
      tally.loss += categorical(head, output, target, from, to);
      tally.wrong += argMax(output, from, to) === argMax(target, from, to) ? 0 : 1;
      continue;
    }
    let sum = 0;
    let wrong = 0;
    for (let i = from; i < to; i++) {
      sum += elementLoss(loss, head, output[i]!, target[i]!);
      if (output[i]! > threshold !== target[i]! > 0.5) wrong++;
    }
    tally.loss += sum / width;
    if (loss === 'binaryCrossentropy' || width === 1) tally.wrong += wrong / width;
    else tally.wrong += argMax(output, from, to) === argMax(target, from, to) ? 0 : 1;
  }
  tally.rows += rows;
}
