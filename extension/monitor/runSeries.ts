import type { LayerKept, RunEvent } from '../../daemon/protocol/events.js';
import type { BatchColumns } from '../../daemon/protocol/messages.js';
import {
  columnsOf,
  EXTREMES,
  PLACES,
  SETS,
  type TELEMETRY,
  type EvaluationSet,
  type TableName,
} from '../../daemon/protocol/telemetry/columns.js';
import { ColumnTable } from '../../webview/messages/columns.js';
import type { ColumnPatch, Mark, PathView } from '../../webview/messages/monitor.js';
import { LIMITS } from '../limits.js';

/** Rows kept of the table's end before it was halved: a page that lacks no more than these halves its own copy. */
const TAIL = 1 << 12;

/** Parts of the data, the one whose error counts most first. */
const HELD_OUT_FIRST = SETS.toReversed();

type BatchColumn = keyof typeof TELEMETRY.batch;

/** Texts of marks on the x axis, given by the caller so that they can be translated. */
export interface MarkTexts {
  resumed: string;
  budget: string;
  phase: Partial<Record<Extract<RunEvent, { event: 'phase' }>['phase'], string>>;
}

/** The state that was sent to pages of one table: rows up to `sent` of generation `generation`. */
interface Sent {
  rows: number;
  generation: number;
}

interface Series {
  table: ColumnTable;
  /** Incremented whenever rows that were sent have changed. */
  generation: number;
  /** How this generation was made from the one before it; null if not by halving. */
  halving: {
    /** Rows from `from` to the end before the halving, and the number of rows left. */
    from: number;
    tail: Record<string, Float64Array>;
    left: number;
  } | null;
}

/** How much a page has of a run; each page has its own. */
export type Cursor = Map<TableName, Sent>;

/**
 * The series of one run as typed columns, filled from the event log and then from the event stream. Their length is bounded: a very long run is
 * downsampled, and peaks are kept. A run that resumes from a checkpoint repeats steps; their first version is dropped.
 */
export class RunSeries {
  #tables = new Map<TableName, Series>();
  #start: number | null = null;
  #epoch = 0;
  #phase: string | null = null;
  readonly marks: Mark[] = [];
  readonly warnings: { time: number; message: string }[] = [];
  readonly mapping: string[] = [];
  layers: LayerKept[] = [];
  device: string | null = null;
  referenceError: number | null = null;
  directError: number | null = null;
  /** null: one budget. */
  path: PathView | null = null;
  /** Incremented with every change except to the tables. */
  version = 0;

  constructor(
    private readonly texts: MarkTexts,
    private readonly maxRows: number = LIMITS.seriesRows,
  ) {}

