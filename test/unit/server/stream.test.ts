import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { BatchColumns } from '../../../daemon/protocol/messages.js';
import { LIMITS } from '../../../daemon/server/limits.js';
import { runKey, RunStream, halve } from '../../../daemon/server/connection/stream.js';

const batch = (step: number, loss: number | null = 1 / step): RunEvent => ({
  event: 'batch',
  time: step,
  phase: 'l-step',
  step,
  epoch: step / 10,
  loss,
  learningRate: 0.1,
  samplesPerSecond: 100,
});

const columnsOf = (losses: readonly (number | null)[]): BatchColumns => ({
  run: 'r',
  step: losses.map((_, i) => i),
  epoch: losses.map((_, i) => i / 10),
  loss: [...losses],
  learningRate: losses.map(() => 0.1),
  samplesPerSecond: losses.map(() => 1),
  time: losses.map((_, i) => 1000 + i),
});

describe('halving', () => {
  it('keeps half at most, in order, whole rows, and every peak and every null', () => {
    const loss = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
    fc.assert(
      fc.property(fc.array(loss, { minLength: 9, maxLength: 200 }), (losses) => {
        const columns = columnsOf(losses);
        halve(columns);
        expect(columns.step.length).toBeLessThanOrEqual(Math.ceil(losses.length / 2));
        expect([columns.step[0], columns.step.at(-1)]).toEqual([0, losses.length - 1]);
        expect(columns.step).toEqual([...columns.step].sort((a, b) => a - b));
        columns.step.forEach((step, row) => {
          expect(columns.loss[row]).toBe(losses[step]);
          expect(columns.time[row]).toBe(1000 + step);
          expect(columns.epoch[row]).toBe(step / 10);
        });
        const finite = losses.filter((value) => value !== null);
        if (!losses.includes(null) && finite.length > 0) expect(columns.loss).toContain(Math.max(...finite));
        if (losses.includes(null)) expect(columns.loss).toContain(null);
      }),
    );
  });
});

describe('RunStream', () => {
  let owed = 0;
  let batches: BatchColumns[];
  let events: RunEvent[];
  let stream: RunStream;

  beforeEach(() => {
    vi.useFakeTimers();
    owed = 0;
    batches = [];
    events = [];
    stream = new RunStream({
      batches: (columns) => batches.push(structuredClone(columns)),
      events: (_run, some) => events.push(...some),
      owed: () => owed,
    });
  });
  afterEach(() => {
    stream.close();
    vi.useRealTimers();
  });

  it('gathers batches into columns once per interval', () => {
    stream.subscribe('r', 'r');
    for (let step = 1; step <= 100; step++) stream.push('r', batch(step));
    expect(batches).toEqual([]);
    vi.advanceTimersByTime(LIMITS.batchInterval);
    expect(batches).toHaveLength(1);
    expect(batches[0]!.step).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    vi.advanceTimersByTime(10 * LIMITS.batchInterval);
    expect(batches).toHaveLength(1);
  });

  it('sends what waits at once before the end of a run is sent, and nothing of it twice', () => {
    stream.subscribe('r', 'r');
    stream.push('r', batch(1));
    stream.flush();
    expect(batches.map(({ step }) => step)).toEqual([[1]]);
    stream.push('r', batch(2));
    vi.advanceTimersByTime(10 * LIMITS.batchInterval);
    expect(batches.map(({ step }) => step)).toEqual([[1], [2]]);
  });

  it('sends nothing of runs that are not subscribed, or not any more', () => {
    stream.push('r', batch(1));
    stream.subscribe('r', 'r');
    stream.push('r', batch(2));
    stream.subscribe('r', null);
    vi.advanceTimersByTime(1000);
    expect(batches).toEqual([]);
    expect(events).toEqual([]);
  });

  it('distinguishes runs of one name in two folders, each under the name that it was asked for by', () => {
    stream.subscribe('/one/r', runKey('/one', 'r'));
    stream.subscribe('/two/r', runKey('/two', 'r'));
    stream.push(runKey('/one', 'r'), batch(1));
    stream.push(runKey('/two', 'r'), batch(7));
    stream.push(runKey('/three', 'r'), batch(9));
    vi.advanceTimersByTime(LIMITS.batchInterval);
    expect(batches.map(({ run, step }) => [run, step])).toEqual([
      ['/one/r', [1]],
      ['/two/r', [7]],
    ]);
    stream.subscribe('/one/r', null);
    expect([stream.follows(runKey('/one', 'r')), stream.follows(runKey('/two', 'r'))]).toEqual([false, true]);
  });

  it('holds batches back while the client owes reading, in bounded memory; events go out at once', () => {
    stream.subscribe('r', 'r');
    owed = LIMITS.outgoingBusy + 1;
    for (let step = 1; step <= 50 * LIMITS.waitingPoints; step++) {
      stream.push('r', batch(step, step === 12_345 ? 99 : 1));
      if (step % 1000 === 0) vi.advanceTimersByTime(LIMITS.batchInterval);
    }
    stream.push('r', { event: 'paused', time: 1, step: 1 });
    vi.advanceTimersByTime(LIMITS.batchInterval);
    expect(batches).toEqual([]);
    expect(events).toHaveLength(1);
    owed = 0;
    vi.advanceTimersByTime(LIMITS.batchInterval);
    expect(batches).toHaveLength(1);
    const { step, loss } = batches[0]!;
    expect(step.length).toBeLessThanOrEqual(LIMITS.waitingPoints);
    expect(step.length).toBeGreaterThan(LIMITS.waitingPoints / 4);
    expect(step.at(-1)).toBeGreaterThan(50 * LIMITS.waitingPoints - 100);
    expect(loss).toContain(99);
  });

  it('loses no event, whatever the order and the pace', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(80)), { maxLength: 300 }), (script) => {
        events = [];
        const sent: RunEvent[] = [];
        stream.subscribe('r', 'r');
        script.forEach(([isBatch, pause], i) => {
          const event: RunEvent = isBatch ? batch(i + 1) : { event: 'warning', time: i, code: 'c', message: String(i) };
          if (!isBatch) sent.push(event);
          stream.push('r', event);
          owed = pause % 3 === 0 ? LIMITS.outgoingBusy + 1 : 0;
          vi.advanceTimersByTime(pause);
        });
        owed = 0;
        vi.advanceTimersByTime(2 * LIMITS.batchInterval);
        expect(events).toEqual(sent);
      }),
    );
  });
});
