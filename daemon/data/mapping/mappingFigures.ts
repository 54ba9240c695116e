/** Figures of a model's outputs under one mapping of the data, independent of its confidence. */
import { columnMeans, rowsOfSample, type RowMask } from './countedRows.js';
import { type AnswerForm, Tempered } from './tempered.js';

export { type AnswerForm } from './tempered.js';

/** One number a sample in each array, in the same order for every mapping; their mean is that over the rows that count. */
export interface MappingFigures {
  /** The share of wrong rows (values, of yes-no); of numbers the squared error over the variance of the targets: the mean is 1 - R^2. */
  readonly errors: Float64Array;
  /**
   * The errors as a share of those of a guess that answers each class as often as the model does, whatever the sample: the mean
   * is 1 - kappa (J. Cohen 1960, "A coefficient of agreement for nominal scales"), 1 of answers that say nothing of the
   * targets, however rare a class is. Of numbers the same as `errors`.
   */
  readonly disagreement: Float64Array;
  /**
   * The cross-entropy after fitting one temperature to all samples, which sharpens no further than to a mean confidence of 90%. null: there are no
   * probabilities, or most are 0 and 1 in float32, which hides the scale.
   */
  readonly tempered: Float64Array | null;
  /** The cross-entropy if the temperature may soften only. null: there are no probabilities. */
  readonly softened: Float64Array | null;
  /** Whether a tenfold sharpening would still lower the cross-entropy: such a network was trained on larger inputs. */
  readonly timid: boolean;
}

/** Upper bound on the mean confidence; without it, memorised samples would call for ever more. */
const CONFIDENCE = 0.9;
/** The lowest mean cross-entropy at that mean confidence: all answers are right, and equally confident. */
export const TEMPERED_FLOOR = -Math.log(CONFIDENCE);
/** Logarithm of the smallest normal float32, 1e-38; smaller values count as 0. */
const LOG_ZERO = Math.log(1e-35);
/** From this logit on, a sigmoid is 1 in float32. */
const SIGMOID_ONE = 16.6;
/** If more outputs than this are 0 or 1, the network is saturated. */
const SATURATED = 0.1;

const TIMID = 10;

/** @param count samples; `output` and `target` hold size values each, whole rows. */
export function mappingFigures(
  output: Float32Array,
  target: Float32Array,
  count: number,
  form: AnswerForm,
  mask: RowMask = null,
): MappingFigures {
  const errors = errorsOf(output, target, count, form, mask);
  const disagreement = disagreementOf(errors, output, target, count, form, mask);
  if (form.kind === 'numbers' || form.scale === 'neither')
    return { errors, disagreement, tempered: null, softened: null, timid: false };
  const { logits, saturated } = logitsOf(output, form, mask);
  if (!logits.every(Number.isFinite)) {
    return { errors, disagreement, tempered: null, softened: new Float64Array(count).fill(Infinity), timid: false };
  }
  const fit = new Tempered(logits, target, count, form, mask);
  const cap = fit.confidentAt(CONFIDENCE);
  return {
    errors,
    disagreement,
    tempered: saturated ? null : fit.losses(fit.best(cap)),
    softened: fit.losses(fit.best(1)),
    timid: fit.mean(TIMID) < fit.mean(0.95 * TIMID) || fit.mean(TIMID) < 1e-6,
  };
}

/** Figures of the best constant answer: the most frequent class, or the mean. */
export interface ConstantFigures {
  readonly errors: Float64Array;
  /** The cross-entropy of answering the frequencies of the classes. null: of numbers. */
  readonly losses: Float64Array | null;
}

/** @param count samples; `target` holds size values each, whole rows. */
export function constantFigures(
  target: Float32Array,
  count: number,
  form: AnswerForm,
  mask: RowMask = null,
): ConstantFigures {
  const size = target.length / count;
  const { width, kind } = form;
  const period = kind === 'numbers' ? size : width;
  const means = columnMeans(target, period, width, mask);
  const answer = Float32Array.from(means, (m) => (kind === 'yes-no' ? Number(m > 0.5) : m));
  const constant = target.map((_, i) => answer[i % period]!);
  const errors = errorsOf(constant, target, count, { ...form, scale: 'probabilities' }, mask);
  if (kind === 'numbers') return { errors, losses: null };
  const logits = Float64Array.from(target, (_, i) => {
    const p = means[i % width]!;
    return kind === 'yes-no' ? clippedLog(p) - clippedLog(1 - p) : clippedLog(p);
  });
  return { errors, losses: new Tempered(logits, target, count, form, mask).losses(1) };
}

const clippedLog = (p: number): number => Math.max(Math.log(Math.max(p, 0)), LOG_ZERO);

