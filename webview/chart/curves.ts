/** Which lines each chart of the monitor shows. */
import { clock, count, number, percent, percentTick, tick } from '../page/format.js';
import type { Level, Line } from './line.js';
import type { EvaluationPlace, EvaluationSet, TableName } from '../messages/monitor.js';
import type { RunData, XAxis } from '../monitor/runData.js';
import { t } from '../page/strings.js';
import { runColour, runShape, type Shape, type Theme } from '../page/theme.js';

export interface CurveSettings {
  axis: XAxis;
  smoothing: number;
  hidden: ReadonlySet<string>;
}

export interface ChartSpec {
  id: 'loss' | 'error' | 'kept' | 'distance' | 'throughput' | 'learningRate';
  title: string;
  /** One sentence: what the chart says. */
  help: string;
  yFormat: (value: number) => string;
  yTick?: (value: number) => string;
  y2Format?: (value: number) => string;
  y2Log?: boolean;
  /** Whether the y axis is logarithmic unless the user says otherwise. */
  log: boolean;
  /** Whether the top may be cut off unless the user says otherwise: the beginning is high, and the end is what counts. */
  end?: true;
  /** Whether a band says until where high values are normal. */
  settles?: true;
  curves: Curve[];
  level?: (run: RunData) => Level | null;
}

/** A line of a chart, for every run. */
interface Curve {
  kind: string;
  label: string;
  /** The symbol in formulas, and what it is: the tooltip. */
  hint?: string;
  table: TableName;
  column: string;
  /** Applied to every value before drawing. */
  of?: (run: RunData) => (value: number) => number;
  colour: number;
  dash: number;
  shape: Shape;
  scale?: 'y' | 'y2';
  points?: boolean;
  scatter?: boolean;
  /** Takes part in smoothing. */
  noisy?: boolean;
  /** Hidden until the user asks, so a chart of several runs stays readable. */
  quietInOverlay?: boolean;
}

const SETS: { set: EvaluationSet; colour: number; shape: Shape }[] = [
  { set: 'train', colour: 0, shape: 'circle' },
  { set: 'validation', colour: 1, shape: 'square' },
  { set: 'test', colour: 2, shape: 'diamond' },
];

/** Which part of the data a figure is of, in a word. */
export const setName = (set: EvaluationSet): string =>
  ({ train: t('training'), validation: t('validation'), test: t('test') })[set];

const PLACES: { place: EvaluationPlace; name: string; hint: string; dash: number; scatter?: boolean }[] = [
  {
    place: 'theta',
    name: t('pruned weights'),
    hint: t('θ: what the budget leaves of the trained weights, all others zero'),
    dash: 0,
  },
  {
    place: 'w',
    name: t('trained weights'),
    hint: t('w: all weights, as training has them; they become the pruned ones'),
    dash: 2,
  },
  {
    place: 'direct',
    name: t('cut once'),
    hint: t('Direct compression: the reference cut to the budget in one go, without training'),
    dash: 0,
    scatter: true,
  },
  {
    place: 'retrained',
    name: t('after retraining'),
    hint: t('θ after the weights that are left were trained once more: the result'),
    dash: 0,
    scatter: true,
  },
];

const evaluations = (column: 'loss' | 'error'): Curve[] =>
  PLACES.flatMap(({ place, name, hint, dash, scatter }) =>
    SETS.map(({ set, colour, shape }) => ({
      kind: `${place}/${set}`,
      label: `${setName(set)} · ${name}`,
      hint,
      table: `${place}/${set}` as TableName,
      column,
      colour,
      dash,
      shape: place === 'retrained' ? 'star' : place === 'direct' ? 'cross' : shape,
      points: true,
      ...(scatter && { scatter }),
      quietInOverlay: place === 'w' || set === 'train',
    })),
  );

const share =
  (run: RunData) =>
  (kept: number): number =>
    kept / (run.view.summary.prunable ?? NaN);

