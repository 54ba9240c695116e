/** Error codes from the user's point of view. `internal` is a fault of this product; for all others the user has a way out. */
export type ErrorCode =
  | 'plan-invalid'
  | 'model-missing'
  | 'model-invalid'
  | 'model-unsupported'
  | 'data-missing'
  | 'data-invalid'
  | 'budget-impossible'
  | 'path-outside-workspace'
  | 'run-missing'
  | 'run-invalid'
  | 'engine-unavailable'
  | 'engine-failed'
  | 'disk'
  | 'diverged'
  | 'usage';

/**
 * An error the user can act on. `message` is one line that names the file, the field and the way out.
 * The CLI prints it and exits with 2; the daemon answers a JSON-RPC error with it; nothing has been written.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: { file?: string; field?: string; hint?: string } = {},
  ) {
    super(message);
  }
}
