import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn } from 'vscode-languageclient/node';
import * as vscode from 'vscode';
import { issueText } from '../../daemon/protocol/issueText.js';
import {
  NOT_TRUSTED,
  notifications,
  PLAN_LANGUAGE,
  requests,
  USER_ERROR,
  type ClientNotifications,
  type InitializationOptions,
  type Params,
  type RequestMethod,
  type Result,
} from '../../daemon/protocol/messages.js';
import type { z } from 'zod';
import { keepTraining } from '../settings.js';
import type { NotificationMethod, Payload } from './notifications.js';
import type { DaemonProcess } from './launch.js';
import { LaunchError } from './launchError.js';
import { connect } from './socket.js';
import { LIMITS } from '../limits.js';

/** An error the daemon answered with; its message is meant for the user. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  constructor(
    message: string,
    readonly code: string,
    readonly details: { file?: string; field?: string; hint?: string } = {},
  ) {
    super(message);
  }
}

/** Without this, a missing token would be sent as a second parameter. */
const NEVER = new vscode.CancellationTokenSource();

/** Why a session ended. */
export interface Ending {
  reason: string;
  /** The daemon was stopped or hung, and was killed because of it. */
  hung: boolean;
}

/** One connection to one daemon process: LSP and the lc/* messages. */
export class Session {
  #client: LanguageClient;
  #closed: Promise<Ending>;

  private constructor(
    readonly process: DaemonProcess,
    client: LanguageClient,
    closed: Promise<Ending>,
  ) {
    this.#client = client;
    this.#closed = closed;
  }

  /**
   * @param receive gets every notification of the daemon, validated, from the first one on.
   * @throws LaunchError, or the error of `initialize`; the process is then ended.
   */
  static async open(
    process: DaemonProcess,
    log: vscode.LogOutputChannel,
    receive: <N extends NotificationMethod>(method: N, payload: Payload<N>) => void,
  ): Promise<Session> {
    let close = (_ending: Ending) => {};
    const closed = new Promise<Ending>((resolve) => (close = resolve));
    const onSilent = () => {
      close({ reason: vscode.l10n.t('it did not answer any more'), hung: true });
      // A stopped or hung process reacts to nothing gentler.
      void process.kill();
    };
    const connection = () => connect(process.hello.port, process.token, 5000, onSilent);
    const client = new LanguageClient('lcPrune', 'LC Prune', connection, {
      documentSelector: [
        { scheme: 'file', language: PLAN_LANGUAGE },
        { scheme: 'file', pattern: '**/*.json' },
      ],
      initializationOptions: (): InitializationOptions => ({
        trusted: vscode.workspace.isTrusted,
        keepTraining: keepTraining(),
      }),
      outputChannel: log,
      traceOutputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      // The supervisor restarts the daemon, with a new session; the client itself never does.
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          close({ reason: 'connection closed', hung: false });
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      markdown: { isTrusted: { enabledCommands: [] } },
    });
    for (const method of Object.keys(notifications) as NotificationMethod[])
      client.onNotification(method, (payload) => {
        const checked = notifications[method].safeParse(payload);
        if (checked.success) receive(method, checked.data);
        else log.error(`${method} of the daemon is not as agreed: ${issueText(checked.error, payload)}`);
      });
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([
        client.start(),
        process.exited.then((reason) => Promise.reject(new LaunchError('exited', `The daemon ended (${reason}).`))),
        new Promise((_, reject) => {
          timer = setTimeout(
            () => reject(new LaunchError('late', 'The daemon did not answer the first request.')),
            LIMITS.initializeTime,
          );
        }),
      ]);
    } catch (error) {
      await process.stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return new Session(process, client, closed);
  }

  /** Resolves when the process or the connection is gone. */
  get ended(): Promise<Ending> {
    return Promise.race([this.#closed, this.process.exited.then((reason) => ({ reason, hung: false }))]);
  }

  /** @throws DaemonError with the daemon's own words. */
  async request<M extends RequestMethod>(
    method: M,
    params: Params<M>,
    token: vscode.CancellationToken = NEVER.token,
  ): Promise<Result<M>> {
    let answer: unknown;
    try {
      // A null would travel as [null].
      answer = await (params === null
        ? this.#client.sendRequest(method, token)
        : this.#client.sendRequest(method, params, token));
    } catch (error) {
      throw daemonError(error);
    }
    // Null results travel as null; the schema says which ones may.
    return agreed(requests[method].result, answer ?? null, method) as Result<M>;
  }

  notify<N extends keyof ClientNotifications>(method: N, params: z.infer<ClientNotifications[N]>): void {
    void this.#client.sendNotification(method, params);
  }

  async close(): Promise<void> {
    // A daemon that is gone cannot answer `shutdown`.
    await this.#client.dispose(1000).catch(() => {});
    await this.process.stop();
  }
}

/** @throws Error if the message does not match the protocol: the daemon is then of another version. */
function agreed(schema: z.ZodType, value: unknown, method: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `The daemon does not answer ${method} as this extension expects (${issueText(parsed.error, value)}): reload the window to finish an update.`,
  );
}

function daemonError(error: unknown): unknown {
  const { code, message, data } = error as { code?: number; message?: string; data?: Record<string, string> };
  if (code === NOT_TRUSTED) return new DaemonError(message ?? '', 'not-trusted');
  if (code === USER_ERROR) return new DaemonError(message ?? '', data?.code ?? 'usage', data ?? {});
  return error;
}
