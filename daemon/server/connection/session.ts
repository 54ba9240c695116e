/** One client: the language server and the lc/* requests on one connection. */
import {
  createMessageConnection,
  DidChangeWorkspaceFoldersNotification,
  ErrorCodes,
  ExitNotification,
  InitializeRequest,
  ResponseError,
  ShutdownRequest,
  type CancellationToken,
  type MessageConnection,
} from 'vscode-languageserver-protocol/node';
import type { WebSocket } from 'ws';
import { registerLanguage } from '../../language/register.js';
import { clientNotifications, InitializationOptions, type Notifications } from '../../protocol/messages.js';
import type { z } from 'zod';
import type { Context } from '../context.js';
import { dispatch } from './dispatch.js';
import { handlers } from '../handlers/index.js';
import { watchHeartbeat } from './heartbeat.js';
import type { Log } from '../log.js';
import type { Parts } from '../parts.js';
import { RunStream, runKey } from './stream.js';
import { openTransport } from './transport.js';
import { Workspace } from '../workspace.js';

/** The parts that all sessions of the daemon share. */
export type Shared = Parts & { readonly version: string };

type NotificationMethod = keyof Notifications;

function notifier(connection: MessageConnection) {
  return <M extends NotificationMethod>(method: M, params: z.infer<Notifications[M]>): void => {
    void connection.sendNotification(method, params);
  };
}

function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  token.onCancellationRequested(() => controller.abort());
  if (token.isCancellationRequested) controller.abort();
  return controller.signal;
}

export function openSession(socket: WebSocket, shared: Shared): void {
  const { log, running } = shared;
  const transport = openTransport(socket, log);
  const jsonrpcLog: Log = (level, message) => log(level, `json-rpc: ${message.slice(0, 500)}`);
  const connection = createMessageConnection(transport.reader, transport.writer, {
    error: (message) => jsonrpcLog('warn', message),
    warn: (message) => jsonrpcLog('warn', message),
    info: (message) => jsonrpcLog('info', message),
    log: (message) => jsonrpcLog('debug', message),
  });
  const notify = notifier(connection);
  const workspace = new Workspace();
  const stream = new RunStream({
    batches: (columns) => notify('lc/batches', columns),
    events: (run, events) => notify('lc/events', { run, events }),
    owed: transport.owed,
  });
  const context: Context = { ...shared, workspace, stream, notify };
  const language = registerLanguage(connection, {
    workspace,
    listRuns: (folder) => running.list(folder),
    lastPerLayer: shared.backend.lastPerLayer,
    layersOf: (path, folder) => shared.models.layersOf(path, folder),
    searchData: (model, place) => shared.searches.search(model, place),
    log,
  });
  const stopListening = running.listen({
    get folders() {
      return workspace.folders;
    },
    follows: (folder, run) => workspace.folders.includes(folder) && stream.follows(runKey(folder, run)),
    onEvent: (folder, run, event) => {
      if (workspace.folders.includes(folder)) stream.push(runKey(folder, run), event);
    },
    onChange: (folder, run, summary) => {
      if (!workspace.folders.includes(folder)) return;
      if (summary?.ended != null) stream.flush();
      notify('lc/runChanged', {
        run,
        folder: workspace.runFolderAsNamed(folder, run),
        summary: summary && workspace.runAsNamed(summary),
      });
      language.runChanged(folder, run, summary);
    },
    onLeft: (folder, runs) => {
      if (workspace.folders.includes(folder))
        notify('lc/left', { folders: runs.map((run) => workspace.runFolderAsNamed(folder, run)) });
    },
  });

  connection.onRequest(InitializeRequest.type, async (params) => {
    const options = InitializationOptions.safeParse(params.initializationOptions ?? { trusted: false });
    if (!options.success) {
      throw new ResponseError(ErrorCodes.InvalidParams, 'initializationOptions is { "trusted": true or false }');
    }
    const folders = params.workspaceFolders ?? [];
    await workspace.open(folders.map((folder) => folder.uri));
    workspace.trusted = options.data.trusted;
    if (options.data.keepTraining !== undefined) await running.keepTraining(options.data.keepTraining);
    log(
      'info',
      `client ${params.clientInfo?.name ?? ''}: ${workspace.folders.length} folder(s), trusted: ${workspace.trusted}`,
    );
    return {
      serverInfo: { name: 'LC Prune', version: shared.version },
      capabilities: {
        ...language.capabilities(params.capabilities),
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  });
  connection.onNotification('initialized', () => language.start());
  connection.onNotification(DidChangeWorkspaceFoldersNotification.type, async ({ event }) => {
    const uris = (folders: readonly { uri: string }[]) => folders.map((folder) => folder.uri);
    await workspace.change({ added: uris(event.added), removed: uris(event.removed) });
  });
  connection.onNotification('lc/trust', (params: unknown) => {
    const parsed = clientNotifications['lc/trust'].safeParse(params);
    if (parsed.success) {
      workspace.trusted = parsed.data.trusted;
      language.trustChanged();
    } else log('warn', 'lc/trust: ignored, its parameter is { "trusted": true or false }');
  });
  connection.onNotification('lc/keepTraining', (params: unknown) => {
    const parsed = clientNotifications['lc/keepTraining'].safeParse(params);
    if (parsed.success) void running.keepTraining(parsed.data.on);
    else log('warn', 'lc/keepTraining: ignored, its parameter is { "on": true or false }');
  });
  connection.onNotification('lc/packagesChanged', () => language.packagesChanged());
  connection.onRequest(ShutdownRequest.type, () => undefined);
  // Another client may still be connected: the daemon ends with its stdin, not with a client.
  connection.onNotification(ExitNotification.type, () => socket.close(1000));
  const gone = new AbortController();
  connection.onRequest((method, params, token) =>
    dispatch(handlers, method, params, context, log, AbortSignal.any([gone.signal, signalOf(token)])),
  );
  connection.onError(([error]) => log('warn', `connection: ${error.message}`));

  watchHeartbeat(socket, () => log('warn', 'a client is silent: disconnected'));
  socket.once('close', () => {
    gone.abort();
    stopListening();
    stream.close();
    language.dispose();
    connection.dispose();
    log('info', 'client disconnected');
  });
  connection.listen();
}
