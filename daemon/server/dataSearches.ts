/** The last search for data, kept for some seconds: an editor asks for quick fixes whenever the cursor moves. */
import type { DataSearch } from '../protocol/dataChoice.js';
import type { Jobs } from './childJob.js';

const LIFETIME = 10_000;

type Params = Jobs['searchData']['params'];

export class DataSearches {
  #kept: { readonly key: string; readonly until: number; readonly found: DataSearch } | undefined;

  constructor(private readonly run: (params: Params, signal: AbortSignal) => Promise<DataSearch>) {}

  /** @throws as `searchData`, or the signal's reason. */
  async search(
    model: Params['model'],
    place: { readonly workspace: string; readonly planFolder: string },
    signal: AbortSignal,
  ): Promise<DataSearch> {
    const params = { model, ...place };
    const key = JSON.stringify(params);
    if (this.#kept?.key === key && performance.now() < this.#kept.until) return this.#kept.found;
    const found = await this.run(params, signal);
    this.#kept = { key, until: performance.now() + LIFETIME, found };
    return found;
  }
}
