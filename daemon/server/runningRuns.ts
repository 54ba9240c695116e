/** The runs of this daemon's trainers, those that it has taken over, those of other processes in the same folders, and the connections that follow. */
import { basename } from 'node:path';
import type { RunEvent } from '../protocol/events.js';
import type { ResolvedPlan } from '../protocol/resolvedPlan.js';
import { placeOf, type Elsewhere } from '../protocol/runs/runOn.js';
import type { RunSummary } from '../protocol/messages.js';
import type { Program, RunHandle, RunOptions } from '../runs/supervisor.js';
import { AdoptedRuns } from './adoptedRuns.js';
import type { Backend } from './backend.js';
import { LIMITS } from './limits.js';
import type { Log } from './log.js';
import { OtherRuns } from './otherRuns.js';

export interface RunningRun {
  readonly handle: RunHandle;
  readonly workspace: string;
}

/** Callbacks of one client connection. `folder` is the run's workspace folder. */
export interface RunListener {
  /** The workspace folders it has open. */
  readonly folders: readonly string[];
  /** Whether it is subscribed to the run's event stream. */
  follows(folder: string, run: string): boolean;
  onEvent(folder: string, run: string, event: RunEvent): void;
  onChange(folder: string, run: string, summary: RunSummary | null): void;
  /** Reports runs that were interrupted while no window looked after them. */
  onLeft(folder: string, runs: readonly string[]): void;
}

export class RunningRuns {
  /** By the run's folder: two workspace folders may have a run of the same name. */
  readonly #runs = new Map<string, RunningRun>();
  readonly #listeners = new Set<RunListener>();
  readonly #starting = new Set<Promise<unknown>>();
  readonly #others: OtherRuns;
  readonly #adopted: AdoptedRuns;
  /** By the run's folder: its trainer is gone, and the follow-up work is in progress. */
  readonly #settling = new Map<string, Promise<void>>();
  /** Whether trainers continue when this daemon is gone. */
  #keepTraining = false;
  #closing = false;

