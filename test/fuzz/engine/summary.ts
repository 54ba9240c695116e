/** The table of a run. */
import type { Verdict } from './verdict.js';

export const isFailure = ({ kind }: Verdict): boolean => kind === 'differ' || kind === 'crash';

/** Counts words, the most frequent first. */
export function counted(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
}

const line = (count: number, of: number, words: string): string =>
  `${String(count).padStart(7)} ${((100 * count) / Math.max(of, 1)).toFixed(1).padStart(5)}%  ${words}`;

/** Drops the numbers, so that failures of one kind count as one. */
const kindOf = (what: string): string => what.replace(/-?\d+(\.\d+)?(e[-+]?\d+)?/g, 'n').slice(0, 150);

export function summaryOf(verdicts: readonly Verdict[]): string {
  const all = verdicts.length;
  const failures = verdicts.filter(isFailure);
  const reasons = counted(verdicts.flatMap(({ refusals }) => refusals));
  const notes = counted(verdicts.flatMap((verdict) => verdict.notes));
  return [
    `${all} networks, ${Math.round(verdicts.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / Math.max(all, 1))} ms each`,
    ...counted(verdicts.map(({ kind }) => kind)).map(([kind, count]) => line(count, all, kind)),
    ...(reasons.length > 0 ? ['refused:', ...reasons.map(([reason, count]) => line(count, all, reason))] : []),
    ...(notes.length > 0 ? ['excused:', ...notes.map(([note, count]) => line(count, all, note))] : []),
    ...(failures.length > 0 ? ['failures, by kind:'] : []),
    ...counted(failures.map(({ kind, what }) => `${kind}: ${kindOf(what ?? '')}`)).map(([kind, count]) => line(count, all, kind)), // prettier-ignore
  ].join('\n');
}
