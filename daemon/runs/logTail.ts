/** Follows a log that another process writes. */
import { stat } from 'node:fs/promises';
import type { RunEvent } from '../protocol/events.js';
import { runPaths } from '../trainer/process/runFolder.js';
import { logEndNow, parseEvent, sameTail, scanLines, tailOf, type LogPosition } from './eventLog.js';

/** A run's log from where it ended when the tail was opened. */
export class LogTail {
  readonly #file: string;
  readonly #at: LogPosition;
  /** Time of the latest event. */
  #time: number;
  #seen = '';

  private constructor(folder: string, { offset, tail, time }: LogPosition & { time: number }) {
    this.#file = runPaths(folder).events;
    this.#at = { offset, tail };
    this.#time = time;
  }

  /** @param folder of the run, absolute; it may have no log yet. */
  static async open(folder: string): Promise<LogTail> {
    return new LogTail(folder, await logEndNow(folder));
  }

  /**
   * Events since the last call, each once and in order. A resumed run truncates its log and continues from there: events after the cut are later than
   * everything read before it, and events that were read before the cut are not returned again.
   * @throws UserError('run-invalid') if the log cannot be read.
   */
  async read(onEvent: (event: RunEvent) => void): Promise<void> {
    const now = await stat(this.#file).catch(() => null);
    const seen = now ? `${now.ino} ${now.size} ${now.mtimeMs}` : '';
    if (seen === this.#seen) return;
    const isCut = !(await sameTail(this.#file, this.#at));
    if (isCut) Object.assign(this.#at, { offset: 0, tail: Buffer.alloc(0) });
    const after = isCut ? this.#time : -Infinity;
    let last: Buffer | null = null;
    this.#at.offset = await scanLines(this.#file, this.#at.offset, (line) => {
      last = line;
      const event = parseEvent(line);
      if (!event || event.time <= after) return;
      this.#time = Math.max(this.#time, event.time);
      onEvent(event);
    });
    if (last) this.#at.tail = tailOf(last);
    this.#seen = seen;
  }
}
