import type { ToHost } from '../messages/monitor.js';
import { acquireHost } from '../page/startPage.js';
import type { Settings } from './toolbar.js';

/** How the page was set, kept over a reload; which runs it shows the host remembers. */
export interface PageState extends Partial<Settings> {
  hidden?: string[];
  /** Charts whose vertical scale is not their usual one. */
  rescaled?: string[];
  /** Charts whose top is not cut off though it usually is, or the other way round. */
  recut?: string[];
  layer?: string | null;
}

export const host = acquireHost<ToHost, PageState>();
let state: PageState = host.state() ?? {};

export const post = (message: ToHost): void => host.post(message);

export const pageState = (): Readonly<PageState> => state;

export function remember(part: PageState): void {
  state = { ...state, ...part };
  host.remember(state);
}
