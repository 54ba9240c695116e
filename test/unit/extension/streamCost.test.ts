import { expect, test } from 'vitest';
import { RunSeries } from '../../../extension/monitor/runSeries.js';
import { toWire } from '../../../extension/monitor/wire.js';

/** 2,000 metrics a second for 60 s, in batches of 50 ms, sent on every 40 ms: what the extension host keeps and sends. */
test('a minute of 2,000 metrics a second stays within the row limit, and the page gets each row once', () => {
  const series = new RunSeries({ resumed: '', budget: '', phase: {} });
  const cursor = new Map();
  let step = 0;
  let sent = 0;
  const start = process.cpuUsage();
  for (let tick = 0; tick < 60 * 20; tick++) {
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
    expect(news.batch!.reset).toBe(tick === 0);
    sent += news.batch!.columns.step!.length;
    toWire(news);
  }
  const { user, system } = process.cpuUsage(start);
  console.log(`host cost of a minute at 2,000 metrics/s: ${((user + system) / 1000).toFixed(0)} ms of CPU`);
  expect(sent).toBe(120_000);
  expect(step).toBe(120_000);
});
