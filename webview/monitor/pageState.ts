import type { ToHost } from '../messages/monitor.js';
import { acquireHost } from '../page/startPage.js';
import type { Settings } from './toolbar.js';

/** The page's settings, kept over a reload; the host remembers which runs it shows. */
export interface PageState extends Partial<Settings> {
  hidden?: string[];
  /** Charts whose vertical scale is not their default. */
  rescaled?: string[];
  /** Charts for which cutting off the top was switched from its default. */
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
