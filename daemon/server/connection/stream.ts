/**
 * The event stream to one client. Batch metrics are sent as columns every `LIMITS.batchInterval`, and wait while the client has unread data; if they
 * wait too long, half of them are dropped. Every other event is always sent.
 */
import type { BatchColumns } from '../../protocol/messages.js';
import type { RunEvent } from '../../protocol/events.js';
import { TELEMETRY } from '../../protocol/telemetry/columns.js';
import { downsample } from '../../protocol/telemetry/downsample.js';
import { LIMITS } from '../limits.js';

type BatchEvent = Extract<RunEvent, { event: 'batch' }>;
/** A batch event has a value for each of these columns. */
const COLUMNS = Object.keys(TELEMETRY.batch) as (keyof typeof TELEMETRY.batch)[];

const emptyColumns = (run: string): BatchColumns =>
  ({ run, ...Object.fromEntries(COLUMNS.map((name) => [name, []])) }) as unknown as BatchColumns;

function append(columns: BatchColumns, event: BatchEvent): void {
  for (const name of COLUMNS) (columns[name] as (number | null)[]).push(event[name]);
}

/** Keeps at most half of the rows, peaks of the loss and the ends among them. */
export function halve(columns: BatchColumns): void {
  const rows = downsample(columns.loss, Math.ceil(columns.step.length / 2));
  for (const name of COLUMNS) {
    const values = columns[name] as (number | null)[];
    rows.forEach((row, i) => (values[i] = values[row]!));
    values.length = rows.length;
  }
}

export interface StreamSink {
  batches(columns: BatchColumns): void;
  events(run: string, events: RunEvent[]): void;
  /** Bytes the client has not read yet. */
  owed(): number;
}

/** The key of a run, unique over workspace folders. @param workspace real path. */
export const runKey = (workspace: string, run: string): string => `${workspace}\0${run}`;

export class RunStream {
  /** The client's names of runs by their `runKey`. */
  readonly #subscribed = new Map<string, string>();
  readonly #batches = new Map<string, BatchColumns>();
  readonly #events = new Map<string, RunEvent[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly sink: StreamSink) {}

  /** @param run the client's name of it, used in its messages. @param key null: unsubscribe. */
  subscribe(run: string, key: string | null): void {
    if (key !== null && this.#subscribed.get(run) === key) return;
    this.#batches.delete(run);
    this.#events.delete(run);
    if (key === null) this.#subscribed.delete(run);
    else this.#subscribed.set(run, key);
  }

  follows(key: string): boolean {
    for (const own of this.#subscribed.values()) if (own === key) return true;
    return false;
  }

  push(key: string, event: RunEvent): void {
    for (const [run, own] of this.#subscribed) if (own === key) this.#push(run, event);
  }

  #push(run: string, event: RunEvent): void {
    if (event.event === 'batch') {
      let columns = this.#batches.get(run);
      if (!columns) this.#batches.set(run, (columns = emptyColumns(run)));
      append(columns, event);
      if (columns.step.length > LIMITS.waitingPoints) halve(columns);
    } else {
      const events = this.#events.get(run);
      if (events) events.push(event);
      else this.#events.set(run, [event]);
    }
    this.#timer ??= setTimeout(() => this.flush(), LIMITS.batchInterval);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#subscribed.clear();
    this.#batches.clear();
    this.#events.clear();
  }

  /** Sends the waiting batches: at every interval, and before a client gets the event that a run has ended. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.sink.owed() <= LIMITS.outgoingBusy) {
      for (const columns of this.#batches.values()) this.sink.batches(columns);
      this.#batches.clear();
    } else this.#timer = setTimeout(() => this.flush(), LIMITS.batchInterval);
    for (const [run, events] of this.#events) this.sink.events(run, events);
    this.#events.clear();
  }
}
