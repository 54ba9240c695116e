/** Decides when a daemon that ended is started again: soon, then later, then not at all. */
export class Backoff {
  #failures: number[] = [];

  /**
   * @param delays milliseconds before the 1st, 2nd, ... restart; after the last one a person must ask.
   * @param forget milliseconds after which an earlier end no longer counts.
   */
  constructor(
    readonly delays: readonly number[] = [250, 1000, 3000, 8000],
    readonly forget = 120_000,
  ) {}

  /** Milliseconds to wait before the next start; null: do not start it again. */
  next(now: number): number | null {
    this.#failures = this.#failures.filter((time) => now - time < this.forget);
    this.#failures.push(now);
    return this.delays[this.#failures.length - 1] ?? null;
  }

  /** A user asked for a start: forgets the earlier ends. */
  reset(): void {
    this.#failures = [];
  }
}
