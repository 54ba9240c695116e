/**
 * The figures that a run reports while it trains, declared once. The events' fields (`eventFields.ts`), the columns of the event stream, the
 * monitor's tables, its charts with their tables and CSV files, and the tags of TensorBoard are derived from them. Pure, and without the schemas,
 * because the pages load it.
 */
import type { ChartId } from './charts.js';

/** How a column is drawn: a curve of a chart. */
export interface Curve {
  readonly chart: ChartId;
  /** The legend entry that toggles it, which the page remembers. Default: the column's name. */
  readonly kind?: string;
  /** Position in the palette of the chart colours, in DASHES, and the marker; for evaluations they follow from network and part. */
  readonly colour?: number;
  readonly dash?: number;
  readonly shape?: 'circle' | 'square' | 'triangle' | 'diamond' | 'cross' | 'star';
  /** Its own, logarithmic scale on the right. */
  readonly scale?: 'y2';
  readonly points?: true;
  /** Whether smoothing applies to it. */
  readonly noisy?: true;
  /** Hidden until the user shows it, so that a chart of several runs stays readable. */
  readonly quietInOverlay?: true;
  /** Drawn as a share of the prunable weights. */
  readonly asShare?: true;
}

export interface Column {
  readonly unit: 'steps' | 'epochs' | 'seconds' | 'loss' | 'share' | 'weights' | 'samples/s' | 'number';
  /** A measure may be not finite: null in events, NaN in tables. An optional number may be absent. */
  readonly type: 'number' | 'measure' | 'optional';
  /** English, translated where it is shown: its name in legends, tables and CSV files. */
  readonly label: string;
  /** One sentence more, with the symbol of the formulas. */
  readonly hint?: string;
  /** Not a field of the event: the monitor derives it from earlier events. */
  readonly isDerived?: true;
  /** In events and TensorBoard only; the monitor does not keep it. */
  readonly isUncharted?: true;
  /** TensorBoard's name of the curve; {phase} and {where} (network/part) are filled in. Absent: no such curve. */
  readonly tag?: string;
  readonly curve?: Curve;
}

/** The position of a row. `time`: seconds since the start of the run (in events: milliseconds since the epoch). */
const STEP = { unit: 'steps', type: 'number', label: 'Step' } as const;
const EPOCH = { unit: 'epochs', type: 'number', label: 'Epoch' } as const;
const TIME = { unit: 'seconds', type: 'number', label: 'Time', isDerived: true } as const;

/** The measures of an event `evaluation` and of every other evaluation. */
export const EVALUATION_FIGURES = {
  loss: { unit: 'loss', type: 'measure', label: 'loss', tag: 'loss/{where}', curve: { chart: 'loss' } },
  error: { unit: 'share', type: 'measure', label: 'error', tag: 'error/{where}', curve: { chart: 'error' } },
  absoluteError: {
    unit: 'number',
    type: 'optional',
    label: 'mean absolute error',
    hint: 'Of a regression: the mean of |output - target|.',
    isUncharted: true,
    tag: 'absolute_error/{where}',
  },
} as const satisfies Record<string, Column>;

/**
 * The columns of each kind of event that has figures, in the order of a table's rows. `step`, `epoch` and `time` never decrease
 * within a table.
 */
