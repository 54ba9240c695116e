import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
  type MessageWriter,
} from 'vscode-jsonrpc';
import { WebSocket } from 'ws';
import { SOCKET_PATH } from '../../daemon/protocol/messages.js';
import { LaunchError } from './launchError.js';
import { watchAnswers, type Patience } from './heartbeat.js';

/** Reads JSON-RPC from a WebSocket, one message a text frame; messages that arrive before `listen` are queued. */
class SocketReader extends AbstractMessageReader {
  #early: Message[] = [];
  #callback: DataCallback | null = null;

  constructor(socket: WebSocket) {
    super();
    socket.on('message', (data, binary) => {
      if (binary) return this.fireError(new Error('The daemon sent a binary frame.'));
      let message: Message;
      try {
        message = JSON.parse(String(data)) as Message;
      } catch (error) {
        return this.fireError(error as Error);
      }
      if (this.#callback) this.#callback(message);
      else this.#early.push(message);
    });
    socket.on('error', (error) => this.fireError(error));
    socket.on('close', () => this.fireClose());
  }

  listen(callback: DataCallback): Disposable {
    this.#callback = callback;
    for (const message of this.#early.splice(0)) callback(message);
    return { dispose: () => (this.#callback = null) };
  }
}

class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  constructor(readonly socket: WebSocket) {
    super();
    socket.on('error', (error) => this.fireError([error, undefined, undefined]));
    socket.on('close', () => this.fireClose());
  }

  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) =>
      this.socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve())),
    );
  }

  end(): void {}
}

export interface Connection {
  reader: MessageReader;
  writer: MessageWriter;
  close(): void;
}

/**
 * Connects to a daemon of this machine.
 * @param onSilent called when it has stopped answering (`heartbeat.ts`).
 * @throws LaunchError('refused') if it does not accept the connection within `timeout` ms.
 */
export function connect(
  port: number,
  token: string,
  timeout: number,
  onSilent: () => void = () => {},
  patience?: Patience,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${SOCKET_PATH}`, {
      headers: { Authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      handshakeTimeout: timeout,
      // No limit on the size of a message: a whole history can be long, and the daemon is trusted.
      maxPayload: 256 * 1024 * 1024,
    });
    const refused = (error: Error) =>
      reject(new LaunchError('refused', `The daemon refused the connection on port ${port}: ${error.message}`));
    socket.once('error', refused);
    socket.once('open', () => {
      socket.off('error', refused);
      watchAnswers(socket, onSilent, patience);
      resolve({
        reader: new SocketReader(socket),
        writer: new SocketWriter(socket),
        close: () => socket.terminate(),
      });
    });
  });
}
