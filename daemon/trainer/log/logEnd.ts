/** The end of a run's event log: how trainers ended that could not report it themselves, and where whole lines end. */
import { open } from 'node:fs/promises';
import { RunEvent } from '../../protocol/events.js';
import type { Ending } from '../../protocol/ending.js';

/** Larger than all events that a supervisor adds to a log. */
const TAIL = 1 << 20;
const NEWLINE = 10;

/** @returns the bytes up to the end of the last whole line, and the whole lines of the last megabyte; null without a log. */
export async function logEnd(file: string): Promise<{ bytes: number; lines: string[] } | null> {
  const handle = await open(file).catch(() => null);
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    const from = Math.max(0, size - TAIL);
    const buffer = Buffer.alloc(size - from);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    const tail = buffer.subarray(0, bytesRead);
    const last = tail.lastIndexOf(NEWLINE);
    // Nothing is cut off if no line ends: the cause is then more than an unfinished line.
    if (last < 0 && from > 0) return { bytes: size, lines: [] };
    const end = last + 1;
    // A line that began before the block is incomplete.
    const begin = from === 0 ? 0 : tail.indexOf(NEWLINE) + 1;
    return { bytes: from + end, lines: tail.toString('utf8', begin, Math.max(begin, end)).split('\n').slice(0, -1) };
  } finally {
    await handle.close();
  }
}

/** How the latest trainers that a signal ended did end, oldest first; none if the last one reported its end itself. */
export async function lastEndings(file: string): Promise<Ending[]> {
  const endings: Ending[] = [];
  for (const line of (await logEnd(file))?.lines.reverse() ?? []) {
    const ending = endingIn(line);
    if (!ending) break;
    endings.unshift(ending);
  }
  return endings;
}

function endingIn(line: string): Ending | null {
  if (!line.startsWith('{"event":"failed"')) return null;
  try {
    const event = RunEvent.parse(JSON.parse(line));
    return event.event === 'failed' ? (event.ending ?? null) : null;
  } catch {
    return null;
  }
}

/** Counts the events of a kind in a log. Logs are long: lines of other kinds are not parsed. */
export async function countEvents(file: string, kind: RunEvent['event']): Promise<number> {
  const handle = await open(file).catch(() => null);
  if (!handle) return 0;
  let count = 0;
  for await (const line of handle.readLines()) if (line.startsWith(`{"event":"${kind}"`)) count += 1;
  return count;
}
