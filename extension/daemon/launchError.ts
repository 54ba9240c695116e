export type LaunchProblem = 'bad-node' | 'missing-file' | 'exited' | 'junk' | 'late' | 'protocol' | 'refused';

/** Why the daemon did not come up, in words that say what to do. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  constructor(
    readonly problem: LaunchProblem,
    message: string,
  ) {
    super(message);
  }
}
