import { expect, test } from 'vitest';
import { RunSeries } from '../../../extension/monitor/runSeries.js';
import { toWire } from '../../../extension/monitor/wire.js';

/** 2,000 metrics a second for 60 s, in batches of 50 ms, sent on every 40 ms: what the extension host keeps and sends. */
test('five minutes of 2,000 metrics a second stay within the row limit, and the page gets each row once', () => {
  const series = new RunSeries({ resumed: '', budget: '', phase: {} });
  const cursor = new Map();
  let step = 0;
  let sent = 0;
  let halvings = 0;
  const start = process.cpuUsage();
  for (let tick = 0; tick < 300 * 20; tick++) {
    const range = Array.from({ length: 100 }, () => ++step);
    series.applyBatches({
      run: 'r',
      step: range,
      epoch: range.map((s) => s / 1000),
      loss: range.map((s) => 1 / s),
      learningRate: range.map(() => 0.1),
      samplesPerSecond: range.map(() => 1000),
      time: range.map((s) => s / 2),
    });
    const news = series.news(cursor)!;
    const { reset, columns, halved } = news.batch!;
    expect(reset).toBe(tick === 0);
    // Halving included: never the whole table again, which is megabytes.
    expect(columns.step!.length + (halved?.step!.length ?? 0)).toBe(100);
    halvings += halved ? 1 : 0;
    sent += columns.step!.length + (halved?.step!.length ?? 0);
    toWire(news);
  }
  const { user, system } = process.cpuUsage(start);
  console.log(`host cost of five minutes at 2,000 metrics/s: ${((user + system) / 1000).toFixed(0)} ms of CPU`);
  expect(sent).toBe(600_000);
  expect(step).toBe(600_000);
  expect(halvings).toBeGreaterThan(3);
});
