export type LaunchProblem = 'bad-node' | 'missing-file' | 'exited' | 'junk' | 'late' | 'protocol' | 'refused';

/** Whether an error is a LaunchError, also one from the other bundle, which has a class of its own. */
export const isLaunchError = (error: unknown): error is LaunchError =>
  error instanceof Error && error.name === 'LaunchError';

/** Why the daemon did not start, and what to do about it. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  constructor(
    readonly problem: LaunchProblem,
    message: string,
  ) {
    super(message);
  }
}
