import { appendFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent, UntimedRunEvent } from '../../../daemon/protocol/events.js';
import { lastEvents } from '../../../daemon/runs/eventLog.js';
import { readEvents } from '../../../daemon/runs/list/registry.js';
import { downsampleBatches } from '../../../daemon/runs/downsampleBatches.js';
import { createBatchLog } from '../../../daemon/trainer/log/batchLog.js';
import { openEventWriter } from '../../../daemon/trainer/log/eventWriter.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-'));
  file = join(folder, 'events.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const batch = (step: number): UntimedRunEvent => ({
  event: 'batch',
  phase: 'l-step',
  iteration: 0,
  step,
  epoch: step / 10,
  loss: 1 / step,
  learningRate: 0.1,
  samplesPerSecond: 100,
});
const warning = (n: number): UntimedRunEvent => ({ event: 'warning', code: 'note', message: `é ${n}` });
const steps = (events: readonly RunEvent[]) => events.flatMap((event) => (event.event === 'batch' ? [event.step] : []));

describe('the event log', () => {
  it('reads back what was written, in windows', async () => {
    const writer = openEventWriter(file, { bytes: 0, events: 0 }, () => 5);
    const written = Array.from({ length: 3000 }, (_, i) => writer.write(i % 3 === 0 ? warning(i) : batch(i)));
    writer.close();
    const read: RunEvent[] = [];
    let from = 0;
    for (let end = false; !end;) {
      const window = await readEvents(folder, from, 700);
      read.push(...window.events);
      ({ next: from, end } = window);
    }
    expect(read).toEqual(written);
    expect(from).toBe(3000);
    expect(await readEvents(folder, 2500, 10)).toEqual({ events: written.slice(2500, 2510), next: 2510, end: false });
    expect(await readEvents(folder, 3000, 10)).toEqual({ events: [], next: 3000, end: true });
    expect(await readEvents(folder, 9999, 10)).toEqual({ events: [], next: 9999, end: true });
  });

  it('writes numbers that JSON cannot hold as null', () => {
    const writer = openEventWriter(file, { bytes: 0, events: 0 }, () => 5);
    expect(writer.write({ ...batch(1), loss: NaN } as UntimedRunEvent)).toMatchObject({ loss: null, time: 5 });
    writer.close();
  });

  it('does not see a torn last line until it is whole', async () => {
    const writer = openEventWriter(file, { bytes: 0, events: 0 }, () => 5);
    writer.write(warning(1));
    writer.close();
    const line = `${JSON.stringify({ time: 6, ...warning(2) })}\n`;
    const bytes = Buffer.from(line);
    for (let cut = 1; cut < bytes.length; cut += 7) {
      await appendFile(file, bytes.subarray(0, cut));
      expect((await readEvents(folder, 0, 100)).events).toHaveLength(1);
      await truncate(file, writer.position.bytes);
    }
    await appendFile(file, bytes);
    expect((await readEvents(folder, 0, 100)).events).toHaveLength(2);
  });

  it('passes over damaged lines and keeps their place', async () => {
    await writeFile(
      file,
      `${JSON.stringify({ time: 1, ...warning(1) })}\nnot json\n{"event":"later-version"}\n\n${JSON.stringify({ time: 2, ...warning(2) })}\n`,
    );
    const { events, next, end } = await readEvents(folder, 0, 100);
    expect(events.map((event) => event.time)).toEqual([1, 2]);
    expect({ next, end }).toEqual({ next: 5, end: true });
  });

  it('a resumed writer drops the steps after the checkpoint: no step is there twice', async () => {
    const first = openEventWriter(file, { bytes: 0, events: 0 }, () => 5);
    for (let i = 1; i <= 10; i++) first.write(batch(i));
    const { position } = first;
    for (let i = 11; i <= 20; i++) first.write(batch(i));
    first.close();
    await appendFile(file, '{"event":"batch","ti');
    expect(steps((await readEvents(folder, 0, 100)).events)).toHaveLength(20);

    const second = openEventWriter(file, position, () => 6);
    expect(second.position).toEqual(position);
    for (let i = 11; i <= 40; i++) second.write(batch(i));
    second.close();
    expect(steps((await readEvents(folder, 0, 100)).events)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it('notices that a log was cut back and has grown again, also past where it was', async () => {
    await writeFile(file, `${JSON.stringify({ time: 1, ...warning(1) })}\n\n`);
    expect((await readEvents(folder, 0, 10)).next).toBe(2);
    await writeFile(file, '');
    expect(await readEvents(folder, 0, 10)).toEqual({ events: [], next: 0, end: true });
    const writer = openEventWriter(file, { bytes: 0, events: 0 }, () => 5);
    writer.write({ event: 'paused', step: 1 });
    for (let i = 1; i <= 5000; i++) writer.write(batch(i));
    expect(await lastEvents(folder)).toMatchObject({ state: { event: 'paused' }, batch: { step: 5000 } });
    writer.close();
    const again = openEventWriter(file, { bytes: 0, events: 0 }, () => 6);
    for (let i = 1; i <= 6000; i++) again.write(batch(2 * i));
    again.close();
    expect(await lastEvents(folder)).toMatchObject({ state: null, batch: { step: 12000 }, first: null });
    expect(steps((await readEvents(folder, 4500, 3)).events)).toEqual([9002, 9004, 9006]);
  });

  it('finds the latest events however the log grew', async () => {
    expect(await lastEvents(folder)).toMatchObject({ state: null, batch: null, last: null });
    const writer = openEventWriter(file, { bytes: 0, events: 0 }, () => 7);
    writer.write(batch(1));
    expect(await lastEvents(folder)).toMatchObject({ state: null, batch: { step: 1 } });
    writer.write({ event: 'paused', step: 1 });
    writer.write(batch(2));
    expect(await lastEvents(folder)).toMatchObject({
      state: { event: 'paused' },
      batch: { step: 2 },
      first: 7,
      last: 7,
    });
    await Promise.all(Array.from({ length: 5 }, () => lastEvents(folder)));
    expect((await readEvents(folder, 0, 100)).next).toBe(3);
    writer.close();
  });

  it('fails with what to do when the log cannot be written', async () => {
    await mkdir(file);
    expect(() => openEventWriter(file, { bytes: 0, events: 0 }, () => 5)).toThrow(/cannot be written/);
  });
});

describe('downsampling', () => {
  const many: RunEvent[] = Array.from(
    { length: 1000 },
    (_, i) => ({ time: i, ...(i % 100 === 50 ? warning(i) : batch(i + 1)) }) as RunEvent,
  );

  it('keeps every other event, the order, the ends and the peaks', () => {
    for (const resolution of [2, 7, 50, 989, 990, 5000]) {
      const thin = downsampleBatches(many, resolution);
      const batches = thin.filter((event) => event.event === 'batch');
      expect(batches.length).toBeLessThanOrEqual(resolution);
      expect(batches.length).toBeGreaterThanOrEqual(Math.min(resolution, 990) / 2);
      expect(thin.filter((event) => event.event !== 'batch')).toEqual(many.filter((event) => event.event !== 'batch'));
      expect(batches.at(-1)).toMatchObject({ step: 1000 });
      expect(steps(thin)).toEqual([...steps(thin)].sort((a, b) => a - b));
    }
    const spike = many.map((event) => (event.event === 'batch' && event.step === 321 ? { ...event, loss: 99 } : event));
    expect(downsampleBatches(spike, 5)).toContainEqual(expect.objectContaining({ step: 321, loss: 99 }));
  });

  it('keeps the last batch if there is room for one', () => {
    const events = [1, 2].map((step) => ({ time: 0, ...batch(step), loss: step === 1 ? null : 0.5 }) as RunEvent);
    expect(downsampleBatches(events, 1)).toMatchObject([{ loss: 0.5, step: 2 }]);
  });
});

describe('the batch log', () => {
  it('logs at most every 50 ms, and every step is in some mean', () => {
    let now = 0;
    const logged: Extract<UntimedRunEvent, { event: 'batch' }>[] = [];
    const log = createBatchLog(
      { phase: 'l-step', iteration: 3 },
      32,
      () => now,
      (event) => logged.push(event as never),
    );
    for (let step = 1; step <= 1000; step++) {
      now += 1;
      log.add({ step, epoch: 0, loss: step, learningRate: 0.1 });
    }
    log.flush();
    log.flush();
    expect(logged).toHaveLength(20);
    expect(logged.reduce((sum, { loss }) => sum + 50 * loss!, 0)).toBe(500500);
    expect(logged.at(-1)).toMatchObject({ step: 1000, iteration: 3, samplesPerSecond: 32000 });
  });
});
