/**
 * The loss of a teacher's answers: T^2 times the divergence of the model's probabilities at temperature T from the teacher's. The factor keeps its
 * gradient, which shrinks with 1/T^2, in proportion to that of the labels. (Hinton, Vinyals & Dean 2015, section 2.1)
 */
import type * as Core from '@tensorflow/tfjs-core';
import { absorbedHead, type Head, type Loss } from '../../model/setup/loss.js';
import { sigmoidCrossentropy, softmaxCrossentropy } from './crossEntropies.js';
import { EPSILON } from './epsilon.js';
import { argMax } from './tally.js';

type Tensor = Core.Tensor;

export interface TaughtLoss {
  readonly loss: Loss;
  /** What is missing from the outputs: of `none`, they are probabilities. */
  readonly head: Head;
  readonly temperature: number;
}

/** Whether a loss compares probabilities: then the teacher's answers have a temperature. */
export const hasTemperature = (loss: Loss): boolean => absorbedHead(loss) !== 'none';

const within = (p: number): number => Math.min(Math.max(p, EPSILON), 1 - EPSILON);

/**
 * A teacher's targets for the training loss, in float64: its probabilities at the temperature; of other losses than the cross-entropies its outputs.
 * @param values its outputs before the head, rows of `width`. @param out of the same length; may be `values`.
 */
export function softened(
  { loss, head, temperature }: TaughtLoss,
  values: Float32Array,
  width: number,
  out: Float32Array,
): void {
  const kind = absorbedHead(loss);
  if (kind === 'none') return out.set(values);
  if (kind === 'sigmoid') {
    const logit = (v: number) => (head === 'none' ? Math.log(within(v) / (1 - within(v))) : v);
    for (let i = 0; i < values.length; i++) out[i] = 1 / (1 + Math.exp(-logit(values[i]!) / temperature));
    return;
  }
  const logit = (v: number) => (head === 'none' ? Math.log(Math.max(v, EPSILON)) : v);
  const row = new Float64Array(width);
  for (let from = 0; from < values.length; from += width) {
    for (let k = 0; k < width; k++) row[k] = logit(values[from + k]!) / temperature;
    const max = Math.max(...row);
    let sum = 0;
    for (let k = 0; k < width; k++) sum += row[k] = Math.exp(row[k]! - max);
    for (let k = 0; k < width; k++) out[from + k] = row[k]! / sum;
  }
}

/**
 * A network's answers as the targets that labelled data would have: one-hot for its largest output, 0 or 1 for each yes/no output; of other losses than
 * the cross-entropies its outputs. Evaluated against its own, a network has no error.
 * @param values, out as in `softened`.
 */
export function decided(
  { loss, head }: Omit<TaughtLoss, 'temperature'>,
  values: Float32Array,
  width: number,
  out: Float32Array,
): void {
  const kind = absorbedHead(loss);
  if (kind === 'none') return out.set(values);
  if (kind === 'sigmoid') {
    const threshold = head === 'none' ? 0.5 : 0;
    for (let i = 0; i < values.length; i++) out[i] = Number(values[i]! > threshold);
    return;
  }
  for (let from = 0; from < values.length; from += width) {
    const largest = argMax(values, from, from + width);
    for (let k = 0; k < width; k++) out[from + k] = Number(k === largest);
  }
}

/** p log p, and 0 for 0: the smallest float32 with all its bits stands for it inside the logarithm. */
const plogp = (tf: typeof Core, p: Tensor): Tensor => tf.mul(p, tf.log(tf.maximum(p, 2 ** -126)));

/**
 * T^2 KL(q, p), the mean over the rows as `meanLoss` takes it; p are the model's probabilities at T.
 * @param q the teacher's targets, softened. @param output before the head. @param weights of the rows, [..., 1].
 */
export function divergence(
  tf: typeof Core,
  { loss, head, temperature }: TaughtLoss,
  q: Tensor,
  output: Tensor,
  weights: Tensor | undefined,
): Core.Scalar {
  const classes = absorbedHead(loss) === 'softmax';
  const z = head === 'none' ? logits(tf, classes, output) : output;
  const tempered = temperature === 1 ? z : tf.mul(z, 1 / temperature);
  const crossEntropy = (classes ? softmaxCrossentropy : sigmoidCrossentropy)(tf, tempered, q, weights);
  const each = classes ? plogp(tf, q) : tf.add(plogp(tf, q), plogp(tf, tf.sub(1, q)));
  const rows = classes ? q.size / q.shape.at(-1)! : q.size;
  const negentropy = tf.mul(tf.sum(weights ? tf.mul(each, weights) : each), 1 / rows);
  const mean = tf.add(crossEntropy, negentropy);
  return (temperature === 1 ? mean : tf.mul(mean, temperature * temperature)) as Core.Scalar;
}

/** Logits of probabilities that the model computes itself. */
function logits(tf: typeof Core, classes: boolean, output: Tensor): Tensor {
  if (classes) return tf.log(tf.clipByValue(output, EPSILON, 1));
  const p = tf.clipByValue(output, EPSILON, 1 - EPSILON);
  return tf.sub(tf.log(p), tf.log(tf.sub(1, p)));
}
