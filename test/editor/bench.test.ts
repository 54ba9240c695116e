/** Redraw speed of the monitor's chart (npm run bench:monitor). Prints; judges nothing but that it draws. */
import { cpus, loadavg } from 'node:os';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { launchBrowser } from './page/openPage.js';
import { ROOT } from './sample.js';

test.runIf(process.env.BENCH === '1')('redraw of long series', async () => {
  const bundle = await build({
    entryPoints: [`${ROOT}/test/editor/page/chartBench.ts`],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
  });
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1100, height: 500 } });
  await page.setContent('<body></body>');
  await page.addScriptTag({ content: bundle.outputFiles[0]!.text });
  const session = await page.context().newCDPSession(page);
  // Processor time of the page's main thread: what the work costs, whatever else runs on the machine.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((metric) => metric.name === 'TaskDuration')!.value * 1000;
  };
  console.log(`${cpus()[0]!.model}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}, software rendering`);
  for (const points of [10_000, 100_000, 400_000]) {
    const before = await busy();
    const { first, redraw } = await page.evaluate(
      (count) =>
        (globalThis as unknown as { timeChart(n: number): { first: number; redraw: number } }).timeChart(count),
      points,
    );
    console.log(
      `${points.toLocaleString('en-US')} points x 4 series (raw and smoothed): first ${first.toFixed(0)} ms, redraw ${redraw.toFixed(1)} ms = ${(1000 / redraw).toFixed(0)} frames/s`,
    );
    console.log(
      `  processor time of the main thread: ${((await busy()) - before).toFixed(0)} ms for 61 drawings and making the data`,
    );
    expect(redraw).toBeGreaterThan(0);
  }
  await browser.close();
});
