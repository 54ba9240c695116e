/** Reads a run's event log while its trainer may be writing it: an incomplete last line is ignored. */
import { open, type FileHandle } from 'node:fs/promises';
import { UserError } from '../protocol/errors.js';
import { RunEvent } from '../protocol/events.js';
import { runPaths } from '../trainer/process/runFolder.js';
import { LIMITS } from './limits.js';

const BLOCK = 1 << 20;
const NEWLINE = 10;
const LINE_END = Buffer.from([NEWLINE]);
const BATCH = Buffer.from('{"event":"batch"');

/**
 * Calls `onLine` for every whole line from a byte offset on.
 * @returns the offset after the last whole line. @throws UserError('run-missing') without a log.
 */
export async function scanLines(
  file: string,
  from: number,
  onLine: (line: Buffer, offset: number) => boolean | void,
): Promise<number> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return from;
    throw new UserError('run-invalid', `${file} cannot be read: ${(error as Error).message}`, { file });
  }
  try {
    let rest: Buffer = Buffer.alloc(0);
    let offset = from;
    // The end as it is now; what is written meanwhile is for the next call. Blocks are no larger than what there is to read: a log is followed
    // several times a second, and a megabyte each time would be most of the daemon's memory.
    const { size } = await handle.stat();
    for (let at = from; ;) {
      const block = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(0, size - at)));
      const { bytesRead } = await handle.read(block, 0, block.length, at);
      if (bytesRead === 0) return offset;
      at += bytesRead;
      const data = rest.length > 0 ? Buffer.concat([rest, block.subarray(0, bytesRead)]) : block.subarray(0, bytesRead);
      let begin = 0;
      for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, begin)) {
        const stop = onLine(data.subarray(begin, end), offset);
        offset += end + 1 - begin;
        begin = end + 1;
        if (stop === true) return offset;
      }
      rest = data.subarray(begin);
      if (rest.length > LIMITS.eventLine) return offset;
    }
  } finally {
    await handle.close();
  }
}

export const isBatchLine = (line: Buffer): boolean => line.subarray(0, BATCH.length).equals(BATCH);

/** The event of a line; null for a line that is none (damaged, or of another version), which is skipped. */
export function parseEvent(line: Buffer): RunEvent | null {
  try {
    return RunEvent.parse(JSON.parse(line.toString('utf8')));
  } catch {
    return null;
  }
}

