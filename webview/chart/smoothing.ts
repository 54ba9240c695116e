/**
 * Debiased exponential moving average: s_i = beta s_{i-1} + (1 - beta) x_i, y_i = s_i / (1 - beta^n) with n the finite
 * values so far, so the curve starts at the first value instead of at zero. Values that are not finite stay as they are
 * and do not enter the average. Keeps its state: appending costs only the new rows.
 */
export class Smoother {
  #out = new Float64Array(0);
  #done = 0;
  #sum = 0;
  #weight = 0;

  constructor(readonly beta: number) {
    if (!(beta >= 0 && beta < 1)) throw new RangeError(`Smoothing must lie in [0, 1): ${beta}`);
  }

  /** The average of `values`, whose first rows must be those of the last call. */
  extend(values: Float64Array): Float64Array {
    if (values.length < this.#done) this.reset();
    if (values.length > this.#out.length) {
      const larger = new Float64Array(Math.max(values.length, this.#out.length * 2));
      larger.set(this.#out.subarray(0, this.#done));
      this.#out = larger;
    }
    for (let i = this.#done; i < values.length; i++) {
      const x = values[i]!;
      if (!Number.isFinite(x)) {
        this.#out[i] = x;
        continue;
      }
      this.#sum = this.beta * this.#sum + (1 - this.beta) * x;
      this.#weight = this.beta * this.#weight + (1 - this.beta);
      this.#out[i] = this.#sum / this.#weight;
    }
    this.#done = values.length;
    return this.#out.subarray(0, this.#done);
  }

  reset(): void {
    this.#done = 0;
    this.#sum = 0;
    this.#weight = 0;
  }
}
