/** The reference engine for comparisons, kept open while engines are chosen or checked. */
import type { Model } from '../model/model.js';
import type { EngineProvider, EngineSession, SessionSpec } from './engine.js';
import { trialBatch, trialSpec } from './trialSize.js';

/** The reference, opened for batches of `size`; the engine on trial must be opened for the same size. */
export interface Facing {
  readonly provider: EngineProvider;
  readonly session: EngineSession;
  readonly size: number;
  /** Samples a second, as far as it was timed. */
  rate?: number;
}

/** Why no comparison is possible. */
export interface NoReference {
  readonly reason: string;
  /** The reference could be opened, but not beside another engine. */
  readonly tooLarge: boolean;
}

export class Bench {
  #open: Facing | undefined;
  readonly #refused = new Map<EngineProvider, unknown>();

  constructor(
    private readonly providers: readonly EngineProvider[],
    private readonly model: Model,
    private readonly spec: SessionSpec,
  ) {}

  /** The engine is excluded, as a reference too. */
  refuse(provider: EngineProvider, error: unknown): void {
    this.#refused.set(provider, error);
  }

  /** Why the engine is excluded; undefined if it is not. */
  refusal(provider: EngineProvider): unknown {
    return this.#refused.get(provider);
  }

  /** Whether this engine is the reference: the first one with that trait that has not been excluded. */
  isReference(provider: EngineProvider): boolean {
    return this.#references()[0] === provider;
  }

  /** The reference for a candidate. One is open at a time; its measured rate is kept with it. */
  async facing(candidate: EngineProvider): Promise<Facing | NoReference> {
    let last: NoReference = { reason: 'there is no engine to compare with', tooLarge: false };
    for (const provider of this.#references().filter((reference) => reference !== candidate)) {
      const slow = candidate.slow === true || provider.slow === true;
      const size = trialBatch(this.model, this.spec.batchSize, slow);
      if (size === 0) {
        last = { reason: `the model is too large to be tried beside ${provider.id}`, tooLarge: !slow };
        if (slow) continue;
        return last;
      }
      if (this.#open?.provider === provider && this.#open.size === size) return this.#open;
      await this.close();
      try {
        const probe = await provider.probe();
        if (!probe.available) throw new Error(probe.reason);
        const session = await provider.open(this.model, trialSpec(this.spec, size));
        return (this.#open = { provider, session, size });
      } catch (error) {
        this.refuse(provider, error);
        last = { reason: `${provider.id}: ${(error as Error).message}`, tooLarge: false };
      }
    }
    return last;
  }

  /** The reference itself as the chosen engine: opened for whole batches. */
  async take(provider: EngineProvider): Promise<{ session: EngineSession; rate?: number }> {
    const open = this.#open?.provider === provider ? this.#open : undefined;
    const rate = open?.rate === undefined ? {} : { rate: open.rate };
    if (open?.size === this.spec.batchSize) {
      this.#open = undefined;
      return { session: open.session, ...rate };
    }
    await this.close();
    return { session: await provider.open(this.model, this.spec), ...rate };
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.session.dispose();
  }

  #references(): EngineProvider[] {
    const rank = (which: 'first' | 'second') =>
      this.providers.filter((provider) => provider.reference === which && !this.#refused.has(provider));
    return [...rank('first'), ...rank('second')];
  }
}
