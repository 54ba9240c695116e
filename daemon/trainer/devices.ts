import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../protocol/events.js';

/**
 * The devices on which a run started and continued, in order, from its event log. None without a log; damaged lines are skipped, the log's reader
 * reports them.
 * @param bytes of the log that count; the steps logged after the last checkpoint are repeated.
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
