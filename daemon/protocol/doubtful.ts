/** Without validators: the page and the extension's activation have it too. */
import type { Caution } from './cautions.js';

/** Whether a run that has finished must not look like a success: something serious speaks against its result. */
export const isDoubtful = ({
  state,
  cautions = [],
}: {
  state: string;
  cautions?: readonly Caution[] | undefined;
}): boolean => state === 'done' && cautions.some(({ serious }) => serious);
