import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Params, RequestMethod, Result } from '../../daemon/protocol/messages.js';
import { enginePathSetting, keepTraining, nodePathSetting } from '../settings.js';
import { Backoff } from './backoff.js';
import { askVersion, findNode, type NodeCommand } from './findNode.js';
import { isLaunchError, LaunchError } from './launchError.js';
import { NotificationHub, type NotificationMethod, type Payload } from './notifications.js';
import type { Ending, Session } from './session.js';
import { LIMITS } from '../limits.js';

export type DaemonState =
  | { kind: 'idle' }
  | { kind: 'starting' }
  | { kind: 'ready'; session: Session; node: NodeCommand }
  | { kind: 'waiting'; delay: number; reason: string }
  | { kind: 'failed'; message: string };

/**
 * The daemon as the rest of the extension sees it: started on first use, started again when it dies (soon, then later, then
 * only when asked), one set of notification listeners over all its lives.
 */
export class Daemon implements vscode.Disposable {
  #state: DaemonState = { kind: 'idle' };
  #changed = new vscode.EventEmitter<DaemonState>();
  #notifications: NotificationHub;
  #backoff = new Backoff();
  #starting: Promise<Session> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  readonly onDidChangeState = this.#changed.event;

  constructor(
    private readonly extensionPath: string,
    /** Where "Install Engine..." puts engines. */
    readonly engineFolder: string,
    readonly log: vscode.LogOutputChannel,
  ) {
    this.#notifications = new NotificationHub((error) => log.error(error as Error));
  }

  get state(): DaemonState {
    return this.#state;
  }

  /** The running session; starts the daemon if there is none. @throws LaunchError, already shown to the user. */
  async session(): Promise<Session> {
    if (this.#state.kind === 'ready') return this.#state.session;
    clearTimeout(this.#timer);
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  async request<M extends RequestMethod>(
    method: M,
    params: Params<M>,
    token?: vscode.CancellationToken,
  ): Promise<Result<M>> {
    return (await this.session()).request(method, params, token);
  }

  on<N extends NotificationMethod>(method: N, handle: (payload: Payload<N>) => void): vscode.Disposable {
    return this.#notifications.on(method, handle);
  }

  async restart(): Promise<void> {
    this.#backoff.reset();
    clearTimeout(this.#timer);
    if (this.#state.kind === 'ready') {
      const { session } = this.#state;
      this.#set({ kind: 'starting' });
      await session.close();
    }
    await this.session();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#timer);
    const state = this.#state;
    this.#changed.dispose();
    if (state.kind === 'ready') await state.session.close();
  }

  /** The Node that the daemon runs on. @throws LaunchError if the setting names none. */
  node(): Promise<NodeCommand> {
    return findNode({
      setting: nodePathSetting(),
      execPath: process.execPath,
      electron: process.versions.electron !== undefined,
      path: process.env.PATH ?? '',
      version: askVersion,
    });
  }

  async #start(): Promise<Session> {
    this.#set({ kind: 'starting' });
    try {
      const began = performance.now();
      const entry = join(this.extensionPath, 'dist', 'daemon.mjs');
      await stat(entry).catch(() => {
        throw new LaunchError('missing-file', `${entry} is missing: install the extension again.`);
      });
      const node = await this.node();
      const { launchDaemon, Session } = await import('../client.js');
      const daemon = await launchDaemon({
        node,
        entry,
        engineFolders: [enginePathSetting(), this.engineFolder].filter(Boolean),
        timeout: LIMITS.helloTime,
        grace: LIMITS.closingTime,
        log: (level, line) => this.log[level](line),
      });
      const session = await Session.open(daemon, this.log, (method, payload) =>
        this.#notifications.emit(method, payload),
      );
      if (this.#disposed) {
        await session.close();
        throw new LaunchError('exited', 'The window is closing.');
      }
      this.log.info(
        `Daemon ${daemon.hello.version} (process ${daemon.hello.pid}) on ${node.command} (${node.origin}), ready in ${Math.round(performance.now() - began)} ms`,
      );
      this.#set({ kind: 'ready', session, node });
      void session.ended.then((ending) => this.#ended(session, ending));
      return session;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.log.error(isLaunchError(error) ? message : (error as Error));
      this.#fail(message);
      throw isLaunchError(error) ? error : new LaunchError('exited', message);
    }
  }

  async #ended(session: Session, { reason, hung }: Ending): Promise<void> {
    if (this.#disposed || this.#state.kind !== 'ready' || this.#state.session !== session) return;
    const delay = this.#backoff.next(Date.now());
    this.log.warn(
      `The daemon ended (${reason}); ${delay === null ? 'not started again' : `next start in ${delay} ms`}.`,
    );
    if (delay === null) this.#fail(vscode.l10n.t('The daemon keeps ending ({0}).', reason));
    else this.#set({ kind: 'waiting', delay, reason });
    if (hung && delay !== null)
      this.#offer(
        keepTraining()
          ? vscode.l10n.t(
              'The daemon did not answer any more, so it was ended and is started again. Training goes on meanwhile.',
            )
          : vscode.l10n.t(
              'The daemon did not answer any more, so it was ended and is started again. Runs were checkpointed: "Resume" continues them.',
            ),
      );
    // The socket can close before the process ends; no process may be left behind.
    await session.close();
    if (delay !== null && !this.#disposed) this.#timer = setTimeout(() => void this.session().catch(() => {}), delay);
  }

  #fail(message: string): void {
    if (this.#disposed) return;
    this.#set({ kind: 'failed', message });
    this.#offer(message);
  }

  #offer(message: string): void {
    const restart = vscode.l10n.t('Restart');
    const show = vscode.l10n.t('Show Log');
    void vscode.window.showErrorMessage(`LC Prune: ${message}`, restart, show).then((choice) => {
      if (choice === restart) void this.restart().catch(() => {});
      else if (choice === show) this.log.show();
    });
  }

  #set(state: DaemonState): void {
    this.#state = state;
    if (!this.#disposed) this.#changed.fire(state);
  }
}
