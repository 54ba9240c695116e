/** Starts a page of the editor: it handles its host's messages, reports errors, and reports that it is ready. */

/** What the editor gives a page: messages to its host, and a state that outlives the page. */
export interface PageHost<From, State> {
  readonly post: (message: From | Ready | Failure) => void;
  /** undefined: nothing was stored. */
  readonly state: () => State | undefined;
  readonly remember: (state: State) => void;
}

interface Ready {
  readonly type: 'ready';
}
interface Failure {
  readonly type: 'failure';
  readonly message: string;
}

/** May be called once in a page. */
declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};

/** The API of the editor, fetched once. */
export function acquireHost<From, State = never>(): PageHost<From, State> {
  const api = acquireVsCodeApi();
  return {
    post: (message) => api.postMessage(message),
    state: () => api.getState() as State | undefined,
    remember: (state) => api.setState(state),
  };
}

/** @param make builds the page in its root element. */
export function startPage<To extends { type: string }, From, State = never>(
  host: PageHost<From, State>,
  make: (root: HTMLElement) => { receive(message: To): void },
): void {
  addEventListener('error', (event) =>
    host.post({ type: 'failure', message: String(event.error?.stack ?? event.message) }),
  );
  addEventListener('unhandledrejection', (event) =>
    host.post({ type: 'failure', message: String(event.reason?.stack ?? event.reason) }),
  );
  const page = make(document.getElementById('page')!);
  addEventListener('message', (event: MessageEvent<unknown>) => {
    // The editor itself posts messages too.
    if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) page.receive(event.data as To);
  });
  host.post({ type: 'ready' });
}
