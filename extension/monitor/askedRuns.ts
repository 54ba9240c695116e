import type { RunSummary } from '../../daemon/protocol/messages.js';

/** What a run was asked to do, and how it was then. */
interface Asked {
  readonly text: string;
  readonly state: RunSummary['state'];
  readonly iteration: number;
}

/** What runs have been asked to do and have not done yet. */
export class AskedRuns {
  #asked = new Map<string, Asked>();

  /** @param changed something else is asked of the run, or nothing any more. */
  constructor(private readonly changed: (run: string) => void) {}

  /**
   * What the run is asked to do while the request goes on, and after it until the run does it; a request that fails takes it back.
   * @param until "iteration": what is asked for shows at its next iteration, not in its state.
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

  /** What is still to be done; forgotten once the run has done it. */
  of({ run, state, iteration }: RunSummary): string | undefined {
    const asked = this.#asked.get(run);
    if (!asked || (asked.state === state && iteration <= asked.iteration)) return asked?.text;
    this.#asked.delete(run);
    return undefined;
  }
}
