/** A workspace, the real daemon and the real supervisor, with a trainer process that invents its metrics. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { BatchColumns, RunSummary } from '../../../../daemon/protocol/messages.js';
import type { RunEvent } from '../../../../daemon/protocol/events.js';
import { bundleFakes } from '../../../fixtures/daemon/bundle.js';
import { Daemon, temporaryFolder, type Client } from '../harness.js';

/** Builds the daemon and the trainer once for a test file; each test has its own workspace and daemon. */
export async function buildInventedRuns(): Promise<InventedRuns> {
  const scratch = await temporaryFolder();
  const fakes = await bundleFakes(join(scratch.path, 'dist'));
  return new InventedRuns(scratch, fakes);
}

export class InventedRuns {
  workspace = '';
  planPath = '';
  #serial = 0;
  #daemon: Daemon | null = null;

  constructor(
    readonly scratch: { readonly path: string; remove(): Promise<void> },
    readonly fakes: { readonly daemon: string; readonly trainer: string },
  ) {}

  /** Before each test: a new workspace with a plan. */
  async openWorkspace(): Promise<void> {
    this.workspace = join(this.scratch.path, `workspace${this.#serial++}`);
    await mkdir(this.workspace);
    this.planPath = join(this.workspace, 'fake.prune.json');
    await writeFile(this.planPath, '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }');
  }

  /** The daemon that was started last. */
  get daemon(): Daemon {
    if (!this.#daemon) throw new Error('this test has started no daemon');
    return this.#daemon;
  }

  /** Starts a daemon. @param env what the trainer is to do (test/fixtures/daemon/fakeTrainer.ts). @returns a client of it. */
  async start(env: Record<string, string> = {}): Promise<Client> {
    this.#daemon = await Daemon.start(this.fakes.daemon, { env: { FAKE_TRAINER: this.fakes.trainer, ...env } });
    return this.#daemon.client([this.workspace]);
  }

  /** Ends the daemon after each test, and checks that it reported no unexpected error. */
  async closeDaemon(): Promise<void> {
    await this.daemon.close();
    expect(this.daemon.stderr).not.toMatch(/uncaught|unhandled/i);
  }

  remove(): Promise<void> {
    return this.scratch.remove();
  }

  /** Every event of the run's log. */
  async loggedEvents(run: string): Promise<RunEvent[]> {
    const text = await readFile(join(this.workspace, '.lcprune', 'runs', run, 'events.jsonl'), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
  }

  /** Process ids of the trainers that have this workspace's runs locked. */
  async trainerPids(): Promise<number[]> {
    const runs = join(this.workspace, '.lcprune', 'runs');
    const pids: number[] = [];
    for (const run of await readdir(runs)) {
      const text = await readFile(join(runs, run, 'lock'), 'utf8').catch(() => null);
      if (text) pids.push((JSON.parse(text) as { pid: number }).pid);
    }
    return pids;
  }
}

/** The batches that the client got live. */
export const batchesOf = (client: Client, run: string): BatchColumns[] =>
  client.received
    .filter((message) => message.method === 'lc/batches')
    .map((message) => message.params as BatchColumns)
    .filter((columns) => columns.run === run);

/** The events that are not batches, in the order in which the client got them. */
export const eventsOf = (client: Client, run: string): RunEvent[] =>
  client.received
    .filter((message) => message.method === 'lc/events')
    .map((message) => message.params as { run: string; events: RunEvent[] })
    .flatMap((params) => (params.run === run ? params.events : []));

/** Waits until the client gets this state. */
export const untilState = (client: Client, run: string, state: RunSummary['state']) =>
  client.waitFor((message) => {
    const params = message.params as { run: string; summary: RunSummary | null } | undefined;
    return message.method === 'lc/runChanged' && params?.run === run && params.summary?.state === state;
  });
