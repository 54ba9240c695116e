/** Messages between the page of what pruning changed (extension/whatChanged) and its host. */
import type { TriedAnswer, WhatChanged } from '../../daemon/protocol/whatChanged.js';

export type ToChangedPage =
  /** The run's name; its answers are being compared from now on. */
  | { type: 'run'; name: string }
  | { type: 'progress'; done: number; total: number }
  /** `tryIt`: the user opened the page to try a sample. */
  | { type: 'changed'; changed: WhatChanged; tryIt: boolean }
  /** Why nothing can be shown, or that it was cancelled. */
  | { type: 'problem'; message: string }
  | { type: 'tried'; answer: TriedAnswer }
  | { type: 'tryProblem'; message: string };

export type FromChangedPage =
  | { type: 'ready' }
  | { type: 'compute' }
  | { type: 'cancel' }
  /** An image file that the host asks for. */
  | { type: 'tryFile' }
  /** Stored values, one row for each input. */
  | { type: 'tryValues'; inputs: number[][] }
  | { type: 'failure'; message: string };
