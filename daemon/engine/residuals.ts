/** The unexplained variance of a regression, accumulated batch by batch in float64. */
export class Residuals {
  private squares = 0;
  private absolute = 0;
  private count = 0;
  /** For every output: the first target, and sums of the differences from it, so that a large mean does not cancel digits. */
  private readonly origin: Float64Array;
  private readonly sums: Float64Array;
  private readonly sumsOfSquares: Float64Array;
  /** Targets of each output. */
  private readonly counts: Float64Array;

  /** @param size values of one sample's output. */
  constructor(private readonly size: number) {
    this.origin = new Float64Array(size);
    this.sums = new Float64Array(size);
    this.sumsOfSquares = new Float64Array(size);
    this.counts = new Float64Array(size);
  }

  /** The first `samples` samples of two buffers. @param mask of their rows of `width` values: those of 0 are left out. */
  add(output: Float32Array, target: Float32Array, samples: number, mask: Float32Array | null = null, width = 1): void {
    const { size, origin, sums, sumsOfSquares, counts } = this;
    for (let i = 0; i < samples * size; i++) {
      if (mask?.[Math.floor(i / width)] === 0) continue;
      const [y, at] = [target[i]!, i % size];
      if (counts[at]!++ === 0) origin[at] = y;
      this.count++;
      const residual = output[i]! - y;
      this.squares += residual * residual;
      this.absolute += Math.abs(residual);
      const d = y - origin[at]!;
      sums[at]! += d;
      sumsOfSquares[at]! += d * d;
    }
  }

  /** 1 - R^2 over all outputs together; for constant targets, 0 if all are predicted exactly, else 1. */
  get unexplained(): number {
    let variation = 0;
    for (let i = 0; i < this.size; i++)
      variation += this.sumsOfSquares[i]! - this.sums[i]! ** 2 / Math.max(1, this.counts[i]!);
    if (variation > 0) return this.squares / variation;
    return this.squares > 0 ? 1 : this.squares;
  }

  get meanAbsolute(): number {
    return this.absolute / Math.max(1, this.count);
  }
}
