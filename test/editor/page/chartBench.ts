/** Bundled into a bare page by bench.test.ts: times the product's chart on long series. */
import type { Line } from '../../../webview/chart/line.js';
import { LineChart } from '../../../webview/chart/lineChart.js';
import { Smoother } from '../../../webview/chart/smoothing.js';
import { readTheme } from '../../../webview/page/theme.js';

const SERIES = 4;
const FRAMES = 60;

/** Median milliseconds of a redraw after an append of 100 points to each of the series (smoothed, raw kept faint below). */
function timeChart(points: number): Promise<{ redraw: number; first: number }> {
  const root = document.createElement('div');
  root.style.width = '1000px';
  document.body.append(root);
  const chart = new LineChart(root, { height: 260, yFormat: String }, readTheme());
  const x = Float64Array.from({ length: points + FRAMES * 100 }, (_, i) => i);
  const ys = Array.from({ length: SERIES }, (_, s) => x.map((v) => Math.sin(v / 5000 + s) + Math.random() * 0.3));
  const smoothers = ys.map(() => new Smoother(0.6));
  const show = (length: number) => {
    const lines = ys.flatMap((y, s): Line[] => {
      const look = {
        kind: 'k',
        label: 'l',
        colour: '#3794ff',
        dash: 0,
        shape: 'circle' as const,
        x: x.subarray(0, length),
      };
      return [
        { ...look, id: `raw${s}`, y: y.subarray(0, length), faint: true },
        { ...look, id: `smooth${s}`, y: smoothers[s]!.extend(y.subarray(0, length)) },
      ];
    });
    const start = performance.now();
    chart.show({ lines, levels: [], marks: [], xFormat: String, logY: false, zoom: null });
    chart.draw();
    // Canvas commands are queued; reading a pixel waits for them.
    chart.canvas?.getContext('2d')?.getImageData(0, 0, 1, 1);
    return performance.now() - start;
  };
  return new Promise((resolve) => {
    // The chart learns its width from a ResizeObserver.
    setTimeout(() => {
      const first = show(points);
      const times = Array.from({ length: FRAMES }, (_, i) => show(points + (i + 1) * 100)).sort((a, b) => a - b);
      resolve({ first, redraw: times[times.length >> 1]! });
    }, 200);
  });
}
Object.assign(globalThis, { timeChart });
