import { open } from 'node:fs/promises';
import type { RunEvent } from '../protocol/events.js';

/** The first event of a run tells; only notes come before it. */
const beginning = 1 << 16;

/** The device that a run started on, as its event log has it; null where the log does not say. */
export async function startedOn(events: string): Promise<string | null> {
  const file = await open(events).catch(() => null);
  if (!file) return null;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(beginning), 0, beginning, 0);
    for (const line of buffer.toString('utf8', 0, bytesRead).split('\n')) {
      if (!line.includes('"start"')) continue;
      const event = JSON.parse(line) as RunEvent;
      if (event.event === 'start') return event.device;
    }
  } catch {
    // A damaged line is the log reader's to tell.
  } finally {
    await file.close();
  }
  return null;
}
