import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../../../daemon/protocol/events.js';
import type { ResolvedPlan } from '../../../../daemon/protocol/resolvedPlan.js';
import { pageHtml } from '../../../../extension/page/html.js';
import { planDifference } from '../../../../extension/monitor/planDifference.js';
import { RunSeries } from '../../../../extension/monitor/runSeries.js';
import { toWire } from '../../../../extension/monitor/wire.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { decodeFloats, encodeBytes } from '../../../../webview/page/base64.js';
import type { RunView } from '../../../../webview/messages/monitor.js';
import { RunData } from '../../../../webview/monitor/runData.js';
import { Smoother } from '../../../../webview/chart/smoothing.js';

const TEXTS = { resumed: 'resumed', budget: 'budget', phase: { 'l-step': 'LC', retrain: 'retrain' } } as const;
const T0 = 1_700_000_000_000;

const batch = (step: number, loss: number | null = 1 / step): Extract<RunEvent, { event: 'batch' }> => ({
  event: 'batch',
  time: T0 + step * 10,
  phase: 'l-step',
  step,
  epoch: step / 10,
  loss,
  learningRate: 0.1,
  samplesPerSecond: 100,
});

/** Buffers of thousands of rows are compared a hundred times as fast as arrays. */
const bits = (values: Float64Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

const all = (series: RunSeries) => series.news(new Map()) ?? {};

describe('the series of a run', () => {
  test('a page gets the rows it lacks, and nothing twice', () => {
    const series = new RunSeries(TEXTS);
    const cursor = new Map();
    for (let i = 1; i <= 3; i++) series.apply(batch(i));
    expect(series.news(cursor)!.batch!.columns.step).toEqual(Float64Array.of(1, 2, 3));
    expect(series.news(cursor)).toBeNull();
    series.apply(batch(4));
    const news = series.news(cursor)!.batch!;
    expect(news.reset).toBe(false);
    expect(news.columns.step).toEqual(Float64Array.of(4));
    expect(all(series).batch!.columns.time).toEqual(Float64Array.of(0, 0.01, 0.02, 0.03));
  });

  test("a path's points gather, once each after a resume, and its end says which is the result", () => {
    const series = new RunSeries(TEXTS);
    expect(series.path).toBeNull();
    const evaluation = { loss: 0.1, error: 0.02, samples: 9 };
    const figures = {
      prunable: 100,
      perLayer: [],
      bytes: 80,
      theta: evaluation,
      retrained: evaluation,
      decision: 0.02,
    };
    const point = (number: number, kept: number): RunEvent => ({
      event: 'point',
      time: T0 + number,
      points: 3,
      step: number,
      point: number,
      budget: { weights: kept },
      from: number === 0 ? null : number - 1,
      kept,
      ...figures,
      epochs: 4,
      seconds: 1,
    });
    for (const [number, kept] of [[0, 50], [1, 20], [1, 20], [2, 10]] as const) series.apply(point(number, kept)); // prettier-ignore
    expect(series.path).toMatchObject({ total: 3, answer: null });
    expect(series.path!.points.map(({ point: number, kept }) => [number, kept])).toEqual([
      [0, 50],
      [1, 20],
      [2, 10],
    ]);
    const path = { point: 1, set: 'validation' as const, reference: 0.02, maxErrorIncrease: 0.01, met: true };
    const done = {
      reference: evaluation,
      theta: evaluation,
      retrained: evaluation,
      kept: 20,
      prunable: 100,
      perLayer: [],
    };
    series.apply({ event: 'done', time: T0 + 9, ...done, seconds: 1, folder: '/f', path });
    expect(series.path!.answer).toEqual(path);
    expect(series.path!.points).toHaveLength(3);
  });

  test('evaluations take the epoch of the batch before them', () => {
    const series = new RunSeries(TEXTS);
    series.apply(batch(20));
    series.apply({
      event: 'evaluation',
      time: T0 + 300,
      at: 'theta',
      set: 'test',
      step: 20,
      loss: 0.5,
      error: 0.25,
      samples: 9,
    });
    const { columns } = all(series)['theta/test']!;
    expect([columns.epoch![0], columns.error![0]]).toEqual([2, 0.25]);
  });

  test('what is not a number stays visible as NaN, also across the wire', () => {
    const series = new RunSeries(TEXTS);
    series.apply(batch(1, null));
    const wire = toWire(all(series)).batch!;
    expect(decodeFloats(wire.columns.loss!)).toEqual(Float64Array.of(NaN));
    expect(decodeFloats(wire.columns.learningRate!)).toEqual(Float64Array.of(0.1));
  });

  test('steps repeated after a resume replace the first ones', () => {
    const series = new RunSeries(TEXTS);
    const cursor = new Map();
    for (let i = 1; i <= 10; i++) series.apply(batch(i));
    series.news(cursor);
    series.apply(batch(8, 42));
    const news = series.news(cursor)!.batch!;
    expect(news.reset).toBe(true);
    expect(Array.from(news.columns.step!)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(news.columns.loss![7]).toBe(42);
  });

  test('stays bounded and keeps the peak and the NaN', () => {
    const series = new RunSeries(TEXTS, 1000);
    for (let i = 1; i <= 20_000; i++) series.apply(batch(i, i === 777 ? 1e6 : i === 12_345 ? null : 1));
    const loss = all(series).batch!.columns.loss!;
    expect(loss.length).toBeLessThanOrEqual(1000);
    expect(Math.max(...loss.filter(Number.isFinite))).toBe(1e6);
    expect(loss.some(Number.isNaN)).toBe(true);
    const steps = all(series).batch!.columns.step!;
    expect(steps.every((step, i) => i === 0 || step > steps[i - 1]!)).toBe(true);
  });

  test('a page that follows has the same rows at any time, however often the table was halved or cut back', () => {
    const random = createRandom(5);
    const series = new RunSeries(TEXTS, 6000);
    const page = new RunData({} as RunView);
    const cursor = new Map();
    let step = 0;
    const kinds = { append: 0, halved: 0, reset: 0 };
    for (let turn = 0; turn < 400; turn++) {
      if (random.next() < 0.02) step -= Math.floor(random.next() * 50);
      // Mostly a few rows, at times more than a page may lag.
      for (let left = random.next() < 0.05 ? 5000 : random.next() * 300; left > 0; left--)
        series.apply(batch(++step, random.next() < 0.01 ? null : random.normal()));
      const news = series.news(cursor)!;
      const { reset, halved } = news.batch!;
      kinds[reset ? 'reset' : halved ? 'halved' : 'append']++;
      page.apply(toWire(news));
      const { columns } = all(series).batch!;
      for (const name of ['step', 'loss', 'time'] as const)
        expect(bits(page.y('batch', name)).equals(bits(columns[name]!)), name).toBe(true);
      expect(bits(page.smooth('batch', 'loss', 0.6)).equals(bits(new Smoother(0.6).extend(columns.loss!)))).toBe(true);
    }
    for (const count of Object.values(kinds)) expect(count).toBeGreaterThan(5);
  });

  test('live columns are the same as events, over halvings and steps that a resumed trainer repeats', () => {
    const random = createRandom(6);
    const one = new RunSeries(TEXTS, 500);
    const two = new RunSeries(TEXTS, 500);
    let step = 0;
    for (let message = 0; message < 120; message++) {
      const events = Array.from({ length: 1 + Math.floor(random.next() * 30) }, () => {
        if (random.next() < 0.02) step = Math.max(0, step - Math.floor(random.next() * 60));
        return batch(++step, random.next() < 0.05 ? null : random.normal());
      });
      for (const event of events) one.apply(event);
      const column = <K extends keyof (typeof events)[number]>(name: K) => events.map((event) => event[name]);
      two.applyBatches({
        run: 'r',
        step: column('step'),
        epoch: column('epoch'),
        loss: column('loss'),
        learningRate: column('learningRate'),
        samplesPerSecond: column('samplesPerSecond'),
        time: column('time'),
      });
      expect(all(two)).toEqual(all(one));
    }
    expect(step).toBeGreaterThan(600);
  });

  test('the reference has the figures of the test set, in any order of the events', () => {
    const series = new RunSeries(TEXTS);
    for (const [set, error] of [
      ['train', 0.01],
      ['test', 0.02],
      ['train', 0.01],
    ] as const)
      series.apply({ event: 'evaluation', time: T0, at: 'reference', set, step: 0, loss: 1, error, samples: 1 });
    expect(series.referenceError).toBe(0.02);
  });

  test('phases are marked once, not at every L step', () => {
    const series = new RunSeries(TEXTS);
    series.apply(batch(1));
    for (let i = 0; i < 5; i++)
      for (const phase of ['l-step', 'c-step'] as const)
        series.apply({ event: 'phase', time: T0, phase, iteration: i });
    series.apply({ event: 'phase', time: T0, phase: 'retrain' });
    expect(series.marks.map((mark) => mark.label)).toEqual(['LC', 'retrain']);
  });
});

test('bytes survive base64, at lengths around the chunk size', () => {
  for (const length of [0, 1, 0x7fff, 0x8000, 0x8001]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    expect(Buffer.from(encodeBytes(bytes), 'base64').equals(bytes), String(length)).toBe(true);
  }
});

test('the plan difference names settings that differ, and only those', () => {
  const plan = (part: object) =>
    ({
      name: 'x',
      modelHash: String(Math.random()),
      seed: 0,
      tasks: [{ budget: { keep: '1%' } }],
      ...part,
    }) as unknown as ResolvedPlan;
  expect(planDifference([plan({}), plan({ seed: 1, output: 'o' }), null])).toEqual([
    { setting: 'seed', values: ['0', '1', '–'] },
    { setting: 'tasks.budget.keep', values: ['1%', '1%', '–'] },
    { setting: 'output', values: ['–', 'o', '–'] },
  ]);
  expect(planDifference([plan({}), plan({ name: 'y' })])).toEqual([]);
});

describe('the page', () => {
  const parts = { cspSource: 'https://x', script: 's.js', style: 's.css', title: 't', language: 'en', strings: {} };

  test('allows its own script and style, and nothing else', () => {
    const html = pageHtml(parts);
    const csp = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!.replaceAll('&#39;', "'");
    expect(csp).toContain("default-src 'none'");
    expect(csp).not.toContain('unsafe');
    const nonce = /'nonce-([^']+)'/.exec(csp)![1]!;
    expect(Buffer.from(nonce, 'base64').length).toBe(16);
    expect(html).toContain(`nonce="${nonce}"`);
    expect(html).not.toMatch(/ style=|<style/);
  });

  test('has another nonce each time, and translations cannot break out', () => {
    const evil = pageHtml({ ...parts, title: '"><script>', strings: { a: '</script><script>alert(1)</script>' } });
    expect(evil.match(/<script/g)!.length).toBe(2);
    expect(evil).not.toContain('"><script>');
    expect(pageHtml(parts)).not.toBe(pageHtml(parts));
  });
});
