/** The sentence at the end of a finished run, for the command line, the page and the report. Pure. */
import type { Finish } from './finish.js';
import { bytes, percent, points, times } from './format.js';

const weightsPart = ({ kept, prunable }: Finish): string => {
  if (kept >= prunable) return 'all weights kept';
  return kept === 0 ? 'no weights kept' : `${times(prunable / kept)}x fewer weights`;
};

/** Factors this close to 1 count as equal. */
const ALIKE = 1.05;

function speedPart({ speed }: Finish): string | null {
  if (!speed) return null;
  const where = speed.here ? 'here' : `on ${speed.machine}`;
  if (speed.times >= ALIKE) return `${times(speed.times)}x faster ${where}`;
  return speed.times > 1 / ALIKE ? `as fast ${where}` : `${times(1 / speed.times)}x slower ${where}`;
}

const PARTS = { test: 'test', validation: 'validation', train: 'training' } as const;

/** The part of the data that an error is of, as in sentences. */
export const partName = (set: keyof typeof PARTS): string => PARTS[set];

function errorPart({ error, referenceError, regression, unlabelled, set }: Finish): string | null {
  const on = set === null ? '' : ` (${partName(set)})`;
  if (error === null) return `no finite error${on}`;
  if (unlabelled)
    return regression
      ? `${percent(error)} of the variance of the reference's answers unexplained${on}`
      : `${percent(error)} of the samples answered differently from the reference${on}`;
  if (referenceError === null) return null;
  const difference = error - referenceError;
  if (difference === 0) return `as good as the reference${on}`;
  const how = regression
    ? `${difference < 0 ? 'less' : 'more'} of the variance unexplained than by the reference`
    : `${difference < 0 ? 'better' : 'worse'} than the reference`;
  return `${points(difference)} points ${how}${on}`;
}

/** "100x fewer weights, 26 kB instead of 1.02 MB, 13x faster here, 0.24 points better than the reference (test)". */
export function finishText(finish: Finish): string {
  const { size } = finish;
  const sized = size && `${bytes(size.bytes)} instead of ${bytes(size.reference)}`;
  return [weightsPart(finish), sized, speedPart(finish), errorPart(finish)].filter((part) => part !== null).join(', ');
}
