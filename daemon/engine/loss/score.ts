/** Loss and error of one output over batches that are read back, in float64. */
import type { OutputResult } from '../engine.js';
import { Residuals } from '../residuals.js';
import type { Head } from '../../model/setup/loss.js';
import { classifies, type TrainedOutput } from './jointLoss.js';
import { errorOf, tallyBatch, type Tally } from './tally.js';
import { sizeOf } from '../../protocol/shape.js';

export class Score {
  private readonly tally: Tally = { loss: 0, wrong: 0, rows: 0 };
  private readonly residuals: Residuals | null;
  /** Of a row, and of a sample. */
  private readonly width: number;
  private readonly size: number;

  /** @param shape of the output of one sample. */
  constructor(
    private readonly output: TrainedOutput,
    private readonly head: Head,
    shape: readonly number[],
  ) {
    this.width = shape.at(-1) ?? 1;
    this.size = sizeOf(shape);
    this.residuals = classifies(output) ? null : new Residuals(this.size);
  }

  /** The first `samples` of the buffers. @param values before the head. @param mask of the rows: those of 0 are left out. */
  add(values: Float32Array, target: Float32Array, samples: number, mask: Float32Array | null): void {
    const { tally, head, width, output } = this;
    const rows = samples * (this.size / width);
    tallyBatch(tally, output.loss, head, values, target, rows, width, output.lossSettings, mask);
    this.residuals?.add(values, target, samples, mask, width);
  }

  result(): OutputResult {
    const { tally, residuals } = this;
    const { output, weight } = this.output;
    const rows = Math.max(1, tally.rows);
    const loss = tally.loss / rows;
    if (!residuals) return { output, weight, loss, error: errorOf(tally) };
    return { output, weight, loss, error: residuals.unexplained, absoluteError: residuals.meanAbsolute };
  }
}
