import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { refusalOf, type Refusal } from './admission.js';
import { LIMITS } from '../limits.js';
import type { Log } from '../log.js';
import type { Token } from './token.js';

export interface Listener {
  readonly port: number;
  /** Stops accepting and drops every connection. */
  close(): void;
}

function refuse(socket: Duplex, { status, reason }: Refusal): void {
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${reason.length}\r\n\r\n${reason}`,
    () => socket.destroy(),
  );
}

/**
 * Serves WebSockets on 127.0.0.1 and an ephemeral port; everything else is rejected.
 * @param prepare resolves to the handler of accepted sockets; messages that arrive meanwhile wait.
 */
export function listen(token: Token, log: Log, prepare: () => Promise<(socket: WebSocket) => void>): Promise<Listener> {
  const server = createServer({
    maxHeaderSize: LIMITS.headerSize,
    headersTimeout: LIMITS.headerTime,
    requestTimeout: LIMITS.headerTime,
    keepAliveTimeout: 1_000,
    connectionsCheckingInterval: 500,
  });
  server.maxConnections = LIMITS.sockets;
  // One more than allowed, to distinguish too many from enough.
  server.maxHeadersCount = LIMITS.headerCount + 1;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.messageSize,
    maxBufferedChunks: 64 * 1024,
    maxFragments: 256,
    perMessageDeflate: false,
    clientTracking: true,
  });
  let port = 0;

  // Only counts against `sockets`: a socket that sends nothing is not a request yet, so Node's own request timeouts do not apply to it.
  server.on('connection', (socket) => {
    const silent = setTimeout(() => socket.destroy(), LIMITS.headerTime);
    socket.once('data', () => clearTimeout(silent)).once('close', () => clearTimeout(silent));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    log('debug', `bad request: ${error.code ?? error.message}`);
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
    if (socket.writable) refuse(socket, { status, reason: 'bad request' });
    else socket.destroy();
  });
  server.on('request', (request, response) => {
    const refusal = refusalOf(request, port, token) ?? { status: 426, reason: 'WebSocket only' };
    log('debug', `refused ${request.method}: ${refusal.reason}`);
    response.writeHead(refusal.status, { connection: 'close', 'content-type': 'text/plain' });
    response.end(refusal.reason, () => request.destroy());
  });
  server.on('upgrade', (request, socket, head) => {
    const refusal =
      refusalOf(request, port, token) ??
      (sockets.clients.size >= LIMITS.clients ? { status: 503, reason: 'too many clients' } : null);
    if (refusal) {
      log('warn', `refused a connection: ${refusal.reason}`);
      refuse(socket, refusal);
      return;
    }
    prepare().then(
      (onClient) => {
        if (socket.destroyed) return;
        sockets.handleUpgrade(request, socket, head, onClient);
      },
      (error: unknown) => {
        log('error', `no session: ${String(error)}`);
        refuse(socket, { status: 500, reason: 'internal error' });
      },
    );
  });

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      port = (server.address() as AddressInfo).port;
      resolve({
        port,
        close: () => {
          for (const client of sockets.clients) client.terminate();
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
