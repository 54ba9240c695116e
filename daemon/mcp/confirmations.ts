/**
 * What takes long is started in two calls: the first starts nothing and gives the cost with a token, the second names the
 * token. Elicitation (a form that the client shows) would be one call, but many clients have none; two calls every client
 * can make, and those that ask their user before a tool runs show the cost that way, too.
 */
import { randomBytes } from 'node:crypto';
import { UserError } from '../protocol/errors.js';

/** Tokens kept; the oldest goes. */
const KEPT = 100;

interface Asked {
  /** What would be done, down to the plan's text. */
  readonly what: string;
  /** A call that is repeated (its answer got lost) starts nothing a second time. */
  done: Promise<string> | null;
}

export class Confirmations {
  readonly #asked = new Map<string, Asked>();

  /** @returns the token with which `what` may be done. */
  ask(what: string): string {
    const token = randomBytes(6).toString('hex');
    this.#asked.set(token, { what, done: null });
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > KEPT) this.#asked.delete(oldest!);
    return token;
  }

  /**
   * Does it, once for each token; what failed may be tried again.
   * @throws UserError('usage') for a token of something else, such as the plan before it was changed; what `act` throws.
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
