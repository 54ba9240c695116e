import uPlot from 'uplot';
import { logSplits } from './axisSplits.js';
import { yRange } from './yRange.js';
import type { Points } from './decimate.js';
import { pointsInSight, wholeRange } from './inSight.js';
import { drawBand, drawCut, drawDense, drawLevels, drawMarkers, drawMarks, drawNotFinite, FAINT } from './drawing.js';
import { percent } from '../page/format.js';
import type { ChartOptions, ChartView, Line } from './line.js';
import { linePath } from './linePath.js';
import { DASHES, type Theme } from '../page/theme.js';

const EMPTY: ChartView = { lines: [], levels: [], marks: [], xFormat: String, logY: false, zoom: null };

/** A uPlot line chart that draws as many points as the pixels can show, and is rebuilt only when its lines or colours change. */
export class LineChart {
  #plot: uPlot | null = null;
  #key = '';
  #drawn = '';
  #view = EMPTY;
  #points: Points[] = [];
  /** The highest value above the vertical range; null where nothing is cut off. */
  #cut: number | null = null;
  #frame = 0;
  #width = 0;

  constructor(
    readonly root: HTMLElement,
    readonly options: ChartOptions,
    private theme: Theme,
  ) {
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width);
      if (width === this.#width) return;
      this.#width = width;
      this.#schedule();
    }).observe(root);
  }

  get view(): ChartView {
    return this.#view;
  }

  /** The drawn canvas, or null before the first drawing. */
  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null;
  }

  /** Scales as drawn, for exports. */
  get ranges(): { x: [number, number]; y: [number, number]; y2: [number, number] | null } | null {
    const range = (key: string): [number, number] | null => {
      const scale = this.#plot?.scales[key];
      return scale?.min === undefined || scale.min === null || scale.max === undefined || scale.max === null
        ? null
        : [scale.min, scale.max];
    };
    const x = range('x');
    const y = range('y');
    return x && y ? { x, y, y2: range('y2') } : null;
  }

  /** The points on screen, one entry per line of the view. */
  get points(): readonly Points[] {
    return this.#points;
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.#key = '';
    this.#schedule();
  }

  show(view: ChartView): void {
    this.#view = view;
    this.#schedule();
  }

  /** Draws now; `show` draws at the next frame. */
  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (this.#width < 50 || this.#view.lines.length === 0) {
      this.#destroy();
      return;
    }
    const key = JSON.stringify([
      this.#view.logY,
      this.#view.lines.map(({ x: _x, y: _y, ...look }) => look),
      this.#view.xFormat.name,
    ]);
    if (key !== this.#key) this.#destroy();
    this.#key = key;
    const picture = this.#picture();
    if (this.#plot && picture === this.#drawn) return;
    this.#drawn = picture;
    const data = this.#data();
    if (!this.#plot) this.#plot = new uPlot(this.#plotOptions(), data, this.root);
    else {
      this.#plot.batch(() => {
        if (this.#plot!.width !== this.#width) this.#plot!.setSize({ width: this.#width, height: this.options.height });
        this.#plot!.setData(data, true);
      });
    }
  }

  /** Moves the crosshair by keyboard: to a share [0, 1] of the width, by pixels, or away (null). */
  moveCursor(move: { share: number } | { pixels: number } | null): void {
    const plot = this.#plot;
    if (!plot) return;
    const width = plot.over.clientWidth;
    const now = plot.cursor.left ?? -1;
    const left = move === null ? -10 : 'share' in move ? move.share * width : (now < 0 ? width / 2 : now) + move.pixels;
    const at = {
      left: move === null ? -10 : Math.max(0, Math.min(width, left)),
      top: move === null ? -10 : plot.over.clientHeight / 2,
    };
    // The third parameter, missing in the types, notifies the synced charts.
    (plot.setCursor as (position: typeof at, fire: boolean, publish: boolean) => void)(at, true, true);
  }

  /** Differs whenever the drawing would: a run's new values redraw only the charts that got them. */
  #picture(): string {
    const { lines, levels, marks, zoom, band, endY } = this.#view;
    return JSON.stringify([
      this.#width,
      devicePixelRatio,
      zoom,
      levels,
      marks,
      band,
      endY,
      lines.map(({ x, y }) => [x.length, x[0], x.at(-1), y[0], y[y.length >> 1], y.at(-1)]),
    ]);
  }

  #schedule(): void {
    this.#frame ||= requestAnimationFrame(() => this.draw());
  }

  #destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#key = '';
  }

  #window(): [number, number] {
    return this.#view.zoom ?? wholeRange(this.#view.lines, this.options.xLog ?? false);
  }

  #data(): uPlot.AlignedData {
    const [min, max] = this.#window();
    const width = Math.max(100, this.#width - 60) * devicePixelRatio;
    const isLog = (line: Line) => (line.scale === 'y2' ? (this.options.y2Log ?? false) : this.#view.logY);
    this.#points = this.#view.lines.map((line) => pointsInSight(line, [min, max], width, isLog(line)));
    // Each line draws its own points (#path): joined on one axis they would be mostly gaps.
    return [[min, max], ...this.#points.map(() => [null, null])] as uPlot.AlignedData;
  }

  #range(scale: 'y' | 'y2', log: boolean): [number, number] {
    const { lines, levels, endY = false } = this.#view;
    const spreads = lines.flatMap((line, i) =>
      (line.scale ?? 'y') === scale ? [{ points: this.#points[i]!, stepped: line.stepped ?? false }] : [],
    );
    const own = scale === 'y';
    const { range, cut } = yRange(spreads, this.#window(), {
      levels: own ? levels.map(({ y }) => y) : [],
      log,
      end: own && endY,
    });
    if (own) this.#cut = cut;
    return range;
  }

  #plotOptions(): uPlot.Options {
    const { theme, options } = this;
    const { lines, logY } = this.#view;
    const second = lines.some((line) => line.scale === 'y2');
    const axis = (scale: string, format: (value: number) => string, grid: boolean): uPlot.Axis => ({
      scale,
      stroke: theme.muted,
      font: theme.font,
      size: scale === 'x' ? 20 : 50,
      gap: 4,
      grid: { show: grid, stroke: theme.grid, width: theme.highContrast ? 0.5 : 0.35 },
      ticks: { show: false },
      border: { show: scale === 'x', stroke: theme.grid, width: 1 },
      values: (_plot, splits) => splits.map((v) => (v === null ? '' : format(v))),
      // An empty logarithmic axis between two powers of ten needs more labels than uPlot's default filter leaves.
      filter: (_plot, splits) => splits,
      space: scale === 'x' ? 70 : 34,
    });
    return {
      width: this.#width,
      height: options.height,
      padding: [8, second ? 0 : 12, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, distr: options.xLog ? 3 : 1, range: () => this.#window() },
        y: { distr: logY ? 3 : 1, range: () => this.#range('y', logY) },
        ...(second && {
          y2: { distr: options.y2Log ? 3 : 1, range: () => this.#range('y2', options.y2Log ?? false) },
        }),
      },
      axes: [
        axis('x', (v) => this.#view.xFormat(v), false),
        { ...axis('y', options.yTick ?? options.yFormat, true), ...(logY && { splits: logSplits }) },
        ...(second
          ? [
              {
                ...axis('y2', options.y2Format ?? options.yFormat, false),
                side: 1 as const,
                ...(options.y2Log && { splits: logSplits }),
              },
            ]
          : []),
      ].map((a) => (a.scale === 'x' && options.xLog ? { ...a, splits: logSplits } : a)),
      series: [{}, ...lines.map((line, i) => this.#series(line, i))],
      cursor: {
        drag: { x: true, y: false, setScale: false },
        y: false,
        points: { show: false },
        ...(options.sync && {
          sync: {
            key: options.sync,
            scales: ['x', null] as [string, null],
            filters: { pub: (type: string) => type === 'mousemove' || type === 'mouseleave' },
          },
        }),
        bind: {
          dblclick: () => () => {
            options.onZoom?.(null);
            return null;
          },
        },
      },
      hooks: {
        drawSeries: [
          (plot, i) => {
            const line = lines[i - 1]!;
            const points = this.#points[i - 1]!;
            if (isDense(plot, points, line)) drawDense(plot, points, line, thicknessOf(line));
          },
        ],
        drawClear: [(plot) => drawBand(plot, this.#view.band ?? null, this.theme)],
        draw: [
          (plot) => {
            drawCut(plot, this.#cut, options.yFormat, this.theme);
            drawMarks(plot, this.#view.marks, this.theme);
            drawLevels(plot, this.#view.levels, this.theme);
            drawMarkers(plot, this.#view.lines, this.#points);
            drawNotFinite(plot, this.#view.lines, this.#points, this.theme);
          },
        ],
        setCursor: [
          (plot) => {
            const left = plot.cursor.left ?? -1;
            options.onCursor?.(left < 0 ? null : plot.posToVal(left, 'x'), left + plot.bbox.left / devicePixelRatio);
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            options.onZoom?.([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  #series(line: Line, index: number): uPlot.Series {
    return {
      scale: line.scale ?? 'y',
      stroke: line.colour,
      alpha: line.faint ? FAINT : 1,
      width: thicknessOf(line),
      dash: DASHES[line.dash]!,
      points: { show: false },
      ...(line.stepped && { fill: withAlpha(line.colour, 0.22) }),
      paths: (plot) => {
        const points = this.#points[index]!;
        return line.scatter || isDense(plot, points, line) ? null : linePath(plot, points, line);
      },
    };
  }
}

/** CSS pixels. */
const thicknessOf = (line: Line): number => (line.faint ? 1 : 1.75);

/** Whether most pixel columns have several points, so that the line is drawn as bars. Dashes would be lost in them. */
const isDense = (plot: uPlot, points: Points, line: Line): boolean =>
  line.dash === 0 && !line.stepped && !line.scatter && points.x.length > 2 * plot.bbox.width;

/** A translucent fill of a CSS colour. */
function withAlpha(colour: string, alpha: number): string {
  return `color-mix(in srgb, ${colour} ${percent(alpha, 0)}, transparent)`;
}