  constructor(
    readonly backend: Backend,
    readonly log: Log,
    /** The program of its trainers, as shown to others. */
    readonly program: Program = 'editor',
  ) {
    const folders = () => new Set([...this.#listeners].flatMap((listener) => listener.folders));
    this.#adopted = new AdoptedRuns(
      backend,
      {
        folders,
        settle: (folder, workspace) => this.#settle(folder, workspace),
        onLeft: (workspace, runs) => {
          for (const listener of this.#listeners) listener.onLeft(workspace, runs);
        },
      },
      log,
    );
    this.#others = new OtherRuns(
      backend,
      {
        folders,
        isFollowed: (workspace, run) => this.#isFollowed(workspace, run),
        supervised: (workspace) => this.in(workspace).map(({ folder }) => folder),
        onEvent: (workspace, run, event) => this.#send(workspace, run, event),
        onChange: (workspace, run, summary) => this.#announce(workspace, run, summary),
      },
      log,
    );
  }

  /** The runs of a workspace folder, whoever started them, newest first. @param reread reads the unchanged ones again, too. */
  async list(workspace: string, { reread = false } = {}): Promise<RunSummary[]> {
    const watched = await this.#others.in(workspace);
    return reread ? watched.reread() : watched.list();
  }

  /** Reports at once a change that another process made to a run. */
  async look(workspace: string): Promise<void> {
    await (await this.#others.in(workspace)).look();
  }

  /** Streams the events of a run that a connection has subscribed to, whichever process writes them. */
  async follow(workspace: string, run: string, folder: string): Promise<void> {
    await this.#others.follow(workspace, run, folder);
  }

  /** Takes over, from now on, the runs that closed windows have left in these workspace folders. */
  adopt(workspaces: readonly string[]): Promise<void> {
    return this.#adopted.adopt(workspaces);
  }

  /** Whether trainers continue when this daemon is gone; applies to running ones too. */
  async keepTraining(on: boolean): Promise<void> {
    if (this.#keepTraining === on) return;
    this.#keepTraining = on;
    await Promise.allSettled([...this.#runs.values()].map(({ handle }) => handle.outlive(on)));
  }

  /** Those of one workspace folder. */
  in(workspace: string): RunHandle[] {
    return [...this.#runs.values()].filter((running) => running.workspace === workspace).map(({ handle }) => handle);
  }

  /** The same of those that it has taken over. */
  adoptedIn(workspace: string): Promise<{ run: string; pid: number }[]> {
    return this.#adopted.in(workspace);
  }

  get(workspace: string, run: string): RunningRun | undefined {
    return [...this.#runs.values()].find((running) => running.workspace === workspace && running.handle.id === run);
  }

  listen(listener: RunListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(workspace: string, run: string, summary: RunSummary | null): void {
    this.#others.report(workspace, run, summary);
    this.#announce(workspace, run, summary);
  }

  #announce(workspace: string, run: string, summary: RunSummary | null): void {
    for (const listener of this.#listeners) listener.onChange(workspace, run, summary);
  }

  /** Starts a run; the baselines its plan asks for follow when it has finished. */
  async start(plan: ResolvedPlan, workspace: string): Promise<string> {
    if (plan.runOn) {
      // From now on it is a run of another process, which it also is for the next daemon.
      const folder = await (await this.backend.queue()).submitRun(plan, { workspace });
      await this.look(workspace);
      return basename(folder);
    }
    return this.#launch(this.backend.startRun(plan, this.#options(workspace)), workspace);
  }

  /** `engine`: to continue with; default: the run's own. `runOn`: where; default: where its plan says. */
  async resume(folder: string, workspace: string, { engine, runOn }: Elsewhere = {}): Promise<void> {
    const remote = placeOf(runOn, (await this.backend.readRunPlan(folder)).runOn);
    if (remote) {
      await (await this.backend.queue()).resubmitRun(folder, { workspace, engine, remote });
      return this.look(workspace);
    }
    // Its events come from the trainer from now on.
    this.#others.leave(folder);
    const options = { ...this.#options(workspace), ...(engine !== undefined && { engine }) };
    try {
      await this.#launch(this.backend.resumeRun(folder, options), workspace);
    } catch (error) {
      await this.#followAgain(workspace, folder);
      throw error;
    }
  }

  /** Has a process ready for the run that a person is about to start: its code is loaded while they choose. Scripts choose at once. */
  expectStart(): void {
    if (this.program !== 'editor' || this.#closing) return;
    // What is wrong is reported when a run starts.
    this.backend.warmTrainer(this.program).catch(() => undefined);
  }

  #options(workspace: string): RunOptions {
    return {
      workspace,
      program: this.program,
      outlives: this.#keepTraining,
      onOutput: this.#output,
      hold: async (folder) => {
        this.#adopted.leave(folder);
        await this.#settling.get(folder);
        const keepers = await this.backend.keepers();
        await keepers.take(folder);
        return () => keepers.release(folder);
      },
    };
  }

  async #launch(starting: Promise<RunHandle>, workspace: string): Promise<string> {
    const { handle } = await this.#adopt(starting, workspace);
    void handle.done.then(() => this.#settle(handle.folder, workspace));
    return handle.id;
  }

  /**
   * For a run whose trainer is gone: does the follow-up work, then releases the run. If the daemon closes, the next one finds the run by its keeper.
   */
  #settle(folder: string, workspace: string): void {
    if (this.#closing) return;
    const settled = (async () => {
      await this.#goOn(folder, workspace).catch((error: unknown) => {
        this.log('error', `what follows ${basename(folder)}: ${String(error)}`);
      });
      await (await this.backend.keepers()).release(folder);
      this.#settling.delete(folder);
    })();
    this.#settling.set(folder, settled);
  }

  /** After a run that was finished here: starts the next baseline, here too; after a baseline: rewrites the report of its run, with all of them. */
  async #goOn(folder: string, workspace: string): Promise<void> {
    if ((await this.backend.runSummary(folder)).state !== 'done') return;
    const { subject, finished, next } = await this.backend.comparisonOf(folder);
    if (subject !== folder) {
      const others = finished.map((one) => one.folder);
      await this.backend
        .runInChild('report', { folder: subject, workspace, others })
        .catch((error: unknown) => this.log('warn', `report of ${basename(folder)} beside its run: ${String(error)}`));
    }
    if (!next || this.#closing) return;
    if (next.folder !== null) return this.resume(next.folder, workspace, { runOn: 'local' });
    const plan = await this.backend.baselinePlan(subject, next.method, { workspace });
    await this.start({ ...plan, runOn: undefined }, workspace);
  }

  /**
   * Trainers that outlive this daemon continue, including those that are just starting. Otherwise every trainer is asked for a checkpoint and its
   * end, and awaited for at most `LIMITS.shutdown`; a slower one notices that its parent is gone, finishes its checkpoint and ends by itself.
   */
  async shutdown(): Promise<void> {
    this.#closing = true;
    this.#others.close();
    this.#adopted.close();
    if (this.#keepTraining) return;
    await Promise.allSettled(this.#starting);
    const own = [...this.#runs.values()].map(({ handle }) => handle.stop('shutdown'));
    const adopted = this.#adopted.folders.map((folder) =>
      this.backend.steerRun(folder, { type: 'stop', reason: 'shutdown' }),
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LIMITS.shutdown)));
    await Promise.race([Promise.allSettled([...own, ...adopted]), late]);
    clearTimeout(timer);
  }

  readonly #output = (line: string): void => this.log('debug', `trainer: ${line}`);

  async #adopt(starting: Promise<RunHandle>, workspace: string): Promise<RunningRun> {
    this.#starting.add(starting);
    try {
      const handle = await starting;
      const running: RunningRun = { handle, workspace };
      this.#runs.set(handle.folder, running);
      this.#follow(running);
      return running;
    } finally {
      this.#starting.delete(starting);
    }
  }

  #follow({ handle, workspace }: RunningRun): void {
    let timer: NodeJS.Timeout | undefined;
    const tell = () => {
      timer = undefined;
      this.#tell(workspace, handle);
    };
    handle.onEvent((event) => {
      this.#send(workspace, handle.id, event);
      timer ??= setTimeout(tell, event.event === 'batch' ? LIMITS.summaryInterval : LIMITS.batchInterval);
    });
    this.#tell(workspace, handle);
    void handle.done.then((last) => {
      clearTimeout(timer);
      this.#runs.delete(handle.folder);
      this.log('info', `run ${handle.id} ended: ${last.event}${'message' in last ? ` (${last.message})` : ''}`);
      this.#tell(workspace, handle);
      void this.#followAgain(workspace, handle.folder);
    });
  }

  #isFollowed(workspace: string, run: string): boolean {
    return [...this.#listeners].some((listener) => listener.follows(workspace, run));
  }

  /** Another process may continue a run whose trainer here has ended. */
  async #followAgain(workspace: string, folder: string): Promise<void> {
    const run = basename(folder);
    if (this.#closing || !this.#isFollowed(workspace, run)) return;
    await this.#others.follow(workspace, run, folder).catch((error: unknown) => {
      this.log('warn', `log of ${run}: ${String(error)}`);
    });
  }

  #send(workspace: string, run: string, event: RunEvent): void {
    for (const listener of this.#listeners) listener.onEvent(workspace, run, event);
  }

  #tell(workspace: string, { id, folder }: RunHandle): void {
    this.backend.runSummary(folder, this.#runs.has(folder)).then(
      (summary) => this.changed(workspace, id, summary),
      (error: unknown) => this.log('warn', `run ${id}: ${String(error)}`),
    );
  }
}
