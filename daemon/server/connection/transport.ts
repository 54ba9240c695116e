/** JSON-RPC over one WebSocket, one message per text frame. */
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  Message,
  type DataCallback,
  type Disposable,
  type MessageReader,
  type MessageWriter,
} from 'vscode-languageserver-protocol/node';
import type { RawData, WebSocket } from 'ws';
import { Gate } from './gate.js';
import { LIMITS } from '../limits.js';
import type { Log } from '../log.js';
import { parseMessage, type MessageId } from './parseMessage.js';

class SocketReader extends AbstractMessageReader {
  constructor(
    readonly socket: WebSocket,
    readonly gate: Gate,
    readonly reply: (id: MessageId | null, error: { code: number; message: string }) => void,
  ) {
    super();
  }

  listen(callback: DataCallback): Disposable {
    const onMessage = (data: RawData, binary: boolean) => {
      if (binary) {
        this.socket.close(1003, 'text only');
        return;
      }
      const parsed = parseMessage(String(data));
      if ('error' in parsed) {
        this.reply(parsed.id, parsed.error);
        return;
      }
      const verdict = this.gate.admit(parsed.message);
      if (verdict === 'pass') callback(parsed.message);
      else if (verdict !== 'drop') this.reply(parsed.message.id ?? null, verdict);
    };
    const onClose = () => this.fireClose();
    this.socket.on('message', onMessage).on('close', onClose);
    return { dispose: () => this.socket.off('message', onMessage).off('close', onClose) };
  }
}

class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  constructor(
    readonly send: (message: Message) => void,
    readonly gate: Gate,
  ) {
    super();
  }
  write(message: Message): Promise<void> {
    if (Message.isResponse(message)) this.gate.answered(message.id, message.error !== undefined);
    this.send(message);
    return Promise.resolve();
  }
  end(): void {}
}

export interface Transport {
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
  /** Bytes sent that the client has not read yet. */
  owed(): number;
}

/** A client with more than `LIMITS.outgoing` unread bytes is disconnected: no message is dropped, and memory is bounded. */
export function openTransport(socket: WebSocket, log: Log): Transport {
  const gate = new Gate();
  const send = (message: object): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > LIMITS.outgoing) {
      log('warn', `a client does not read: disconnected with ${socket.bufferedAmount} bytes waiting`);
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(message));
  };
  socket.on('error', (error) => log('warn', `connection: ${error.message}`));
  return {
    reader: new SocketReader(socket, gate, (id, error) => send({ jsonrpc: '2.0', id, error })),
    writer: new SocketWriter(send, gate),
    owed: () => socket.bufferedAmount,
  };
}
