/** Runs that closed windows have left behind: those with a trainer continue under this daemon, the others are reported. */
import { basename } from 'node:path';
import type { Backend } from './backend.js';
import { LIMITS } from './limits.js';
import type { Log } from './log.js';

export interface Adopting {
  /** Workspace folders that some connection has open. */
  folders(): ReadonlySet<string>;
  /** The run's trainer is gone: does the follow-up work, then releases the run. */
  settle(folder: string, workspace: string): void;
  /** Reports runs that were interrupted while no window looked after them. */
  onLeft(workspace: string, runs: readonly string[]): void;
}

export class AdoptedRuns {
  /** Workspace folders in which runs are taken over. */
  readonly #wanted = new Set<string>();
  /** The workspace folder of each adopted run with a trainer, by the run's folder. */
  readonly #runs = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    readonly backend: Backend,
    readonly adopting: Adopting,
    readonly log: Log,
  ) {
    this.#timer = setInterval(() => void this.#next(), LIMITS.lookInterval).unref();
  }

  /** From now on takes over the runs left behind in these folders. Resolves after the first check. */
  async adopt(workspaces: readonly string[]): Promise<void> {
    for (const workspace of workspaces) this.#wanted.add(workspace);
    await this.#next();
  }

  /** Folders of the adopted runs that have a trainer. */
  get folders(): string[] {
    return [...this.#runs.keys()];
  }

  /** Those of one workspace folder, with the process ids of their trainers. */
  async in(workspace: string): Promise<{ run: string; pid: number }[]> {
    const found = this.folders
      .filter((folder) => this.#runs.get(folder) === workspace)
      .map(async (folder) => ({ run: basename(folder), pid: await this.backend.trainerPid(folder) }));
    return (await Promise.all(found)).flatMap(({ run, pid }) => (pid === null ? [] : [{ run, pid }]));
  }

  /** This daemon starts a trainer on the run itself. */
  leave(folder: string): void {
    this.#runs.delete(folder);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** One check at a time. */
  #next(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((error: unknown) => this.log('debug', `runs left behind: ${String(error)}`));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const open = this.adopting.folders();
    for (const workspace of this.#wanted) {
      if (this.#closed) return;
      if (!open.has(workspace)) {
        this.#wanted.delete(workspace);
        continue;
      }
      const keepers = await this.backend.keepers();
      for (const folder of await keepers.takeLeft(workspace)) this.#runs.set(folder, workspace);
    }
    const left = new Map<string, string[]>();
    for (const [folder, workspace] of this.#runs) {
      const isOver = (await this.backend.runOwner(folder)) === null;
      if (!isOver && !(await this.backend.isRunElsewhere(folder))) continue;
      if (this.#closed) return;
      if (!this.#runs.delete(folder)) continue;
      const isCutShort = isOver && (await this.backend.isCutShort(folder).catch(() => false));
      if (isCutShort) left.set(workspace, [...(left.get(workspace) ?? []), basename(folder)]);
      this.adopting.settle(folder, workspace);
    }
    for (const [workspace, runs] of left) this.adopting.onLeft(workspace, runs);
  }
}
