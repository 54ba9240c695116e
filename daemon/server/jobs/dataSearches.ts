/**
 * Searches for data on behalf of quick fixes, which ask whenever the cursor moves: one search answers all requests during it and for some seconds
 * after. A search is bounded and ends by itself.
 */
import type { FoundData } from '../../protocol/dataChoice.js';
import type { Jobs } from './childJob.js';
import { LIMITS } from '../limits.js';

type Params = Jobs['searchData']['params'];

export class DataSearches {
  #last: { readonly key: string; readonly found: Promise<FoundData>; until: number } | undefined;

  constructor(private readonly run: (params: Params) => Promise<FoundData>) {}

  /** @throws as the job 'searchData'; the next request repeats a failed search. */
  search(
    model: Params['model'],
    place: { readonly workspace: string; readonly planFolder: string },
  ): Promise<FoundData> {
    const params = { model, ...place };
    const key = JSON.stringify(params);
    if (this.#last?.key === key && performance.now() < this.#last.until) return this.#last.found;
    const found = this.run(params);
    const own = (this.#last = { key, found, until: Infinity });
    found.then(
      () => (own.until = performance.now() + LIMITS.searchLifetime),
      () => (own.until = 0),
    );
    return found;
  }
}