export const TELEMETRY = {
  /** One row for each `batch` event: a training batch, or the mean of those of 50 ms. */
  batch: {
    step: STEP,
    epoch: EPOCH,
    time: TIME,
    loss: {
      unit: 'loss',
      type: 'measure',
      label: 'training · each batch',
      tag: 'train/{phase}/loss',
      curve: { chart: 'loss', kind: 'batch', colour: 3, noisy: true },
    },
    learningRate: {
      unit: 'number',
      type: 'number',
      label: 'learning rate',
      hint: 'η: how far a training step goes',
      tag: 'train/learning_rate',
      curve: { chart: 'learningRate', colour: 4 },
    },
    samplesPerSecond: {
      unit: 'samples/s',
      type: 'number',
      label: 'samples/s',
      tag: 'train/samples_per_second',
      curve: { chart: 'throughput', colour: 2, noisy: true },
    },
  },
  /** A table for each network ("w", "theta", ...) and part of the data ("train", ...). */
  evaluation: { step: STEP, epoch: { ...EPOCH, isDerived: true }, time: TIME, ...EVALUATION_FIGURES },
  /** After the C step of one LC iteration (or one pruning step of a baseline). */
  iteration: {
    step: STEP,
    epoch: { ...EPOCH, isDerived: true },
    time: TIME,
    iteration: { unit: 'number', type: 'number', label: 'iteration' },
    mu: {
      unit: 'number',
      type: 'number',
      label: 'penalty',
      hint: 'μ: how strongly the trained weights are drawn to the pruned ones',
      tag: 'lc/mu',
      curve: {
        chart: 'distance',
        colour: 1,
        dash: 1,
        shape: 'triangle',
        points: true,
        scale: 'y2',
        quietInOverlay: true,
      },
    },
    distance: {
      unit: 'number',
      type: 'measure',
      label: 'distance',
      hint: '‖w − θ‖: the length of the difference of the trained and the pruned weights',
      tag: 'lc/distance',
      curve: { chart: 'distance', points: true },
    },
    ratio: {
      unit: 'number',
      type: 'measure',
      label: 'relative distance',
      hint: '‖w − θ‖ / ‖w‖',
      tag: 'lc/relative_distance',
    },
    loss: { unit: 'loss', type: 'measure', label: 'loss', tag: 'lc/loss' },
    error: { unit: 'share', type: 'measure', label: 'error', tag: 'lc/error' },
    kept: {
      unit: 'weights',
      type: 'number',
      label: 'kept',
      tag: 'sparsity/kept_weights',
      curve: { chart: 'kept', points: true, asShare: true },
    },
    supportChange: {
      unit: 'weights',
      type: 'number',
      label: 'changed since the last iteration',
      tag: 'lc/support_change',
      curve: { chart: 'kept', colour: 1, dash: 2, shape: 'square', points: true, asShare: true, quietInOverlay: true },
    },
    seconds: { unit: 'seconds', type: 'number', label: 'seconds' },
  },
} as const satisfies Record<string, Record<string, Column>>;

export type TelemetryEvent = keyof typeof TELEMETRY;

/** All columns of an event, by name, as columns are described. */
export const columnsOfEvent = (event: TelemetryEvent): Readonly<Record<string, Column>> => TELEMETRY[event];

/** Networks that are evaluated, and parts of the data. */
export const PLACES = ['reference', 'direct', 'w', 'theta', 'retrained'] as const;
export type EvaluationPlace = (typeof PLACES)[number];
export const SETS = ['train', 'validation', 'test'] as const;
export type EvaluationSet = (typeof SETS)[number];

export type TableName = 'batch' | 'iteration' | `${EvaluationPlace}/${EvaluationSet}`;

/** The event that a table is filled from. */
export const eventOf = (table: TableName): TelemetryEvent =>
  table === 'batch' || table === 'iteration' ? table : 'evaluation';

const tabled = (event: TelemetryEvent): readonly string[] =>
  Object.entries(columnsOfEvent(event)).flatMap(([name, { isUncharted }]) => (isUncharted ? [] : [name]));
const TABLES: Readonly<Record<TelemetryEvent, readonly string[]>> = {
  batch: tabled('batch'),
  evaluation: tabled('evaluation'),
  iteration: tabled('iteration'),
};

/** The columns of a table, in the order of its rows. */
export const columnsOf = (table: TableName): readonly string[] => TABLES[eventOf(table)];

/** The column whose peaks stay when a table is halved; every table has it. */
export const EXTREMES = 'loss';
