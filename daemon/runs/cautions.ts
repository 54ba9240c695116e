/** What of a run's log must be known before its result is used: findings of its judgement, and warnings on the way to it. */
import type { Caution } from '../protocol/cautions.js';
import type { Finding, RunEvent } from '../protocol/events.js';
import type { LastEvents } from './eventLog.js';

/** A result that is good all the same: the LC algorithm had not settled, or there is little to judge it by. */
const MILD: readonly Finding['code'][] = ['not-converged', 'support-changing', 'few-samples'];

/** Warnings of the log that the result answers for, gravest first; the others are notes in it. */
const GRAVE: readonly string[] = ['at-chance', 'diverged', 'rate-raises-loss'];

type Warning = Extract<RunEvent, { event: 'warning' }>;

/**
 * The cautions of a run, the gravest first: of a finished one its findings, of every one what its log warns of. A rate that
 * a run failed with, or was given up with, is no way out: smaller ones were tried.
 */
export function cautionsOf({ state, warnings }: Pick<LastEvents, 'state' | 'warnings'>): { cautions?: Caution[] } {
  const findings = state?.event === 'done' ? (state.findings ?? []) : [];
  const ofFinding = ({ code, message }: Finding): Caution => ({ code, message, serious: !MILD.includes(code) });
  const ofWarning = ({ code, message, rate }: Warning): Caution => ({
    code,
    message,
    serious: true,
    ...(rate && state?.event !== 'failed' && { rate }),
  });
  const all = [
    // What makes the result useless comes before how it came to that.
    ...findings.filter(({ unusable }) => unusable).map(ofFinding),
    ...GRAVE.flatMap((code) => warnings.get(code) ?? []).map(ofWarning),
    ...findings.filter(({ unusable }) => !unusable).map(ofFinding),
  ].sort((a, b) => Number(b.serious) - Number(a.serious));
  return all.length > 0 ? { cautions: all } : {};
}
