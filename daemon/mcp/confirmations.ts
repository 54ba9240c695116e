/**
 * Long work is started in two calls: the first starts nothing and returns the cost with a token, the second repeats the token. Elicitation (a form
 * that the client shows) would take one call, but many clients lack it. Every client can make two calls, and clients that ask their user before a
 * tool runs also show the cost.
 */
import { randomBytes } from 'node:crypto';
import { UserError } from '../protocol/errors.js';

/** Most tokens kept; the oldest is dropped. */
const KEPT = 100;

interface Asked {
  /** The work, down to the plan's text. */
  readonly what: string;
  /** A repeated call (whose answer was lost) starts nothing a second time. */
  done: Promise<string> | null;
}

export class Confirmations {
  readonly #asked = new Map<string, Asked>();

  /** @returns the token that confirms `what`. */
  ask(what: string): string {
    const token = randomBytes(6).toString('hex');
    this.#asked.set(token, { what, done: null });
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > KEPT) this.#asked.delete(oldest!);
    return token;
  }

  /**
   * Does the work, once for each token; after a failure the token can be used again.
   * @throws UserError('usage') for a token of other work, such as the plan before a change; the error of `act`.
   */
  once(token: string, what: string, act: () => Promise<string>): Promise<string> {
    const asked = this.#asked.get(token);
    if (!asked || asked.what !== what)
      throw new UserError(
        'usage',
        `"confirm": ${asked ? 'the plan or the arguments have changed since' : 'this token was not given by this server'}; call again without "confirm" to see what it costs now`,
        { field: 'confirm' },
      );
    const done = (asked.done ??= act());
    done.catch(() => (asked.done = null));
    return done;
  }
}
