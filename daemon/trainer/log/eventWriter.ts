/** Appends to a run's event log. Only the run's trainer does. */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { diskError } from '../../files/diskError.js';
import type { RunEvent, UntimedRunEvent } from '../../protocol/events.js';
import type { LogPosition } from '../checkpoint.js';

export interface EventWriter {
  /** Stamps the time, appends one line and returns the event as written. @throws UserError('disk'). */
  write(event: UntimedRunEvent): RunEvent;
  readonly position: LogPosition;
  /** Makes the written events durable. @throws UserError('disk'). */
  sync(): void;
  close(): void;
}

/** NaN and infinities have no JSON: they become null, as the protocol says. `event` comes first, so that readers can skip lines unparsed. */
const line = (event: RunEvent): string => {
  const { event: kind, time, ...rest } = event;
  return `${JSON.stringify({ event: kind, time, ...rest })}\n`;
};

/**
 * Opens the log at `position` and drops everything after it: a resumed run repeats those steps and logs them again, so the history never contains a
 * step twice.
 * @throws UserError('disk').
 */
export function openEventWriter(file: string, position: LogPosition, clock: () => number): EventWriter {
  let { bytes, events } = position;
  const disk = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw diskError(file, 'cannot be written', error);
    }
  };
  // Each line is written at its place: Windows truncates no file that was opened for appending (EPERM).
  const descriptor = disk(() => openSync(file, constants.O_WRONLY | constants.O_CREAT));
  disk(() => {
    bytes = Math.min(bytes, fstatSync(descriptor).size);
    ftruncateSync(descriptor, bytes);
  });
  return {
    write(event) {
      const stamped = JSON.parse(line({ time: Math.round(clock()), ...event } as RunEvent)) as RunEvent;
      const content = Buffer.from(line(stamped), 'utf8');
      disk(() => {
        try {
          for (let done = 0; done < content.length;)
            done += writeSync(descriptor, content, done, content.length - done, bytes + done);
        } catch (error) {
          ftruncateSync(descriptor, bytes);
          throw error;
        }
      });
      bytes += content.length;
      events += 1;
      return stamped;
    },
    get position() {
      return { bytes, events };
    },
    sync: () => disk(() => fsyncSync(descriptor)),
    close: () => closeSync(descriptor),
  };
}
