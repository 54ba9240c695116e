/** Work in small steps: all at once where a process has nothing else to do, or in turns with whatever else it has. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Yields between steps of well under a millisecond. */
export type Steps<T> = Generator<undefined, T>;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Milliseconds of work before the event loop runs other work. */
const TURN = 8;

export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (let until = performance.now() + TURN; ;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() < until) continue;
    await nextTurn();
    until = performance.now() + TURN;
  }
}
