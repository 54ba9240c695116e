import type { CompressionTask } from './compression.js';
import { gather, joinRanges, taskRanges, viewSize } from './view.js';

export interface Distance {
  /** ||w - theta||. */
  readonly distance: number;
  /** ||w - theta|| / ||w||; 0 when w = theta = 0. */
  readonly ratio: number;
}

/** The distance of w from theta over the tasks' weights; float64 sums. A NaN gives NaN. */
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

/** Number of weights that a task keeps, over its ranges: theta's non-zeros, or what its compression reports. */
function keptOf({ ranges, compression }: CompressionTask, theta: Float32Array): Uint8Array {
  const joined = joinRanges(ranges);
  const view = new Float32Array(viewSize(joined));
  gather(theta, joined, view);
  const kept = new Uint8Array(view.length);
  if (compression.support) compression.support(view, kept);
  else for (let i = 0; i < view.length; i++) kept[i] = view[i] === 0 ? 0 : 1;
  return kept;
}

/**
 * Writes theta's support (1 where theta is not 0; whole groups if groups are kept) into `support` over the tasks' ranges.
 * @param support flat, same length as theta; changes are counted against its former content.
 * @returns how many entries changed.
 */
export function updateSupport(tasks: readonly CompressionTask[], theta: Float32Array, support: Uint8Array): number {
  let changes = 0;
  for (const task of tasks) {
    const kept = keptOf(task, theta);
    let at = 0;
    for (const { start, end } of joinRanges(task.ranges)) {
      for (let i = start; i < end; i++, at++) {
        changes += kept[at]! ^ support[i]!;
        support[i] = kept[at]!;
      }
    }
  }
  return changes;
}

export interface StopSettings {
  /** Bound on ||w - theta|| / ||w||. */
  readonly tolerance: number;
  /** LC iterations in a row for which the support must have been stable. */
  readonly stableIterations: number;
}

/**
 * Changes of the support per weight kept, in one LC iteration, up to which it counts as stable. Weights about as large as the smallest kept ones swap
 * at every C step, and their number grows with the network; once w and theta agree, the swapped weights are smaller than the distance.
 */
const STABLE_SHARE = 0.1;

/** @param changes entries that appeared or vanished in one LC iteration. @param kept entries in the support. */
export const isStable = (changes: number, kept: number): boolean => changes <= STABLE_SHARE * kept;

/** Stops the loop when w and theta agree and the support has been stable. `state` is plain JSON for a checkpoint. */
export interface StopTest {
  /** Call it once per LC iteration, after the C step. */
  update(ratio: number, supportChange: number, kept: number): boolean;
  readonly state: { readonly stable: number };
}

/** @param state of an earlier test, to continue an interrupted run. */
export function createStopTest(settings: StopSettings, state = { stable: 0 }): StopTest {
  let { stable } = state;
  return {
    update(ratio, supportChange, kept) {
      stable = isStable(supportChange, kept) ? stable + 1 : 0;
      return ratio < settings.tolerance && stable >= settings.stableIterations;
    },
    get state() {
      return { stable };
    },
  };
}
