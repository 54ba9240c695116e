import type { UntimedRunEvent } from '../../protocol/events.js';
import { openEventWriter } from './eventWriter.js';
import { takeLock } from '../process/lock.js';
import { logEnd } from './logEnd.js';
import { runPaths } from '../process/runFolder.js';

/**
 * Adds an event to the log of a run without a trainer, under the run's lock.
 * @returns the time stamp of the event. @throws UserError('run-invalid') if a trainer holds the run, UserError('disk').
 */
export async function appendEvent(folder: string, event: UntimedRunEvent): Promise<number> {
  const paths = runPaths(folder);
  const release = await takeLock(paths.lock);
  try {
    // Cuts off a line that the trainer did not finish.
    const end = await logEnd(paths.events);
    const writer = openEventWriter(paths.events, { bytes: end?.bytes ?? 0, events: 0 }, Date.now);
    try {
      const { time } = writer.write(event);
      writer.sync();
      return time;
    } finally {
      writer.close();
    }
  } finally {
    await release();
  }
}
