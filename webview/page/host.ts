import type { ToHost, ToPage } from '../messages/monitor.js';
import type { Settings } from '../monitor/toolbar.js';

/** How the page was set, kept over a reload; which runs it shows the host remembers. */
export interface PageState extends Partial<Settings> {
  hidden?: string[];
  /** Charts whose vertical scale is not their usual one. */
  rescaled?: string[];
  /** Charts whose top is not cut off though it usually is, or the other way round. */
  recut?: string[];
  layer?: string | null;
}

interface VsCodeApi {
  postMessage(message: ToHost): void;
  getState(): PageState | undefined;
  setState(state: PageState): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

const api = acquireVsCodeApi();
let state: PageState = api.getState() ?? {};

export const post = (message: ToHost): void => api.postMessage(message);

export const pageState = (): Readonly<PageState> => state;

export function remember(part: PageState): void {
  state = { ...state, ...part };
  api.setState(state);
}

/** Messages of the host; the page's own origin only, as a frame inside could post too. */
export function listen(handle: (message: ToPage) => void): void {
  addEventListener('message', (event: MessageEvent<ToPage>) => {
    if (typeof event.data === 'object' && event.data !== null && 'type' in event.data) handle(event.data);
  });
}
