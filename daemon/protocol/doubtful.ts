/** Without validators: the page and the extension's activation have it too. */
import type { Caution } from './cautions.js';

/** Whether a finished run must not be shown as a success, because a finding makes its result doubtful. */
export const isDoubtful = ({
  state,
  cautions = [],
}: {
  state: string;
  cautions?: readonly Caution[] | undefined;
}): boolean => state === 'done' && cautions.some(({ serious }) => serious);
