import * as vscode from 'vscode';
import type { z } from 'zod';
import type { Notifications } from '../../daemon/protocol/messages.js';

export type NotificationMethod = keyof Notifications;
export type Payload<N extends NotificationMethod> = z.infer<Notifications[N]>;

interface Listener {
  readonly method: NotificationMethod;
  readonly handle: (payload: never) => void;
}

/**
 * Hands every notification of the daemon to everybody who listens, over any number of daemon lives. A language client keeps one
 * handler a method, so a session registers one that ends here (`Session.open`), and nobody else registers with it.
 */
export class NotificationHub {
  readonly #listeners = new Set<Listener>();

  /** @param failed told of what a listener throws; the others get the notification all the same. */
  constructor(private readonly failed: (error: unknown) => void) {}

  on<N extends NotificationMethod>(method: N, handle: (payload: Payload<N>) => void): vscode.Disposable {
    const listener: Listener = { method, handle };
    this.#listeners.add(listener);
    return new vscode.Disposable(() => this.#listeners.delete(listener));
  }

  emit<N extends NotificationMethod>(method: N, payload: Payload<N>): void {
    for (const listener of [...this.#listeners]) {
      // One before it may have ended it.
      if (listener.method !== method || !this.#listeners.has(listener)) continue;
      try {
        (listener.handle as (payload: Payload<N>) => void)(payload);
      } catch (error) {
        this.failed(error);
      }
    }
  }
}
