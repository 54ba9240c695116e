/** Runs work in small steps: without pause in a process that has no other work, or with pauses for other work. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A generator that yields between steps of well under a millisecond. */
export type Steps<T> = Generator<undefined, T>;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Milliseconds of work before the event loop may run other work. */
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
