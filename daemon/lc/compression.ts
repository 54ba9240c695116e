/**
 * The C step's contract. theta = argmin over theta of mu/2 ||v - theta||^2 subject to (or plus) the cost, where
 * v = w - lambda/mu. See docs/lc-algorithm.md.
 */
export interface Compression {
  /** Description for users: "l0 constraint, kappa = 2662 of 266200". */
  readonly description: string;
  /** For users: which of the budget's defaults did not fit. */
  readonly notes?: readonly string[];
  /**
   * Writes the projection of v into theta (same length; may be the same array). mu matters to penalty forms only.
   * @throws RangeError when v holds a NaN or an infinity, or a penalty form gets mu <= 0; theta is then undefined.
   */
  project(v: Float32Array, mu: number, theta: Float32Array): void;
  /** C(theta), in the unit of the budget. */
  cost(theta: Float32Array): number;
  /** Only if more than theta's non-zeros is kept: writes 1 for each weight that retraining may change, 0 for the rest. */
  support?(theta: Float32Array, kept: Uint8Array): void;
  /** Only if `project` is not exact: upper bound on how much ||v - theta||^2 of the last projection exceeds the optimum's. */
  readonly gap?: () => number;
}

/** Weights [start, end) of the flat vector. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Parameters + view + compression: the compression gets the ranges concatenated. */
export interface CompressionTask {
  readonly name: string;
  readonly ranges: readonly Range[];
  readonly compression: Compression;
}
