import type { Executor } from './executor.js';

/** Longer steps leave the event loop free while they run. */
const shortMs = 10;
/** How long short steps may follow one another before the event loop gets its turn: messages wait for no longer. */
const turnMs = 15;

/** Decides how each step of a training session runs: blocking while steps are short, which saves two changes of threads. */
export class Turns {
  /** What the last step took; the first one is not known to be short. */
  private last = Infinity;
  private turn = performance.now();

  /** @param blocking whether the step may block. */
  async run(graph: Executor, blocking: boolean): Promise<void> {
    const start = performance.now();
    if (blocking && graph.runNow && this.last < shortMs) {
      graph.runNow();
      const now = performance.now();
      this.last = now - start;
      if (now - this.turn < turnMs) return;
      await new Promise((resolve) => setImmediate(resolve));
    } else {
      await graph.run();
      this.last = performance.now() - start;
    }
    this.turn = performance.now();
  }
}
