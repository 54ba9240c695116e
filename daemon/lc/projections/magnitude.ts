/**
 * Magnitude pruning needs no code of its own: it is the direct compression (cStep.ts) of an l0 budget, global or per
 * layer, followed by retraining. What its reports count is here.
 */
import type { Range } from '../compression.js';
import { countNonZeros } from './select.js';

/** Non-zero weights of theta in a range. */
export const keptIn = (theta: Float32Array, { start, end }: Range): number => countNonZeros(theta.subarray(start, end));
