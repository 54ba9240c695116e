/** The lines, marks and bands of a chart, and their style. */
import type { Shape } from '../page/theme.js';

/** One line of a chart: full-resolution data and how it looks. */
export interface Line {
  /** Unique in the chart. */
  id: string;
  /** The legend entry that toggles it: lines of one kind are hidden together, in every run. */
  kind: string;
  label: string;
  x: Float64Array;
  y: Float64Array;
  colour: string;
  dash: number;
  shape: Shape;
  scale?: 'y' | 'y2';
  /** Draw a marker at each point. */
  points?: boolean;
  /** Only markers, no line. */
  scatter?: boolean;
  /** The raw values under a smoothed line: thin, translucent and not in the legend. */
  faint?: boolean;
  /** Constant between x and the next x, filled to zero (histograms). */
  stepped?: boolean;
}

/** A horizontal line with a label. */
export interface Level {
  y: number;
  label: string;
}

/** A labelled vertical line. */
export interface VerticalMark {
  x: number;
  label: string;
}

/** A shaded part of the x axis, from its beginning. */
export interface Band {
  to: number;
  /** Label at its border. */
  label: string;
  /** Label while its border is out of the visible range. */
  beyond: string;
}

export interface ChartOptions {
  yFormat: (value: number) => string;
  /** Shorter labels for the axis. Default: yFormat. */
  yTick?: (value: number) => string;
  y2Format?: (value: number) => string;
  y2Log?: boolean;
  xLog?: boolean;
  height: number;
  /** Charts with the same key share the crosshair. */
  sync?: string;
  onZoom?: (range: [number, number] | null) => void;
  /** @param left pixels from the chart's left border. */
  onCursor?: (x: number | null, left: number) => void;
}

export interface ChartView {
  lines: Line[];
  levels: Level[];
  marks: VerticalMark[];
  xFormat: (value: number) => string;
  /** Format of the crosshair's position, with all digits. Default: xFormat. */
  xExact?: (value: number) => string;
  logY: boolean;
  /** Whether the top may be cut off, so that the end of the curves can be read. */
  endY?: boolean;
  band?: Band | null;
  zoom: [number, number] | null;
}
