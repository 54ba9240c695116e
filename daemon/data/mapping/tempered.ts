/** Cross-entropies of a network's answers, sharpened or softened by one temperature. */
import { rowsOfSample, type RowMask } from './countedRows.js';

/** The form of an output: one class a row, yes or no values, or numbers. */
export interface AnswerForm {
  readonly kind: 'classes' | 'yes-no' | 'numbers';
  /** Whether the outputs are probabilities, logits, or neither (then answers are counted only). */
  readonly scale: 'probabilities' | 'logits' | 'neither';
  /** Values of the last axis: a row. */
  readonly width: number;
}

/** Largest factor on the outputs. */
const SHARPEST = 2 ** 10;

/** Cross-entropies of logits times a sharpness, the inverse of the temperature; their mean is convex in it. */
export class Tempered {
  private readonly size: number;
  /** Mean over a sample's rows. */
  private readonly rows: number;

  constructor(
    private readonly logits: Float64Array,
    private readonly target: Float32Array,
    private readonly count: number,
    private readonly form: AnswerForm,
    private readonly mask: RowMask,
  ) {
    this.size = logits.length / count;
    this.rows = rowsOfSample(mask, logits.length / form.width, count);
  }

  /** Of each sample: the mean over its rows (values, of yes-no). */
  losses(sharpness: number): Float64Array {
    return this.perSample((from, to) => this.rowLoss(from, to, sharpness));
  }

  mean(sharpness: number): number {
    return this.losses(sharpness).reduce((sum, loss) => sum + loss / this.count, 0);
  }

  /** The largest sharpness whose mean confidence is at most `confidence`, by bisection on its logarithm. */
  confidentAt(confidence: number): number {
    const at = (s: number) =>
      this.perSample((from, to) => this.rowConfidence(from, to, s)).reduce((sum, c) => sum + c / this.count, 0);
    let [low, high] = [1 / SHARPEST, SHARPEST];
    for (let i = 0; i < 14; i++) {
      const middle = Math.sqrt(low * high);
      if (at(middle) > confidence) high = middle;
      else low = middle;
    }
    return low;
  }

  /** Where the mean is lowest at or below `most`, by golden-section-like thirds on the logarithm. */
  best(most: number): number {
    let [low, high] = [Math.log(Math.min(most, 1) / SHARPEST), Math.log(most)];
    for (let i = 0; i < 24; i++) {
      const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
      if (this.mean(Math.exp(a)) > this.mean(Math.exp(b))) low = a;
      else high = b;
    }
    return this.mean(Math.exp(high)) <= this.mean(most) ? Math.exp(high) : most;
  }

  private perSample(ofRow: (from: number, to: number) => number): Float64Array {
    const { width } = this.form;
    return Float64Array.from({ length: this.count }, (_, sample) => {
      let sum = 0;
      for (let row = sample * this.size; row < (sample + 1) * this.size; row += width)
        if (this.mask?.[row / width] !== 0) sum += ofRow(row, row + width);
      return this.rows > 0 ? sum / this.rows : Infinity;
    });
  }

  private rowLoss(from: number, to: number, sharpness: number): number {
    const { logits, target } = this;
    let sum = 0;
    if (this.form.kind === 'yes-no') {
      for (let i = from; i < to; i++) {
        const z = sharpness * logits[i]!;
        sum += Math.max(z, 0) - z * target[i]! + Math.log1p(Math.exp(-Math.abs(z)));
      }
      return sum / (to - from);
    }
    const log = this.logSum(from, to, sharpness);
    for (let i = from; i < to; i++) if (target[i]! !== 0) sum += target[i]! * (log - sharpness * logits[i]!);
    return sum;
  }

  private rowConfidence(from: number, to: number, sharpness: number): number {
    const { logits } = this;
    let most = -Infinity;
    let sum = 0;
    for (let i = from; i < to; i++) {
      most = Math.max(most, logits[i]!);
      sum += 1 / (1 + Math.exp(-sharpness * Math.abs(logits[i]!)));
    }
    if (this.form.kind === 'yes-no') return sum / (to - from);
    return Math.exp(sharpness * most - this.logSum(from, to, sharpness));
  }

  private logSum(from: number, to: number, sharpness: number): number {
    const { logits } = this;
    let most = -Infinity;
    for (let i = from; i < to; i++) most = Math.max(most, logits[i]!);
    let sum = 0;
    for (let i = from; i < to; i++) sum += Math.exp(sharpness * (logits[i]! - most));
    return sharpness * most + Math.log(sum);
  }
}
