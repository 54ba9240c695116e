import { UserError } from '../../protocol/errors.js';

/** @throws UserError('run-invalid') if a resumed plan's model or data has changed since the run started. */
export function unchanged(what: 'model' | 'data', before: string | null, now: string): string {
  if (before !== null && before !== now) {
    throw new UserError(
      'run-invalid',
      `the ${what} has changed since this run started; restore it, or start a new run`,
    );
  }
  return now;
}
