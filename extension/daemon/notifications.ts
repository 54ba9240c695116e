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
 * Passes every notification of the daemon to all listeners, over any number of daemon processes. A language client keeps one handler a method, so
 * each session registers one that ends here (`Session.open`), and no other code registers handlers.
 */
export class NotificationHub {
  readonly #listeners = new Set<Listener>();

  /** @param failed is called with the error of a listener that throws; the other listeners still get the notification. */
  constructor(private readonly failed: (error: unknown) => void) {}

  on<N extends NotificationMethod>(method: N, handle: (payload: Payload<N>) => void): vscode.Disposable {
    const listener: Listener = { method, handle };
    this.#listeners.add(listener);
    return new vscode.Disposable(() => this.#listeners.delete(listener));
  }

  emit<N extends NotificationMethod>(method: N, payload: Payload<N>): void {
    for (const listener of [...this.#listeners]) {
      // An earlier listener may have removed this one.
      if (listener.method !== method || !this.#listeners.has(listener)) continue;
      try {
        (listener.handle as (payload: Payload<N>) => void)(payload);
      } catch (error) {
        this.failed(error);
      }
    }
  }
}