  /** The part of the data that its errors are of: the part held out most strictly. */
  get errorSet(): EvaluationSet | null {
    const of = (set: EvaluationSet) => PLACES.some((place) => this.#tables.has(`${place}/${set}`));
    return HELD_OUT_FIRST.find(of) ?? null;
  }

  get lastStep(): number {
    return this.#tables.get('batch')?.table.column('step').at(-1) ?? 0;
  }

  apply(event: RunEvent): void {
    const time = this.#seconds(event.time);
    if (event.event !== 'batch') this.version++;
    switch (event.event) {
      case 'start':
        this.device = event.device;
        if (event.resumed) this.#mark(this.texts.resumed, this.lastStep, time);
        break;
      case 'phase':
        this.#enterPhase(event.phase, time);
        break;
      case 'batch':
        this.#epoch = event.epoch;
        this.#push('batch', event, time);
        break;
      case 'evaluation':
        this.#push(`${event.at}/${event.set}`, event, time);
        if (event.at === 'reference') this.referenceError = this.#preferred('reference', event.error);
        if (event.at === 'direct') this.directError = this.#preferred('direct', event.error);
        break;
      case 'iteration':
        this.layers = event.perLayer;
        this.#push('iteration', event, time);
        break;
      case 'budget':
        this.#mark(this.texts.budget, this.lastStep, time);
        break;
      case 'warning':
        if (event.code === 'reading') this.mapping.push(event.message);
        else this.warnings.push({ time: event.time, message: event.message });
        break;
      case 'engine':
        this.warnings.push({ time: event.time, message: event.message });
        break;
      case 'point':
        this.#point(event);
        break;
      case 'done':
        if (this.path && event.path) this.path = { ...this.path, answer: event.path };
        this.layers = event.perLayer;
        this.referenceError = event.reference.error ?? this.referenceError;
        break;
      case 'checkpoint':
      case 'paused':
      case 'stopped':
      case 'failed':
        break;
    }
  }

  /** A resumed run computes its last points again. */
  #point({
    event: _event,
    time: _time,
    step: _step,
    points: total,
    ...point
  }: Extract<RunEvent, { event: 'point' }>): void {
    const before = (this.path?.points ?? []).filter((known) => known.point < point.point);
    this.path = { points: [...before, point], total, answer: null };
  }

  /** By columns, because they come by the thousand. */
  applyBatches(columns: BatchColumns): void {
    const { step } = columns;
    const figures = { ...columns, time: columns.time.map((time) => this.#seconds(time)) };
    for (let from = 0; from < step.length;) {
      // A trainer that resumes within the message repeats steps.
      let end = from + 1;
      while (end < step.length && step[end]! > step[end - 1]!) end++;
      const series = this.#seriesAt('batch', step[from]!);
      while (from < end) {
        const rows = this.#room(series, end - from);
        const part = series.table.names.map((name) => [
          name,
          Float64Array.from(figures[name as BatchColumn].slice(from, from + rows), (value) => value ?? NaN),
        ]);
        series.table.append(Object.fromEntries(part) as Record<string, Float64Array>);
        from += rows;
      }
    }
    this.#epoch = columns.epoch.at(-1) ?? this.#epoch;
  }

  /** What a page with this cursor lacks, or null; advances the cursor. An empty cursor gets everything. */
  news(cursor: Cursor): Partial<Record<TableName, ColumnPatch>> | null {
    const patches: Partial<Record<TableName, ColumnPatch>> = {};
    let some = false;
    for (const [name, series] of this.#tables) {
      const patch = patchOf(series, cursor.get(name));
      if (!patch) continue;
      some = true;
      patches[name] = patch;
      cursor.set(name, { rows: series.table.length, generation: series.generation });
    }
    return some ? patches : null;
  }

  #seconds(time: number): number {
    this.#start ??= time;
    return Math.max(0, (time - this.#start) / 1000);
  }

  /** One row. @param figures an event; columns that it lacks are filled from the series. @param time seconds. */
  #push(name: TableName, figures: { step: number }, time: number): void {
    const known: Readonly<Record<string, unknown>> = { epoch: this.#epoch, ...figures, time };
    const series = this.#seriesAt(name, figures.step);
    this.#room(series, 1);
    series.table.push(series.table.names.map((column) => known[column] as number | null));
  }

  /** The series whose next row is of this step: rows that a resumed run repeats are dropped. */
  #seriesAt(name: TableName, step: number): Series {
    let series = this.#tables.get(name);
    if (!series)
      this.#tables.set(name, (series = { table: new ColumnTable(columnsOf(name)), generation: 0, halving: null }));
    const steps = series.table.column('step');
    if (step < (steps.at(-1) ?? -Infinity) || (name === 'batch' && step === steps.at(-1))) {
      series.table.truncate(steps.findIndex((known) => known >= step));
      series.generation++;
      series.halving = null;
    }
    return series;
  }

  /** How many of so many rows fit; a table that is full is halved. */
  #room(series: Series, rows: number): number {
    const { table } = series;
    if (table.length >= this.maxRows) {
      const from = Math.max(0, table.length - TAIL);
      const tail = table.slice(from);
      table.halve(EXTREMES);
      series.generation++;
      series.halving = { from, tail, left: table.length };
    }
    return Math.min(rows, this.maxRows - table.length);
  }

  /** The newest error of an evaluation: of the test set if there is one. */
  #preferred(place: 'reference' | 'direct', latest: number | null): number | null {
    for (const set of HELD_OUT_FIRST) {
      const error = this.#tables.get(`${place}/${set}`)?.table.column('error').at(-1);
      if (error !== undefined) return Number.isNaN(error) ? null : error;
    }
    return latest;
  }

  #enterPhase(phase: Extract<RunEvent, { event: 'phase' }>['phase'], time: number): void {
    const text = this.texts.phase[phase];
    // L and C steps alternate; a line for each would cover the chart.
    if (text && phase !== this.#phase && this.lastStep > 0) this.#mark(text, this.lastStep, time);
    if (text) this.#phase = phase;
  }

  #mark(label: string, step: number, time: number): void {
    this.marks.push({ step, epoch: this.#epoch, time, label });
  }
}

/** How to turn the rows that were sent into the current ones; null if they are the same. */
function patchOf({ table, generation, halving }: Series, sent: Sent | undefined): ColumnPatch | null {
  if (sent?.generation === generation)
    return sent.rows === table.length ? null : { reset: false, columns: table.slice(sent.rows) };
  // A page that has nearly all rows halves its own copy: the whole table would be megabytes in one message.
  if (sent && halving && sent.generation === generation - 1 && sent.rows >= halving.from) {
    const { from, tail, left } = halving;
    const columns = Object.fromEntries(
      Object.entries(tail).map(([name, values]) => [name, values.slice(sent.rows - from)]),
    );
    return { reset: false, columns, halved: table.slice(left) };
  }
  return { reset: true, columns: table.slice() };
}
