/** A window of the editor from the daemon's view: one process with one client that follows runs as the monitor does. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RunEvent } from '../../../daemon/protocol/events.js';
import type { BatchColumns, RunSummary } from '../../../daemon/protocol/messages.js';
import { lockOwner } from '../../../daemon/trainer/process/lock.js';
import { runPaths } from '../../../daemon/trainer/process/runFolder.js';
import { Daemon, type Client } from '../server/harness.js';

type Batch = Extract<RunEvent, { event: 'batch' }>;
export const isBatch = (event: RunEvent): event is Batch => event.event === 'batch';

export interface WindowOptions {
  readonly script: string;
  readonly workspace: string;
  /** The value of the setting. */
  readonly keepTraining: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

export class Window {
  private constructor(
    readonly daemon: Daemon,
    readonly client: Client,
    readonly workspace: string,
  ) {}

  /** Opens a window and lets it take over the runs that are left. */
  static async open({ script, workspace, keepTraining, env = {} }: WindowOptions): Promise<Window> {
    const daemon = await Daemon.start(script, { env });
    const client = await daemon.client([workspace], { keepTraining });
    const window = new Window(daemon, client, workspace);
    await client.ask('lc/adopt', null);
    return window;
  }

  /** Closes it as the extension does when its window closes or reloads. @returns the duration in milliseconds. */
  async close(): Promise<number> {
    const began = performance.now();
    await this.daemon.close();
    return performance.now() - began;
  }

  async kill(): Promise<void> {
    const exit = once(this.daemon.child, 'exit');
    this.daemon.child.kill('SIGKILL');
    await exit;
  }

  folderOf(run: string): string {
    return join(this.workspace, '.lcprune', 'runs', run);
  }

  /** Process id of the run's trainer; null if it has none. */
  async trainerOf(run: string): Promise<number | null> {
    return (await lockOwner(runPaths(this.folderOf(run)).lock))?.pid ?? null;
  }

  /** Every event of the log. */
  async logOf(run: string): Promise<RunEvent[]> {
    const text = await readFile(runPaths(this.folderOf(run)).events, 'utf8');
    return text.trimEnd().split('\n').map((line) => JSON.parse(line) as RunEvent); // prettier-ignore
  }

  /** The content of a view that follows the run: it subscribes, then reads the history, then adds events that are not in it. */
  async follow(run: string): Promise<Followed> {
    await this.client.ask('lc/subscribe', { run, on: true });
    const { events, end } = await this.client.ask('lc/history', { run, from: 0, limit: 100_000 });
    if (!end) throw new Error('the history is longer than one page');
    return new Followed(this.client, run, events);
  }

  /** The states that the run went through here, in order. */
  statesOf(run: string): string[] {
    const states = this.client.received.flatMap(({ method, params }) => {
      const change = params as { run: string; summary: RunSummary | null };
      return method === 'lc/runChanged' && change.run === run ? [change.summary?.state ?? 'gone'] : [];
    });
    return states.filter((state, i) => state !== states[i - 1]);
  }

  async stateOf(run: string): Promise<RunSummary['state'] | null> {
    const runs = await this.client.ask('lc/runs', null);
    return runs.find((summary) => summary.run === run)?.state ?? null;
  }

  /** Waits until the run is in one of these states. */
  async until(run: string, states: readonly RunSummary['state'][], timeout = 30_000): Promise<RunSummary['state']> {
    for (const end = performance.now() + timeout; ; await wait(50)) {
      const state = await this.stateOf(run);
      if (state && states.includes(state)) return state;
      if (performance.now() > end)
        throw new Error(`${run} is ${state}, not ${states.join()}; the daemon says: ${this.daemon.stderr}`);
    }
  }

  /** Runs that this window was notified of as interrupted while nobody looked after them. */
  get left(): string[] {
    return this.client.received.flatMap(({ method, params }) =>
      method === 'lc/left' ? (params as { folders: string[] }).folders.map((folder) => basename(folder)) : [],
    );
  }

  /** Locks of those who look after runs. */
  async kept(): Promise<string[]> {
    return (await readdir(join(this.workspace, '.lcprune', 'kept')).catch(() => [])).filter((name) => !name.startsWith('.')); // prettier-ignore
  }
}

const COLUMNS = ['step', 'epoch', 'loss', 'learningRate', 'samplesPerSecond', 'time'] as const;

/** The events and the curve of a run as one connection has them. */
export class Followed {
  constructor(
    readonly client: Client,
    readonly run: string,
    readonly history: readonly RunEvent[],
  ) {}

  /** The curve, and the events that are not batches: they arrive in different messages. */
  get all(): Shown {
    const events: RunEvent[] = this.history.filter((event) => !isBatch(event));
    const known = new Set(events.map((event) => JSON.stringify(event)));
    const curve: Point[] = this.history.filter(isBatch).map(pointOf);
    const last = this.history.filter(isBatch).at(-1)?.step ?? 0;
    for (const { method, params } of this.client.received) {
      if ((params as { run?: string } | undefined)?.run !== this.run) continue;
      if (method === 'lc/events')
        // As the client reads them: with the names in the order of the schema, as the history has them.
        events.push(
          ...(params as { events: RunEvent[] }).events
            .map((event) => RunEvent.parse(event))
            .filter((event) => !known.has(JSON.stringify(event))),
        );
      if (method !== 'lc/batches') continue;
      const columns = params as BatchColumns;
      for (const [i, step] of columns.step.entries())
        if (step > last) curve.push(COLUMNS.map((name) => columns[name][i] ?? null));
    }
    return { curve, events };
  }
}

/** The columns of one batch event. */
type Point = (number | null)[];
export interface Shown {
  readonly curve: readonly Point[];
  readonly events: readonly RunEvent[];
}
const pointOf = (batch: Batch): Point => COLUMNS.map((name) => batch[name]);

/** The same of a log. */
export const inLog = (log: readonly RunEvent[]): Shown => ({
  curve: log.filter(isBatch).map(pointOf),
  events: log.filter((event) => !isBatch(event)),
});

/** The bytes of a run's result: its model's weights and its sparse package. */
export async function resultOf(folder: string): Promise<Record<string, string>> {
  const { result } = runPaths(folder);
  const names = (await readdir(result)).filter((name) => name.endsWith('.bin') || name === 'model.lcp').sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(result, name), 'base64')] as const)),
  );
}
