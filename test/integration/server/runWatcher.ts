/** A client that watches runs which its daemon did not start: the summaries and the event stream that it gets. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RunEvent } from '../../../daemon/protocol/events.js';
import type { BatchColumns, RunSummary } from '../../../daemon/protocol/messages.js';
import type { Client, Daemon } from './harness.js';

type Batch = Extract<RunEvent, { event: 'batch' }>;
export const isBatch = (event: RunEvent): event is Batch => event.event === 'batch';
const CURVE = ['step', 'epoch', 'loss', 'learningRate', 'samplesPerSecond', 'time'] as const;

/** Every event of the log of a run's folder. */
export const logged = async (folder: string): Promise<RunEvent[]> =>
  (await readFile(join(folder, 'events.jsonl'), 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as RunEvent); // prettier-ignore

const curveOf = (batches: readonly Batch[]) =>
  Object.fromEntries(CURVE.map((name) => [name, batches.map((event) => event[name])]));

export class RunWatcher {
  private constructor(
    readonly daemon: Daemon,
    readonly client: Client,
  ) {}

  /** Opens a workspace in the daemon. */
  static async open(daemon: Daemon, workspace: string): Promise<RunWatcher> {
    return new RunWatcher(daemon, await daemon.client([workspace]));
  }

  /** The run's rows of the list, in the order in which they came; null: it has gone. */
  summariesOf(run: string): (RunSummary | null)[] {
    return this.client.received.flatMap(({ method, params }) => {
      const change = params as { run: string; summary: RunSummary | null };
      return method === 'lc/runChanged' && change.run === run ? [change.summary] : [];
    });
  }

  /** The states that the run went through, in order. */
  statesOf(run: string): string[] {
    const states = this.summariesOf(run).map((summary) => summary?.state ?? 'gone');
    return states.filter((state, i) => state !== states[i - 1]);
  }

  /** Waits until the run is in this state. */
  async until(run: string, state: RunSummary['state'] | 'gone', timeout: number): Promise<void> {
    await this.client
      .waitFor(() => this.statesOf(run).at(-1) === state, 0, timeout)
      .catch(() => {
        throw new Error(
          `not ${state} within ${timeout} ms, but ${this.statesOf(run).join()}; the daemon says: ${this.daemon.stderr}`,
        );
      });
  }

  /** The events that the connection got. */
  live(run: string) {
    const events: RunEvent[] = [];
    const curve: Record<(typeof CURVE)[number], (number | null)[]> = { step: [], epoch: [], loss: [], learningRate: [], samplesPerSecond: [], time: [] }; // prettier-ignore
    for (const { method, params } of this.client.received) {
      if ((params as { run?: string } | undefined)?.run !== run) continue;
      if (method === 'lc/events') events.push(...(params as { events: RunEvent[] }).events);
      if (method === 'lc/batches') for (const name of CURVE) curve[name].push(...(params as BatchColumns)[name]);
    }
    return { events, curve };
  }

  /** History as it was right after subscribing, and what came live, are the log: every event and every batch once. */
  async expectWhole(run: string, folder: string, history: readonly RunEvent[]): Promise<void> {
    const log = await logged(folder);
    const { events, curve } = this.live(run);
    const isNew = (event: RunEvent) => !history.some((old) => JSON.stringify(old) === JSON.stringify(event));
    const lastStep = history.filter(isBatch).at(-1)?.step ?? 0;
    const from = curve.step.findIndex((step) => step! > lastStep);
    expect(from).toBeGreaterThanOrEqual(0);
    const tail = Object.fromEntries(CURVE.map((name) => [name, curve[name].slice(from)]));
    expect(tail).toEqual(curveOf(log.filter(isBatch).filter(({ step }) => step > lastStep)));
    expect([...history.filter((event) => !isBatch(event)), ...events.filter(isNew)]).toEqual(
      log.filter((event) => !isBatch(event)),
    );
  }
}
