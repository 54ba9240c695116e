/** The charts over time as the page draws them: the declared charts, with the curves that the telemetry's columns define. */
import { CHARTS, type Chart, type ChartId } from '../../daemon/protocol/telemetry/charts.js';
import { columnsOfEvent, TELEMETRY, type Column, type TableName, type TelemetryEvent } from '../../daemon/protocol/telemetry/columns.js'; // prettier-ignore
import type { RunData } from '../monitor/runData.js';
import { number, percent, percentTick, tick } from '../page/format.js';
import { t } from '../page/strings.js';
import type { Shape } from '../page/theme.js';
import { evaluationCurves } from './evaluations.js';
import type { Level } from './line.js';

/** One line of a chart, drawn for every run. */
export interface Curve {
  kind: string;
  label: string;
  /** The symbol in formulas and its meaning, for the tooltip. */
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
  /** Whether smoothing applies to it. */
  noisy?: boolean;
  /** Hidden until the user shows it, so that a chart of several runs stays readable. */
  quietInOverlay?: boolean;
}

/** A chart of CHARTS in the language of the page, with formats and curves. */
export interface ChartSpec extends Chart {
  id: ChartId;
  yFormat: (value: number) => string;
  yTick?: (value: number) => string;
  y2Format?: (value: number) => string;
  y2Log?: boolean;
  curves: Curve[];
  level?: (run: RunData) => Level | null;
}

const share =
  (run: RunData) =>
  (kept: number): number =>
    kept / (run.view.summary.prunable ?? NaN);

/** The curves of one column: a single one, or for evaluations one a place and part of the data. */
function curvesOf(event: TelemetryEvent, name: string, column: Column): Curve[] {
  const { curve } = column;
  if (!curve) return [];
  if (event === 'evaluation')
    return evaluationCurves().map((evaluated) => ({ ...evaluated, kind: evaluated.table, column: name, points: true }));
  const { kind = name, colour = 0, dash = 0, shape = 'circle', asShare, chart: _chart, ...look } = curve;
  const hint = column.hint === undefined ? {} : { hint: t(column.hint) };
  const of = asShare ? { of: share } : {};
  return [{ kind, label: t(column.label), ...hint, table: event, column: name, ...of, colour, dash, shape, ...look }];
}

interface Drawn {
  readonly chart: ChartId;
  readonly column: Column;
  readonly curves: Curve[];
}

/** Every column that is drawn; columns with the right-hand scale last. */
function drawnColumns(): Drawn[] {
  const events = Object.keys(TELEMETRY) as TelemetryEvent[];
  const drawn = events.flatMap((event) =>
    Object.entries(columnsOfEvent(event)).flatMap(([name, column]) =>
      column.curve ? [{ chart: column.curve.chart, column, curves: curvesOf(event, name, column) }] : [],
    ),
  );
  return drawn.sort((a, b) => Number(a.column.curve?.scale === 'y2') - Number(b.column.curve?.scale === 'y2'));
}

/** The format of values beside a curve, and of the axis if that differs. */
function formatsOf({ unit, curve }: Column): Pick<ChartSpec, 'yFormat' | 'yTick'> {
  if (unit === 'share' || curve?.asShare) return { yFormat: (v) => percent(v), yTick: percentTick };
  return { yFormat: unit === 'samples/s' || unit === 'weights' ? tick : number };
}

const referenceLevel = (run: RunData): Level | null => {
  const { referenceError } = run.view;
  return referenceError === null ? null : { y: referenceError, label: t('reference {0}', percent(referenceError)) };
};

/** The charts over time, in the order of the page. */
export function chartSpecs(): ChartSpec[] {
  const drawn = drawnColumns();
  return (Object.entries(CHARTS) as [ChartId, Chart][]).map(([id, chart]) => {
    const own = drawn.filter((column) => column.chart === id);
    return {
      ...chart,
      id,
      title: t(chart.title),
      help: t(chart.help),
      details: chart.details.map((detail) => t(detail)),
      ...formatsOf(own[0]!.column),
      ...(own.some(({ column }) => column.curve?.scale === 'y2') && { y2Format: tick, y2Log: true }),
      curves: own.flatMap(({ curves }) => curves),
      ...(chart.hasReference && { level: referenceLevel }),
    };
  });
}