/** The charts over time, in the order of the page. */
export function chartSpecs(): ChartSpec[] {
  return [
    {
      id: 'loss',
      title: t('Loss'),
      help: t(
        'Mean loss per sample: of every training batch, and of the trained and the pruned weights after each iteration.',
      ),
      yFormat: number,
      log: true,
      curves: [
        {
          kind: 'batch',
          label: t('training · each batch'),
          table: 'batch',
          column: 'loss',
          colour: 3,
          dash: 0,
          shape: 'circle',
          noisy: true,
        },
        ...evaluations('loss'),
      ],
    },
    {
      id: 'error',
      title: t('Error'),
      help: t('Share of wrong answers of the trained and of the pruned weights. The two meet as the penalty grows.'),
      yFormat: (v) => percent(v),
      yTick: percentTick,
      log: false,
      end: true,
      settles: true,
      curves: evaluations('error'),
      level: (run) =>
        run.view.referenceError === null
          ? null
          : { y: run.view.referenceError, label: t('reference {0}', percent(run.view.referenceError)) },
    },
    {
      id: 'kept',
      title: t('Kept weights'),
      help: t('Share of the prunable weights that are not zero after pruning, and how much of that set changed.'),
      yFormat: (v) => percent(v),
      yTick: percentTick,
      log: false,
      curves: [
        {
          kind: 'kept',
          label: t('kept'),
          table: 'iteration',
          column: 'kept',
          of: share,
          colour: 0,
          dash: 0,
          shape: 'circle',
          points: true,
        },
        {
          kind: 'supportChange',
          label: t('changed since the last iteration'),
          table: 'iteration',
          column: 'supportChange',
          of: share,
          colour: 1,
          dash: 2,
          shape: 'square',
          points: true,
          quietInOverlay: true,
        },
      ],
    },
    {
      id: 'distance',
      title: t('Trained against pruned weights'),
      help: t('Distance between the trained and the pruned weights (left) and the penalty that closes it (right).'),
      yFormat: number,
      y2Format: tick,
      y2Log: true,
      log: true,
      curves: [
        {
          kind: 'distance',
          label: t('distance'),
          hint: t('‖w − θ‖: the length of the difference of the trained and the pruned weights'),
          table: 'iteration',
          column: 'distance',
          colour: 0,
          dash: 0,
          shape: 'circle',
          points: true,
        },
        {
          kind: 'mu',
          label: t('penalty'),
          hint: t('μ: how strongly the trained weights are drawn to the pruned ones'),
          table: 'iteration',
          column: 'mu',
          colour: 1,
          dash: 1,
          shape: 'triangle',
          points: true,
          scale: 'y2',
          quietInOverlay: true,
        },
      ],
    },
    {
      id: 'throughput',
      title: t('Throughput'),
      help: t('Training samples per second.'),
      yFormat: tick,
      log: false,
      curves: [
        {
          kind: 'samplesPerSecond',
          label: t('samples/s'),
          table: 'batch',
          column: 'samplesPerSecond',
          colour: 2,
          dash: 0,
          shape: 'circle',
          noisy: true,
        },
      ],
    },
    {
      id: 'learningRate',
      title: t('Learning rate'),
      help: t('Step size of each training batch.'),
      yFormat: number,
      log: false,
      curves: [
        {
          kind: 'learningRate',
          label: t('learning rate'),
          hint: t('η: how far a training step goes'),
          table: 'batch',
          column: 'learningRate',
          colour: 4,
          dash: 0,
          shape: 'circle',
        },
      ],
    },
  ];
}

/** A legend entry: a kind of line that some run has. */
export interface LegendEntry {
  kind: string;
  label: string;
  hint?: string;
  shown: boolean;
  lines: Line[];
  format: (value: number) => string;
}

/**
 * The lines of a chart for these runs, and its legend. One run: a colour per set. Several: a colour and a marker per run, a
 * dash per kind. A line that is smoothed brings its raw values along, faint.
 */
export function buildLines(
  spec: ChartSpec,
  runs: readonly RunData[],
  settings: CurveSettings,
  theme: Theme,
): { lines: Line[]; legend: LegendEntry[] } {
  const overlay = runs.length > 1;
  const lines: Line[] = [];
  const legend: LegendEntry[] = [];
  for (const curve of spec.curves) {
    const having = runs.filter((run) => run.has(curve.table));
    if (having.length === 0) continue;
    // A quiet line of an overlay is hidden until toggled: its key then means "shown".
    const key = overlay && curve.quietInOverlay ? `+${curve.kind}` : curve.kind;
    const shown = key.startsWith('+') === settings.hidden.has(key);
    const entry: LegendEntry = {
      kind: key,
      label: curve.label,
      ...(curve.hint !== undefined && { hint: curve.hint }),
      shown,
      lines: [],
      format: curve.scale === 'y2' ? (spec.y2Format ?? spec.yFormat) : spec.yFormat,
    };
    legend.push(entry);
    for (const run of having) {
      const map = curve.of?.(run);
      const values = (data: Float64Array) => (map ? data.map(map) : data);
      const smooth = curve.noisy && settings.smoothing > 0;
      const line: Line = {
        id: `${run.view.id}/${curve.kind}`,
        kind: key,
        label: overlay ? `${run.view.name} · ${curve.label}` : curve.label,
        x: run.x(curve.table, settings.axis),
        y: values(run.smooth(curve.table, curve.column, smooth ? settings.smoothing : 0)),
        colour: runColour(theme, overlay ? run.view.colour : curve.colour),
        dash: curve.dash,
        shape: overlay && !curve.scatter ? runShape(run.view.colour) : curve.shape,
        ...(curve.scale && { scale: curve.scale }),
        ...(curve.points && { points: true }),
        ...(curve.scatter && { scatter: true }),
      };
      entry.lines.push(line);
      if (!shown) continue;
      if (smooth)
        lines.push({ ...line, id: `${line.id}/raw`, y: values(run.y(curve.table, curve.column)), faint: true });
      lines.push(line);
    }
  }
  return { lines, legend };
}

/** The place of the crosshair: whole steps, tenths of epochs. */
export const xExact: Record<XAxis, (value: number) => string> = {
  step: (v) => count(Math.round(v)),
  epoch: (v) => v.toFixed(1),
  time: clock,
};

export const xFormats: Record<XAxis, (value: number) => string> = { step: tick, epoch: tick, time: clock };
