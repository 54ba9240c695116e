import type { Executor } from './executor.js';

/** Longer steps leave the event loop free while they run. Milliseconds. */
const shortMs = 10;
/** Longest time for which consecutive short steps may block the event loop, and so delay messages. Milliseconds. */
const blockingMs = 15;

/**
 * The step scheduler of a training session: it runs each step either blocking, which saves two changes of threads while steps are short, or
 * asynchronously.
 */
export class StepScheduler {
  /** Duration of the last step; the first step counts as long. */
  private last = Infinity;
  private yielded = performance.now();

  /** @param blocking whether the step may block. */
  async run(graph: Executor, blocking: boolean): Promise<void> {
    const start = performance.now();
    if (blocking && graph.runNow && this.last < shortMs) {
      graph.runNow();
      const now = performance.now();
      this.last = now - start;
      if (now - this.yielded < blockingMs) return;
      await new Promise((resolve) => setImmediate(resolve));
    } else {
      await graph.run();
      this.last = performance.now() - start;
    }
    this.yielded = performance.now();
  }
}
