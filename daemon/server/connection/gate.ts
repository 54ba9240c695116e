/** The life cycle of a connection: initialize, then requests, then shutdown, then exit; each id is answered once. */
import { ErrorCodes, LSPErrorCodes } from 'vscode-languageserver-protocol/node';
import { LIMITS } from '../limits.js';
import type { MessageId } from './parseMessage.js';

export type Verdict = 'pass' | 'drop' | { readonly code: number; readonly message: string };

interface Incoming {
  readonly method?: string;
  readonly id?: MessageId | null;
}

export class Gate {
  #state: 'new' | 'initializing' | 'ready' | 'shutdown' = 'new';
  readonly #waiting = new Map<string, string>();

  /** Whether a message may go to the handlers; an error is the answer to a request that may not. */
  admit(message: Incoming): Verdict {
    if (message.method === undefined) return 'pass';
    if (message.id === undefined || message.id === null) {
      return this.#state === 'ready' || message.method === 'exit' ? 'pass' : 'drop';
    }
    const error = this.#objection(message.method, message.id);
    if (error) return error;
    // "1" and 1 are one id here: the JSON-RPC library's queue does not distinguish them.
    this.#waiting.set(String(message.id), message.method);
    if (message.method === 'initialize') this.#state = 'initializing';
    if (message.method === 'shutdown') this.#state = 'shutdown';
    return 'pass';
  }

  /** A response was sent. */
  answered(id: MessageId | null, failed: boolean): void {
    const method = this.#waiting.get(String(id));
    this.#waiting.delete(String(id));
    if (method === 'initialize') this.#state = failed ? 'new' : 'ready';
  }

  #objection(method: string, id: MessageId): Exclude<Verdict, string> | null {
    if (this.#waiting.has(String(id))) return { code: ErrorCodes.InvalidRequest, message: `id ${id} is in use` };
    if (this.#waiting.size >= LIMITS.inFlight) {
      return { code: LSPErrorCodes.RequestFailed, message: `${LIMITS.inFlight} requests are waiting already` };
    }
    if (this.#state === 'shutdown') return { code: ErrorCodes.InvalidRequest, message: 'the connection is shut down' };
    if (method === 'initialize') {
      return this.#state === 'new' ? null : { code: ErrorCodes.InvalidRequest, message: 'initialized already' };
    }
    return this.#state === 'ready'
      ? null
      : { code: ErrorCodes.ServerNotInitialized, message: 'the first request is "initialize"' };
  }
}
