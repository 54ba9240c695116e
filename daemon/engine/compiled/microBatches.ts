import type { Buffers } from './buffers.js';

/**
 * Computes a training batch in equal parts, one after the other, so that only one part is in memory at once. The mean of the parts' losses and
 * gradients is the batch's, up to rounding, unless something is computed over the whole batch (as by batch normalisation).
 */
export class MicroBatches {
  /** For the whole batch, as in `Buffers`: the graph's own buffers if there is one part. */
  readonly data: readonly Float32Array[];
  readonly target: Float32Array;
  readonly #sum: Float32Array;

  /** @param gradient the graph's gradient buffer; afterwards it holds the batch's. */
  constructor(
    private readonly io: Pick<Buffers, 'data' | 'target'>,
    private readonly parts: number,
    private readonly gradient: Float32Array,
  ) {
    const whole = (part: Float32Array) => (parts === 1 ? part : new Float32Array(parts * part.length));
    this.data = io.data.map(whole);
    this.target = whole(io.target);
    this.#sum = new Float32Array(parts === 1 ? 0 : gradient.length);
  }

  /** @param step computes the part in the graph's buffers. @returns the batch's mean loss. */
  async run(step: () => Promise<number>): Promise<number> {
    const { parts, gradient } = this;
    if (parts === 1) return step();
    const sum = this.#sum.fill(0);
    let loss = 0;
    for (let k = 0; k < parts; k++) {
      const load = (to: Float32Array, from: Float32Array) => to.set(from.subarray(k * to.length, (k + 1) * to.length));
      this.io.data.forEach((values, i) => load(values, this.data[i]!));
      load(this.io.target, this.target);
      loss += await step();
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + gradient[i]!;
    }
    for (let i = 0; i < sum.length; i++) gradient[i] = sum[i]! / parts;
    return loss / parts;
  }
}