/** The latest event of each kind that determines the run's state. */
export interface LastEvents {
  /** The latest of start, paused, stopped, failed, done. */
  readonly state: Extract<RunEvent, { event: 'start' | 'paused' | 'stopped' | 'failed' | 'done' }> | null;
  readonly start: Extract<RunEvent, { event: 'start' }> | null;
  readonly iteration: Extract<RunEvent, { event: 'iteration' }> | null;
  readonly batch: Extract<RunEvent, { event: 'batch' }> | null;
  readonly phase: Extract<RunEvent, { event: 'phase' }> | null;
  /** The budget that the run was changed to, if any. */
  readonly budget: unknown;
  /** The finished points of a path run, by number. */
  readonly points: ReadonlyMap<number, Extract<RunEvent, { event: 'point' }>>;
  /** The latest warning of each code. */
  readonly warnings: ReadonlyMap<string, Extract<RunEvent, { event: 'warning' }>>;
  readonly referenceError: number | null;
  readonly error: number | null;
  /** Time of the first and of the last event. */
  readonly first: number | null;
  readonly last: number | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Noted extends Mutable<Omit<LastEvents, 'warnings' | 'points'>> {
  readonly points: Map<number, Extract<RunEvent, { event: 'point' }>>;
  readonly warnings: Map<string, Extract<RunEvent, { event: 'warning' }>>;
}

/** The position up to which a log has been read. */
export interface LogPosition {
  /** Bytes read so far, up to a line's end. */
  offset: number;
  /** The bytes before `offset`: if they differ now, the log has been truncated and rewritten. */
  tail: Buffer;
}

interface Index extends LogPosition {
  /** Number of lines in the bytes read so far. */
  lines: number;
  /** Offset of every STRIDE-th line. */
  readonly marks: number[];
  lastBatch: Buffer | null;
  readonly events: Noted;
}

const STRIDE = 1024;
const TAIL = 256;
const CACHED = 200;
const indices = new Map<string, Index>();

const fresh = (): Index => ({
  offset: 0,
  lines: 0,
  marks: [0],
  tail: Buffer.alloc(0),
  lastBatch: null,
  events: {
    state: null,
    start: null,
    iteration: null,
    batch: null,
    phase: null,
    budget: null,
    points: new Map(),
    warnings: new Map(),
    referenceError: null,
    error: null,
    first: null,
    last: null,
  },
});

function note(events: Noted, event: RunEvent): void {
  events.first ??= event.time;
  events.last = event.time;
  switch (event.event) {
    case 'start':
      events.start = event;
      events.state = event;
      break;
    case 'paused':
    case 'stopped':
    case 'failed':
      events.state = event;
      break;
    case 'done':
      events.state = event;
      events.error = event.retrained.error;
      events.referenceError = event.reference.error;
      break;
    case 'iteration':
      events.iteration = event;
      events.error = event.error;
      break;
    case 'budget':
      events.budget = event.budget;
      break;
    case 'point':
      events.points.set(event.point, event);
      break;
    case 'warning':
      events.warnings.set(event.code, event);
      break;
    case 'phase':
      events.phase = event;
      break;
    case 'evaluation':
      // Of events with the same time, the primary set comes last.
      if (event.at === 'reference') events.referenceError = event.error;
      else if (event.at === 'direct' || event.at === 'retrained') events.error = event.error;
      break;
    case 'batch':
    case 'checkpoint':
    case 'engine':
      break;
  }
}

/** Whether the bytes before the offset are still those that were read there. */
export async function sameTail(file: string, index: LogPosition): Promise<boolean> {
  if (index.tail.length === 0) return true;
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return false;
  try {
    const now = Buffer.alloc(index.tail.length);
    const { bytesRead } = await handle.read(now, 0, now.length, index.offset - now.length);
    return bytesRead === now.length && now.equals(index.tail);
  } finally {
    await handle.close();
  }
}

/** Bytes of the last line read. A copy: a line is a view of its whole block. */
export const tailOf = (line: Buffer): Buffer => Buffer.concat([line.subarray(-TAIL), LINE_END]);

/** One reading of a log at a time: two would count its new lines twice. */
const reading = new Map<string, Promise<unknown>>();

async function indexed(folder: string): Promise<Index> {
  const file = runPaths(folder).events;
  const before = reading.get(file) ?? Promise.resolve();
  const own = before.then(
    () => update(file),
    () => update(file),
  );
  reading.set(file, own);
  try {
    return await own;
  } finally {
    if (reading.get(file) === own) reading.delete(file);
  }
}

/** Reads what was appended to the log since the last time (all of it when a resumed run has truncated it). */
async function update(file: string): Promise<Index> {
  let index = indices.get(file);
  if (!index || !(await sameTail(file, index))) index = fresh();
  indices.delete(file);
  indices.set(file, index);
  const oldest = indices.keys().next().value;
  if (indices.size > CACHED && oldest !== undefined) indices.delete(oldest);
  const own = index;
  let last: Buffer | null = null;
  let lastBatch: Buffer | null = null;
  own.offset = await scanLines(file, own.offset, (line, offset) => {
    if (own.lines > 0 && own.lines % STRIDE === 0) own.marks[own.lines / STRIDE] = offset;
    own.lines += 1;
    last = line;
    if (isBatchLine(line)) {
      lastBatch = line;
      return;
    }
    const event = parseEvent(line);
    if (event) note(own.events, event);
  });
  if (last) own.tail = tailOf(last);
  if (lastBatch) own.lastBatch = Buffer.from(lastBatch);
  const batch = own.lastBatch && parseEvent(own.lastBatch);
  if (batch?.event === 'batch') {
    own.events.batch = batch;
    own.events.last = Math.max(own.events.last ?? 0, batch.time);
  }
  return own;
}

/** @param folder a run folder; one without a log has no events yet. */
export const lastEvents = async (folder: string): Promise<LastEvents> => (await indexed(folder)).events;

/** The log's current end, and the time of its last event. */
export async function logEndNow(folder: string): Promise<LogPosition & { time: number }> {
  const { offset, tail, events } = await indexed(folder);
  return { offset, tail, time: events.last ?? 0 };
}

/** Lines [from, from + limit) of the log, and how many there are. */
export async function readLines(
  folder: string,
  from: number,
  limit: number,
): Promise<{ lines: Buffer[]; total: number }> {
  const index = await indexed(folder);
  const total = index.lines;
  const lines: Buffer[] = [];
  if (from >= total) return { lines, total };
  const mark = Math.floor(from / STRIDE);
  let skip = from - mark * STRIDE;
  const wanted = Math.min(limit, total - from);
  await scanLines(runPaths(folder).events, index.marks[mark]!, (line) => {
    if (skip > 0) skip -= 1;
    else lines.push(Buffer.from(line));
    return lines.length === wanted;
  });
  return { lines, total };
}

/** Drops what is known of a folder whose log is gone or has moved. */
export const forgetLog = (folder: string): void => void indices.delete(runPaths(folder).events);
