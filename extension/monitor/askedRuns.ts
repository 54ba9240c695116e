import type { RunSummary } from '../../daemon/protocol/messages.js';

/** A request to a run, and the run's state at that time. */
interface Asked {
  readonly text: string;
  readonly state: RunSummary['state'];
  readonly iteration: number;
}

/** Requests to runs that the runs have not acted on yet. */
export class AskedRuns {
  #asked = new Map<string, Asked>();

  /** @param changed is called when a run's request changes or is done. */
  constructor(private readonly changed: (run: string) => void) {}

  /**
   * Records a request while `request` is pending, and after it until the run acts on it; a request that fails is removed.
   * @param until "iteration": the request takes effect at the next iteration, and does not show in the run's state.
   */
  async during<T>(
    { run, state, iteration }: Pick<RunSummary, 'run' | 'state' | 'iteration'>,
    text: string,
    request: Promise<T>,
    until: 'state' | 'iteration' = 'state',
  ): Promise<T> {
    const asked: Asked = { text, state, iteration: until === 'iteration' ? iteration : Infinity };
    this.#asked.set(run, asked);
    this.changed(run);
    try {
      return await request;
    } catch (error) {
      if (this.#asked.get(run) === asked) this.#asked.delete(run);
      this.changed(run);
      throw error;
    }
  }

  /** The request that is still open; removed once the run has acted on it. */
  of({ run, state, iteration }: RunSummary): string | undefined {
    const asked = this.#asked.get(run);
    if (!asked || (asked.state === state && iteration <= asked.iteration)) return asked?.text;
    this.#asked.delete(run);
    return undefined;
  }
}
