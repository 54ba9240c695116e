/** The folder an MCP server works in: its files, its runs, and the requests of the daemon over them. */
import { realpath, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { resolveInside } from '../files/workspacePath.js';
import { UserError } from '../protocol/errors.js';
import type { Params, RequestMethod, Result, RunSummary } from '../protocol/messages.js';
import type { AbsolutePath } from '../protocol/paths.js';
import type { Backend } from '../server/backend.js';
import { findRun, type Context, type FoundRun } from '../server/context.js';
import type { Handler } from '../server/connection/dispatch.js';
import { handlers } from '../server/handlers/index.js';
import type { Log } from '../server/log.js';
import { createParts } from '../server/parts.js';
import { RunStream } from '../server/connection/stream.js';
import { Workspace } from '../server/workspace.js';
import { Confirmations } from './confirmations.js';
import { LIMITS } from './limits.js';

const unread = () => undefined;

export class Root {
  readonly confirmations = new Confirmations();
  readonly #waiting = new Set<() => void>();

  private constructor(
    /** Real path. */
    readonly folder: string,
    readonly context: Context,
  ) {
    context.running.listen({
      folders: [folder],
      follows: () => false,
      onEvent: unread,
      onChange: () => {
        for (const wake of [...this.#waiting]) wake();
      },
      onLeft: unread,
    });
  }

  /** @throws UserError('usage') if it is not a folder, and for the root of the file system, because every file would lie inside. */
  static async open(path: string, backend: Backend, log: Log): Promise<Root> {
    const folder = await realpath(path).catch(() => null);
    if (folder === null || !(await stat(folder)).isDirectory())
      throw new UserError('usage', `--root: there is no folder "${path}"`, { file: path });
    const workspace = new Workspace();
    await workspace.open([pathToFileURL(folder).href]);
    if (workspace.folders.length === 0)
      throw new UserError(
        'usage',
        `--root: "${path}" holds every file of this machine; name the folder of your models`,
      );
    // A user who starts the server in a folder wants it to work there; the editor starts none in an untrusted workspace.
    workspace.trusted = true;
    const stream = new RunStream({ batches: unread, events: unread, owed: () => 0 });
    return new Root(folder, { ...createParts(backend, log, 'assistant'), workspace, stream, notify: unread });
  }

  /** A request of the daemon's protocol, over this folder. @throws UserError. */
  ask<M extends RequestMethod>(
    method: M,
    params: Params<M>,
    signal = new AbortController().signal,
  ): Promise<Result<M>> {
    const handler = handlers[method] as Handler<M, Context>;
    return handler(params, this.context, signal);
  }

  /** The path of a file that a client names. @throws UserError('path-outside-workspace'), links out of the folder included. */
  async file(path: string): Promise<AbsolutePath> {
    return (await resolveInside(this.folder, this.folder, path)) as AbsolutePath;
  }

  /** A file's path in answers to clients: relative to the folder, with "/" on every platform. */
  shown(path: string): string {
    return (relative(this.folder, path) || '.').replaceAll('\\', '/');
  }

  /** @throws UserError('run-missing'). */
  find(run: string): Promise<FoundRun> {
    return findRun(run, this.context);
  }

  /** @throws UserError('run-missing'). */
  async summary(run: string): Promise<RunSummary> {
    const { folder } = await this.find(run);
    const isOurs = this.context.running.get(this.folder, run) !== undefined;
    return this.context.backend.runSummary(folder, isOurs);
  }

  /** Resolves when some run has changed, or after a moment. */
  async nextChange(): Promise<void> {
    const stop = new AbortController();
    let wake = unread as () => void;
    const changed = new Promise<void>((resolve) => this.#waiting.add((wake = resolve)));
    try {
      await Promise.race([changed, wait(LIMITS.lookInterval, undefined, { signal: stop.signal })]);
    } finally {
      this.#waiting.delete(wake);
      stop.abort();
    }
  }

  /** Asks the trainers of this server for a checkpoint and their end. */
  close(): Promise<void> {
    return this.context.running.shutdown();
  }
}
