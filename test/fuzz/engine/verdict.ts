/** The result of comparing the engines on one network. */
import type { EngineName } from './engines.js';
import type { Network } from './networks/network.js';

export interface Verdict {
  readonly seed: number;
  /** Overflow: in float64 too the numbers are not finite, or beyond float32. */
  readonly kind: 'agree' | 'refused' | 'differ' | 'crash' | 'overflow';
  /** For `differ` and `crash`: the quantity and the size of the difference. */
  readonly what?: string;
  /** Why an engine does not take the network, without names and sizes: "native: no native kernel for Add so broadcast". */
  readonly refusals: readonly string[];
  /** The excuse: "kink", "rounding". */
  readonly notes: readonly string[];
  readonly milliseconds: number;
  /** The network, if it was not drawn from a seed. */
  readonly network?: Network;
}

/** One number or tensor that engines computed, beside float64. */
export interface Quantity {
  readonly name: string;
  readonly found: Partial<Record<EngineName, ArrayLike<number>>>;
  readonly exact: ArrayLike<number>;
  /** The same in float64 with random rounding, for a seed. */
  noisy(seed: number): ArrayLike<number>;
  /** An error this large is nothing, whatever the quantity's own size. */
  readonly floor?: number;
}
