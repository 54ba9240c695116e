import { placeInRun, type Continuation, type Ending } from '../protocol/ending.js';
import type { Progress } from './state.js';

/**
 * The record of a continuation: a change of engine, or a preceding crash. A kill from outside does not affect the numbers and is not recorded.
 * @param engines before and after, and whether they draw the same dropout masks. `auto` before: none had been chosen yet.
 * @param endings of the trainers since the last one that reported its end itself, oldest first.
 * @param progress of the checkpoint that the run continues from; null: from its beginning.
 */
export function continuation(
  engines: { readonly from: string; readonly to: string; readonly drawAlike: boolean },
  endings: readonly Ending[],
  progress: Progress | null,
): Continuation | null {
  const { to } = engines;
  const from = engines.from === 'auto' ? (endings[0]?.engine ?? to) : engines.from;
  const changed = from !== to;
  const reasons = endings.filter(({ cause }) => changed || cause === 'crash');
  if (!changed && reasons.length === 0) return null;
  const where = placeInRun(progress?.phase ?? null, progress?.iteration);
  const after = reasons.map(({ engine, how }) => (engine === from ? how : `${how} of ${engine}`)).join(' and ');
  return {
    from,
    to,
    phase: progress?.phase ?? null,
    iteration: progress?.iteration ?? 0,
    endings: reasons.map(({ engine, how }) => ({ engine, how })),
    message: changed
      ? `engine changed from ${from} to ${to} ${where} ${after ? `after ${after}` : 'as asked'}: ${difference(engines.drawAlike)}`
      : `the trainer ended by ${after}; the run went on with ${to} ${where}`,
  };
}

function difference(drawAlike: boolean): string {
  const bits = 'the last bits of its numbers may be others than on one engine';
  return drawAlike ? bits : `${bits}, and dropout masks and noise, where the model has any, are drawn otherwise`;
}
