/** The points of a sweep: its listed combinations, each with each combination of the values it goes over. */
import { applyEdits, modify } from 'jsonc-parser';
import { UserError } from '../../protocol/errors.js';
import type { SweepFile, SweepValue, SweepValues } from '../../protocol/runs/sweep.js';
import { LIMITS } from '../limits.js';

/** "5" -> 5, "true" -> true, "5%" stays a text. */
function valueOf(text: string): SweepValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/**
 * "10%,5%" -> its parts; "0..4" -> 0, 1, 2, 3, 4. A part may be a range too.
 * @throws UserError('usage') for an empty part, a range that goes down, or one of more values than a sweep may have points.
 */
export function valuesOf(key: string, text: string): SweepValue[] {
  return text.split(',').flatMap((part): SweepValue[] => {
    const trimmed = part.trim();
    if (trimmed === '')
      throw new UserError('usage', `"${key}": "${text}" has an empty value; give a list such as 10%,5%,1%`);
    const range = /^(-?\d+)\.\.(-?\d+)$/.exec(trimmed);
    if (!range) return [valueOf(trimmed)];
    const [from, to] = [Number(range[1]), Number(range[2])];
    if (to < from) throw new UserError('usage', `"${key}": the range ${trimmed} goes down; write ${to}..${from}`);
    requireFew(to - from + 1);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

function requireFew(points: number): void {
  if (points > LIMITS.sweepPoints)
    throw new UserError('usage', `the sweep has ${points} points; at most ${LIMITS.sweepPoints} can be run`);
}

/**
 * All points in order: the last key of `over` changes first.
 * @throws UserError('usage') if there is nothing to go over, a key is given twice, or there are too many points.
 */
export function sweepPoints({ over, points = [{}] }: Pick<SweepFile, 'over' | 'points'>): SweepValues[] {
  const axes = Object.entries(over).map(
    ([key, values]) => [key, typeof values === 'string' ? valuesOf(key, values) : values] as const,
  );
  if (axes.length === 0 && points.every((one) => Object.keys(one).length === 0))
    throw new UserError(
      'usage',
      'the sweep goes over nothing; give a key and its values: --over budget.keep=10%,5%,1%',
    );
  const twice = axes.find(([key]) => points.some((one) => key in one));
  if (twice) throw new UserError('usage', `"${twice[0]}" is both in "over" and in "points"; give it in one of them`);
  requireFew(axes.reduce((total, [, values]) => total * values.length, points.length));
  return axes.reduce<SweepValues[]>(
    (found, [key, values]) => found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [...points],
  );
}

/** The text of a plan with these values in it; comments stay. A key that the plan lacks is added. */
export function withValues(planText: string, values: SweepValues): string {
  return Object.entries(values).reduce((text, [key, value]) => {
    const path = key.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    return applyEdits(text, modify(text, path, value, {}));
  }, planText);
}

/** "budget.keep=5% seed=0": a point in words. */
export const pointText = (values: SweepValues): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
