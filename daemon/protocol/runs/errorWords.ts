/**
 * What the figure called error is: of data without labels (`"labels": false`) it is the share of samples that the reference answers otherwise, and
 * every text says so. Pure.
 */
import { shortPercent } from '../format.js';

/** "1.2% error", "1.2% unlike the reference". */
export const errorWords = (error: number, unlabelled = false): string =>
  `${shortPercent(error)} ${unlabelled ? UNLIKE : 'error'}`;

/** Heads a column of such shares. */
export const UNLIKE = 'unlike the reference';
