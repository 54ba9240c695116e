/** Redraw speed of the monitor's chart (npm run bench:monitor): 100,000 points x 4 series, and what a live update costs. */
import { expect, test } from 'vitest';
import { fakeRun, hydration } from './page/fakeRun.js';
import { launchBrowser, openMonitor } from './page/openPage.js';

const FRAMES = 60;

test.runIf(process.env.BENCH === '1')('redraw of 100,000 points x 4 series', async () => {
  const browser = await launchBrowser();
  const monitor = await openMonitor(browser, { width: 1400, height: 900 });
  const runs = [0, 1, 2, 3].map((i) =>
    fakeRun({ id: `run-${i}`, colour: i, seed: i + 1, iterations: 100, of: 100, batches: 1000 }),
  );
  const before = await monitor.page.evaluate(() => performance.now());
  await monitor.send(hydration(runs));
  await monitor.page.locator('.card.loss canvas').waitFor();
  const shown = await monitor.page.evaluate(() => performance.now());
  // Every frame the page is told that something changed, as by a live run; it redraws all its charts.
  const times = await monitor.page.evaluate(
    async ({ frames, view }) => {
      const out: number[] = [];
      for (let i = 0; i < frames; i++) {
        const start = performance.now();
        postMessage({ type: 'run', view }, '*');
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
        out.push(performance.now() - start);
      }
      return out;
    },
    { frames: FRAMES, view: runs[0]!.view },
  );
  const costs = await monitor.page.evaluate(() =>
    performance.getEntriesByName('draw').map((entry) => (entry as PerformanceMeasure & { detail: string }).duration),
  );
  times.sort((a, b) => a - b);
  costs.sort((a, b) => a - b);
  const middle = (values: number[]) => values[values.length >> 1]!.toFixed(1);
  console.log(
    `hydrated and drawn in ${(shown - before).toFixed(0)} ms; update of all charts: median ${middle(times)} ms a frame of 2; ` +
      `drawing one chart: median ${costs.length ? middle(costs) : '-'} ms, worst ${costs.at(-1)?.toFixed(1) ?? '-'} ms`,
  );
  expect(monitor.problems).toEqual([]);
  await browser.close();
});
