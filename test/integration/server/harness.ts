/** A real daemon process and raw sockets to it. Everything started here is ended by `close`. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebSocket, type ClientOptions } from 'ws';
import type { z } from 'zod';
import {
  Hello,
  requests,
  SOCKET_PATH,
  type RequestMethod,
  type Requests,
  type Result,
} from '../../../daemon/protocol/messages.js';

export const TOKEN = 'a-test-token-of-more-than-16-characters';

/** A folder that is removed with the test; its real path. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-test-')));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}

export class Daemon {
  stderr = '';
  private constructor(
    readonly child: ChildProcessWithoutNullStreams,
    readonly hello: Hello,
    readonly helloAfter: number,
  ) {}

  static async start(script: string, options: { env?: NodeJS.ProcessEnv; token?: string } = {}): Promise<Daemon> {
    const began = performance.now();
    const child = spawn(process.execPath, [script], { env: { ...process.env, ...options.env }, stdio: 'pipe' });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (daemon) daemon.stderr = stderr;
    });
    child.stdin.write(`${options.token ?? TOKEN}\n`);
    let line = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      line += chunk as string;
      if (line.includes('\n')) break;
    }
    if (!line.includes('\n')) throw new Error(`no hello: ${stderr}`);
    const daemon = new Daemon(child, Hello.parse(JSON.parse(line)), performance.now() - began);
    daemon.stderr = stderr;
    return daemon;
  }

  get port(): number {
    return this.hello.port;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  connect(
    headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
    options: ClientOptions = {},
  ): WebSocket {
    return new WebSocket(`ws://127.0.0.1:${this.port}${SOCKET_PATH}`, {
      headers,
      perMessageDeflate: false,
      ...options,
    });
  }

  /** @param options as in `initializationOptions`. */
  async client(
    folders: readonly string[] = [],
    options: { trusted?: boolean; keepTraining?: boolean } = {},
  ): Promise<Client> {
    const client = await Client.open(this.connect()).catch((error: Error) => {
      throw new Error(`${error.message}; the daemon says: ${this.stderr}`);
    });
    await client.initialize(folders, { trusted: true, ...options });
    return client;
  }

  /** Ends stdin and waits for the exit code. */
  async close(): Promise<number | null> {
    if (!this.alive) return this.child.exitCode;
    const exit = once(this.child, 'exit');
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 50_000);
    const [code] = (await exit) as [number | null];
    clearTimeout(timer);
    return code;
  }
}

export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}
export interface RpcMessage {
  id?: number | string | null;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: RpcError;
}

/** A JSON-RPC client that can also send invalid messages. */
export class Client {
  readonly received: RpcMessage[] = [];
  readonly #waiting = new Set<() => void>();
  #next = 1;
  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as RpcMessage;
      this.received.push(message);
      // Requests of the server (register capability, refresh) are granted.
      if (message.method !== undefined && message.id !== undefined)
        this.send({ jsonrpc: '2.0', id: message.id, result: null });
      for (const wake of [...this.#waiting]) wake();
    });
    socket.on('close', () => {
      for (const wake of [...this.#waiting]) wake();
    });
    socket.on('error', () => undefined);
  }

  static async open(socket: WebSocket): Promise<Client> {
    const client = new Client(socket);
    await once(socket, 'open');
    return client;
  }

  /** A request of the protocol; its answer has passed the schema. */
  async ask<M extends RequestMethod>(method: M, params: z.input<Requests[M]['params']>): Promise<Result<M>> {
    return requests[method].result.parse(await this.call(method, params)) as Result<M>;
  }

  get closed(): boolean {
    return this.socket.readyState === WebSocket.CLOSED;
  }

  raw(text: string | Buffer): void {
    this.socket.send(text);
  }
  send(message: unknown): void {
    this.raw(JSON.stringify(message));
  }

  /** Waits for a message that `wanted` accepts (among those from index `from` on). */
  async waitFor(wanted: (message: RpcMessage) => boolean, from = 0, timeout = 45_000): Promise<RpcMessage> {
    const end = performance.now() + timeout;
    for (;;) {
      const found = this.received.slice(from).find(wanted);
      if (found) return found;
      const left = end - performance.now();
      if (left <= 0 || this.closed) throw new Error(this.closed ? 'the connection closed' : 'no such message came');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, left);
        const waiting = this.#waiting;
        function wake() {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
        waiting.add(wake);
      });
    }
  }

  async request(method: string, params?: unknown): Promise<RpcMessage> {
    const id = this.#next++;
    this.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
    return this.waitFor((message) => message.id === id && message.method === undefined);
  }

  /** The result, or a failure of the test. */
  async call<T = unknown>(method: string, params?: unknown): Promise<T> {
    const { result, error } = await this.request(method, params);
    if (error) throw new Error(`${method}: ${error.code} ${error.message}`);
    return result as T;
  }

  async refused(method: string, params?: unknown): Promise<RpcError> {
    const { error } = await this.request(method, params);
    if (!error) throw new Error(`${method} was not refused`);
    return error;
  }

  notify(method: string, params?: unknown): void {
    this.send({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) });
  }

  async initialize(
    folders: readonly string[],
    options: { trusted: boolean; keepTraining?: boolean },
  ): Promise<unknown> {
    const result = await this.call('initialize', {
      processId: null,
      rootUri: null,
      capabilities: {
        textDocument: { synchronization: { dynamicRegistration: true }, codeLens: { dynamicRegistration: true } },
        workspace: { codeLens: { refreshSupport: true } },
      },
      workspaceFolders: folders.map((path) => ({ uri: pathToFileURL(path).href, name: path })),
      initializationOptions: options,
    });
    this.notify('initialized', {});
    return result;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}
