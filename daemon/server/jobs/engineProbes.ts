import type { Probes } from './childJob.js';
import { LIMITS } from '../limits.js';

/** The latest probe of each set of folders, shared by all clients. */
export class EngineProbes {
  readonly #known = new Map<string, Promise<Probes>>();

  constructor(readonly run: (folders: readonly string[]) => Promise<Probes>) {}

  /** @throws UserError('engine-unavailable') when the probing child fails; the next call tries again. */
  probe(folders: readonly string[]): Promise<Probes> {
    const key = folders.join('\0');
    let probes = this.#known.get(key);
    if (!probes) {
      probes = this.run(folders);
      this.#known.set(key, probes);
      const forget = () => this.#known.delete(key);
      probes.then(() => setTimeout(forget, LIMITS.probeLifetime).unref(), forget);
    }
    return probes;
  }
}
