/** The lines that a chart shows of the selected runs, and their legend. */
import type { RunData, XAxis } from '../monitor/runData.js';
import { clock, count, tick } from '../page/format.js';
import { runColour, runShape, type Theme } from '../page/theme.js';
import type { ChartSpec } from './chartSpecs.js';
import type { Line } from './line.js';

export interface CurveSettings {
  axis: XAxis;
  smoothing: number;
  hidden: ReadonlySet<string>;
}

/** A legend entry: a kind of line that at least one run has. */
export interface LegendEntry {
  kind: string;
  label: string;
  hint?: string;
  shown: boolean;
  lines: Line[];
  format: (value: number) => string;
}

/**
 * The lines of a chart for these runs, and its legend. One run: a colour per set. Several: a colour and a marker per run, a dash per kind. A smoothed
 * line also shows its raw values, faintly.
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
    // A curve that is hidden by default in a chart of several runs: its entry in `toggled` means "shown".
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

/** The position of the crosshair: whole steps, tenths of epochs. */
export const xExact: Record<XAxis, (value: number) => string> = {
  step: (v) => count(Math.round(v)),
  epoch: (v) => v.toFixed(1),
  time: clock,
};

export const xFormats: Record<XAxis, (value: number) => string> = { step: tick, epoch: tick, time: clock };
