import type { Compression } from './compression.js';

/** A file whose size depends on the positions of the kept weights. */
export interface BytesBudget {
  readonly bytes: number;
  /** This many fit at any positions (the fixed width of positions has room for them): the search begins here. */
  readonly least: number;
  /** Weights kept at most, whatever their size. */
  readonly most: number;
  /** The C step that keeps at most kappa weights. */
  compression(kappa: number): Compression;
  /** Size of the file that holds this theta; grows with kappa. */
  encodedBytes(theta: Float32Array): number;
  /** Tolerance of the largest kappa, as a share of it; 0: exactly the largest. */
  readonly tolerance: number;
}

/** Most kappas evaluated in a search: every other step at least halves the bracket. */
const STEPS = 64;

/**
 * Bytes of a file with variable-length positions: theta = the projection that `compression(kappa)` makes, for the largest
 * kappa whose file fits. Every file it makes is within the budget; for plain l0 no larger kappa's is, since adding a weight
 * never makes the file shorter. (It is not the projection onto all thetas whose file fits: smaller weights at places that
 * are cheap to write are not preferred.) The search starts anew each time, so the result depends on v alone.
 */
export function bytesConstraint(size: number, budget: BytesBudget): Compression {
  const { bytes, least, most, tolerance } = budget;
  const input = new Float32Array(size);
  const sample = budget.compression(most);
  // Where each weight takes most room, the smallest number fits.
  const { notes } = budget.compression(least);
  return {
    description: `at most ${bytes} bytes in the file`,
    ...(notes && { notes: notes.map((note) => `unless the file packs its positions closely, ${note}`) }),
    project(v, mu, theta) {
      input.set(v);
      const bytesAt = (kappa: number): number => {
        budget.compression(kappa).project(input, mu, theta);
        return budget.encodedBytes(theta);
      };
      let high = { kappa: most, bytes: bytesAt(most) };
      if (high.bytes <= bytes) return;
      let low = { kappa: least, bytes: bytesAt(least) };
      while (low.bytes > bytes && low.kappa > 0) {
        high = low;
        const kappa = Math.floor(0.9 * low.kappa);
        low = { kappa, bytes: bytesAt(kappa) };
      }
      let last = low.kappa;
      for (let step = 0; step < STEPS && high.kappa - low.kappa > Math.max(1, tolerance * low.kappa); step++) {
        // The size is almost linear in kappa: interpolates, and bisects when interpolation converges slowly.
        const share = (bytes - low.bytes) / (high.bytes - low.bytes);
        const guess = low.kappa + Math.floor((step % 3 === 2 ? 0.5 : share) * (high.kappa - low.kappa));
        last = Math.min(high.kappa - 1, Math.max(low.kappa + 1, guess));
        const found = { kappa: last, bytes: bytesAt(last) };
        if (found.bytes <= bytes) low = found;
        else high = found;
      }
      if (last !== low.kappa) bytesAt(low.kappa);
    },
    cost: (theta) => budget.encodedBytes(theta),
    ...(sample.support && { support: sample.support.bind(sample) }),
  };
}
