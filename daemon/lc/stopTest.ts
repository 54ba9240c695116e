import type { CompressionTask } from './compression.js';
import { taskRanges } from './view.js';

export interface Distance {
  /** ||w - theta||. */
  readonly distance: number;
  /** ||w - theta|| / ||w||; 0 when w = theta = 0. */
  readonly ratio: number;
}

/** How far w is from theta over the tasks' weights; float64 sums. NaN in, NaN out. */
export function distance(tasks: readonly CompressionTask[], w: Float32Array, theta: Float32Array): Distance {
  let difference = 0;
  let norm = 0;
  for (const { start, end } of taskRanges(tasks)) {
    for (let i = start; i < end; i++) {
      const x = w[i]!;
      const d = x - theta[i]!;
      difference += d * d;
      norm += x * x;
    }
  }
  return { distance: Math.sqrt(difference), ratio: difference === 0 ? 0 : Math.sqrt(difference / norm) };
}

/**
 * Writes theta's support (1 where theta is not 0) into `support` over the tasks' ranges.
 * @param support flat, same length as theta; what it held before is what the change is counted against.
 * @returns how many entries changed.
 */
export function updateSupport(tasks: readonly CompressionTask[], theta: Float32Array, support: Uint8Array): number {
  let changes = 0;
  for (const { start, end } of taskRanges(tasks)) {
    for (let i = start; i < end; i++) {
      const kept = theta[i]! !== 0 ? 1 : 0;
      changes += kept ^ support[i]!;
      support[i] = kept;
    }
  }
  return changes;
}

export interface StopSettings {
  /** Bound on ||w - theta|| / ||w||. */
  readonly tolerance: number;
  /** LC iterations in a row for which the support must not have changed. */
  readonly stableIterations: number;
}

/** Stops the loop when w and theta agree and the support has been stable. `state` is plain JSON for a checkpoint. */
export interface StopTest {
  /** To be told once per LC iteration, after its C step. */
  update(ratio: number, supportChange: number): boolean;
  readonly state: { readonly stable: number };
}

/** @param state of an earlier test, to continue an interrupted run. */
export function createStopTest(settings: StopSettings, state = { stable: 0 }): StopTest {
  let { stable } = state;
  return {
    update(ratio, supportChange) {
      stable = supportChange === 0 ? stable + 1 : 0;
      return ratio < settings.tolerance && stable >= settings.stableIterations;
    },
    get state() {
      return { stable };
    },
  };
}
