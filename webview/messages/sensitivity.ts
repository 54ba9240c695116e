/** Messages between the page of a plan's sensitivity (extension/sensitivity) and its host. */
import type { Sensitivity } from '../../daemon/protocol/layers/sensitivity.js';

/** Shares by layer; a layer that is absent has no floor. */
export type Floors = Readonly<Record<string, number>>;

export type ToSensitivityPage =
  /** The plan's name; its layers are being measured from now on. */
  | { type: 'plan'; name: string }
  | { type: 'progress'; done: number; total: number }
  | { type: 'sensitivity'; sensitivity: Sensitivity }
  /** Why nothing can be shown, or that it was cancelled. */
  | { type: 'problem'; message: string }
  /** What the budget means with the floors of the request `turn`, and why it cannot be met. `kappa`: the number of weights that it keeps. */
  | { type: 'checked'; turn: number; text: string; kappa: number | null; problem: string | null }
  | { type: 'written' }
  | { type: 'writeProblem'; message: string };

export type FromSensitivityPage =
  | { type: 'ready' }
  | { type: 'compute' }
  | { type: 'cancel' }
  | { type: 'check'; turn: number; floors: Floors }
  | { type: 'write'; floors: Floors }
  /** The table as the command line prints it. */
  | { type: 'asText' }
  | { type: 'failure'; message: string };
