import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../protocol/events.js';

/**
 * The devices that a run has started and gone on on, in order, as its event log has them. None where there is no log; lines
 * that are damaged are the log reader's to report.
 * @param bytes of the log that count; what was written after the last checkpoint is done again.
 */
export async function devicesOf(events: string, bytes: number): Promise<string[]> {
  if (bytes === 0) return [];
  const devices: string[] = [];
  const input = createReadStream(events, { end: bytes - 1 });
  try {
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (!line.includes('"start"')) continue;
      const event = parse(line);
      if (event?.event === 'start' && event.device !== devices.at(-1)) devices.push(event.device);
    }
  } catch {
    // No log.
  } finally {
    input.destroy();
  }
  return devices;
}

function parse(line: string): RunEvent | null {
  try {
    return JSON.parse(line) as RunEvent;
  } catch {
    return null;
  }
}