function argMax(values: ArrayLike<number>, from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! > values[best]!) best = i;
  return best - from;
}

function errorsOf(
  output: Float32Array,
  target: Float32Array,
  count: number,
  form: AnswerForm,
  mask: RowMask,
): Float64Array {
  const { kind, width } = form;
  const size = target.length / count;
  const divisor = width * rowsOfSample(mask, target.length / width, count);
  const variance = kind === 'numbers' ? varianceOf(target, size, width, mask) : 1;
  const half = form.scale === 'logits' ? 0 : 0.5;
  return Float64Array.from({ length: count }, (_, sample) => {
    let sum = 0;
    for (let row = sample * size; row < (sample + 1) * size; row += width) {
      if (mask?.[row / width] === 0) continue;
      if (kind === 'classes') {
        const same = argMax(output, row, row + width) === argMax(target, row, row + width);
        sum += same && Number.isFinite(output[row]) ? 0 : width;
        continue;
      }
      for (let i = row; i < row + width; i++) {
        if (kind === 'yes-no') sum += output[i]! > half === target[i]! > 0.5 && Number.isFinite(output[i]) ? 0 : 1;
        else sum += (output[i]! - target[i]!) ** 2 / variance;
      }
    }
    return Number.isFinite(sum) && divisor > 0 ? sum / divisor : Infinity;
  });
}

/** @param errors of the samples, as errorsOf gives them. */
function disagreementOf(
  errors: Float64Array,
  output: Float32Array,
  target: Float32Array,
  count: number,
  form: AnswerForm,
  mask: RowMask,
): Float64Array {
  const { kind, width } = form;
  if (kind === 'numbers') return errors;
  const half = form.scale === 'logits' ? 0 : 0.5;
  const answers = new Float32Array(output.length);
  for (let row = 0; row < output.length; row += width) {
    if (kind === 'classes') answers[row + argMax(output, row, row + width)] = 1;
    else for (let i = row; i < row + width; i++) answers[i] = Number(output[i]! > half);
  }
  const often = columnMeans(answers, width, width, mask);
  const size = target.length / count;
  const divisor = width * rowsOfSample(mask, target.length / width, count);
  const guessed = Float64Array.from({ length: count }, (_, sample) => {
    let sum = 0;
    for (let row = sample * size; row < (sample + 1) * size; row += width) {
      if (mask?.[row / width] === 0) continue;
      if (kind === 'classes') sum += width * (1 - often[argMax(target, row, row + width)]!);
      else for (let i = row; i < row + width; i++) sum += target[i]! > 0.5 ? 1 - often[i - row]! : often[i - row]!;
    }
    return divisor > 0 ? sum / divisor : 0;
  });
  const guess = guessed.reduce((sum, one) => sum + one / count, 0);
  // If the guess is always right there is only one class, which proves nothing.
  return errors.map((error, i) => (guess > 0 ? 1 + (error - guessed[i]!) / guess : 1));
}

/** Mean over the elements of a sample of their variances over the samples. */
function varianceOf(target: Float32Array, size: number, width: number, mask: RowMask): number {
  const mean = columnMeans(target, size, width, mask);
  let [sum, counted] = [0, 0];
  target.forEach((value, i) => {
    if (mask?.[Math.floor(i / width)] === 0) return;
    sum += (value - mean[i % size]!) ** 2;
    counted++;
  });
  return sum / counted || 1;
}

/** Outputs as logits; whether most of the counted ones are 0 and 1 in float32. */
function logitsOf(output: Float32Array, { kind, scale, width }: AnswerForm, mask: RowMask) {
  if (scale === 'logits') return { logits: Float64Array.from(output), saturated: false };
  let extreme = 0;
  const counts = (row: number) => mask?.[row] !== 0;
  const rows = rowsOfSample(mask, output.length / width, 1);
  if (kind === 'yes-no') {
    const logits = Float64Array.from(output, (p) => Math.max(Math.log(Math.max(p, 0)), LOG_ZERO) - Math.log1p(-Math.min(p, 1 - 2 ** -24)));
    logits.forEach((z, i) => (extreme += Number(counts(Math.floor(i / width)) && (z >= SIGMOID_ONE || z <= LOG_ZERO))));
    return { logits, saturated: extreme > SATURATED * rows * width };
  } // prettier-ignore
  const logits = Float64Array.from(output, (p) => Math.max(Math.log(Math.max(p, 0)), LOG_ZERO));
  for (let row = 0; row < logits.length; row += width) {
    let positive = 0;
    for (let i = row; i < row + width; i++) if (logits[i]! > LOG_ZERO) positive++;
    if (positive < 2 && counts(row / width)) extreme++;
  }
  return { logits, saturated: extreme > SATURATED * rows };
}
