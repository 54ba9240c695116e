/** Cautions that a user must know before using a run's result: findings on the result, and warnings from the run's log. */
import type { Caution } from '../protocol/cautions.js';
import type { Finding, RunEvent } from '../protocol/events.js';
import type { LastEvents } from './eventLog.js';

/** Findings of a usable result: the LC algorithm had not settled, or there was little data to judge it by. */
const MILD: readonly Finding['code'][] = ['not-converged', 'support-changing', 'few-samples'];

/** Warnings of the log that affect the result, gravest first; the others remain notes in the log. */
const GRAVE: readonly string[] = ['at-chance', 'diverged', 'rate-raises-loss'];

type Warning = Extract<RunEvent, { event: 'warning' }>;

/**
 * The cautions of a run, the gravest first: the findings of a finished run, else the warnings of the log. A learning rate with which a run failed, or
 * that it gave up, is not proposed: smaller ones were tried.
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
    // What makes the result unusable comes before its causes.
    ...findings.filter(({ unusable }) => unusable).map(ofFinding),
    ...GRAVE.flatMap((code) => warnings.get(code) ?? []).map(ofWarning),
    ...findings.filter(({ unusable }) => !unusable).map(ofFinding),
  ].sort((a, b) => Number(b.serious) - Number(a.serious));
  return all.length > 0 ? { cautions: all } : {};
}
