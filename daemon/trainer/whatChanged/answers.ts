/** The answers of one network to every sample of a part, recorded during its evaluation: from exactly the values that its error counts. */
import type { EvaluatedBatch } from '../../engine/engine.js';
import { applyHead, argMax, isOneHot } from '../../engine/loss/tally.js';
import { UserError } from '../../protocol/errors.js';

/** The form of an output, as far as its answers depend on it. */
export interface AnswerForm {
  /** `yes-no`: one value for each position; `several`: a binary cross-entropy over several values. */
  readonly kind: 'classes' | 'yes-no' | 'several' | 'numbers';
  readonly samples: number;
  /** Rows of a sample: 1, or the positions of a sequence or an image. */
  readonly positions: number;
  /** Values of a row. */
  readonly width: number;
}

/** Most answers kept in memory: two bytes each, of both networks and of the labels. */
const MOST_ROWS = 1 << 25;
/** Most values kept in memory: four bytes each. */
const MOST_VALUES = 1 << 24;
/** Marks a row that does not count: padding. */
export const NO_ANSWER = 0xffff;
const MOST_CLASSES = NO_ANSWER;

/** @throws UserError('data-invalid') if there are more answers than can be compared. */
export function checkSize({ kind, samples, positions, width }: AnswerForm): void {
  const keepsValues = kind === 'numbers' || kind === 'several';
  const [size, most] = keepsValues ? [samples * positions * width, MOST_VALUES] : [samples * positions, MOST_ROWS];
  if (size > most)
    throw new UserError(
      'data-invalid',
      `what changed is not computed: ${samples} samples have ${size} answers, and at most ${most} are compared`,
    );
  if (kind === 'classes' && width > MOST_CLASSES)
    throw new UserError('data-invalid', `what changed is not computed: at most ${MOST_CLASSES} classes are compared`);
}

export class Answers {
  /** Of each row its label and the answer, a class; NO_ANSWER where the row does not count. */
  readonly labels: Uint16Array;
  readonly answers: Uint16Array;
  /** For each row, if a sample has one: the probability of the answer. */
  readonly sure: Float32Array | null;
  /** For numbers and several yes-or-no values: outputs (as probabilities) and targets. */
  readonly values: Float32Array | null;
  readonly targets: Float32Array | null;
  /** Rows that count. */
  rows = 0;
  /** Every target that counts is one-hot: a row of several values is then one class of them. */
  oneHot = true;

  /** @throws UserError('data-invalid') as `checkSize`. */
  constructor(readonly form: AnswerForm) {
    checkSize(form);
    const { kind, samples, positions, width } = form;
    const rows = samples * positions;
    const keepsValues = kind === 'numbers' || kind === 'several';
    this.labels = new Uint16Array(rows).fill(NO_ANSWER);
    this.answers = new Uint16Array(rows).fill(NO_ANSWER);
    this.sure = kind !== 'numbers' && positions === 1 ? new Float32Array(rows).fill(Number.NaN) : null;
    this.values = keepsValues ? new Float32Array(rows * width) : null;
    this.targets = keepsValues ? new Float32Array(rows * width) : null;
  }

  add({ start, samples, values, head, target, mask }: EvaluatedBatch): void {
    const { kind, positions, width } = this.form;
    const rows = samples * positions;
    const shares = values.slice(0, rows * width);
    applyHead(head, shares, width);
    this.values?.set(shares, start * positions * width);
    this.targets?.set(target.subarray(0, rows * width), start * positions * width);
    // As for the error (tally.ts): the value before the head.
    const threshold = head === 'sigmoid' ? 0 : 0.5;
    for (let row = 0; row < rows; row++) {
      if (mask?.[row] === 0) continue;
      this.rows++;
      const at = start * positions + row;
      const [from, to] = [row * width, (row + 1) * width];
      if (kind === 'yes-no') {
        const yes = values[from]! > threshold;
        this.labels[at] = Number(target[from]! > 0.5);
        this.answers[at] = Number(yes);
        if (this.sure) this.sure[at] = yes ? shares[from]! : 1 - shares[from]!;
        continue;
      }
      if (kind === 'numbers') {
        // It counts, but has no class.
        this.labels[at] = this.answers[at] = 0;
        continue;
      }
      if (kind === 'several') this.oneHot &&= isOneHot(target, from, to);
      this.labels[at] = argMax(target, from, to);
      this.answers[at] = argMax(values, from, to);
      if (this.sure) this.sure[at] = shares[from + this.answers[at]!]!;
    }
  }
}
