/** The real daemon (dist/daemon.mjs) with one client, for measurements. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';

const TOKEN = 'benchmark-token-0123456789';

/** Reports and resets the longest turn of the daemon's event loop on a signal. Milliseconds. */
const MONITOR = `
import { monitorEventLoopDelay } from 'node:perf_hooks';
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
  process.stderr.write('longest turn ' + delay.max / 1e6 + '\\n');
  delay.reset();
});`;

export interface Timed {
  readonly milliseconds: number;
  readonly result: unknown;
}

export class DaemonClient {
  #next = 1;
  readonly #waiting = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>();
  readonly #listeners = new Map<string, (params: unknown) => void>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly stderr: Interface,
    private readonly socket: WebSocket,
    /** Milliseconds from the start to the daemon's hello. */
    readonly hello: number,
  ) {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { id?: number; method?: string; params?: unknown; result?: unknown };
      const { id, method } = message;
      if (method !== undefined) {
        this.#listeners.get(method)?.(message.params);
        if (id !== undefined) socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: null }));
      } else if (id !== undefined) this.#waiting.get(id)?.(message);
    });
  }

  /** @param folder the workspace. */
  static async start(folder: string): Promise<DaemonClient> {
    const began = performance.now();
    const bundle = fileURLToPath(new URL('../daemon.mjs', import.meta.url));
    const monitor = `data:text/javascript,${encodeURIComponent(MONITOR)}`;
    const child = spawn(process.execPath, ['--import', monitor, bundle], { stdio: ['pipe', 'pipe', 'pipe'] });
    const stderr = createInterface(child.stderr);
    child.stdin.write(`${TOKEN}\n`);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { port } = JSON.parse(line) as { port: number };
    const hello = performance.now() - began;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/lcprune`, { headers: { authorization: `Bearer ${TOKEN}` } });
    await once(socket, 'open');
    const client = new DaemonClient(child, stderr, socket, hello);
    const workspaceFolders = [{ uri: pathToFileURL(folder).href, name: 'bench' }];
    await client.call('initialize', { processId: null, rootUri: null, capabilities: { workspace: { codeLens: { refreshSupport: true } } }, workspaceFolders, initializationOptions: { trusted: true } }); // prettier-ignore
    client.notify('initialized', {});
    return client;
  }

  /** @throws Error with the message of the daemon's error. */
  call(method: string, params: unknown): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error) reject(new Error(error.message));
        else resolve(result);
      });
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  async timed(method: string, params: unknown): Promise<Timed> {
    const began = performance.now();
    const result = await this.call(method, params);
    return { milliseconds: Math.round((performance.now() - began) * 10) / 10, result };
  }

  notify(method: string, params: unknown): void {
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /** The parameters of the next request or notification of the daemon by this name. */
  next(method: string): Promise<unknown> {
    return new Promise((resolve) => this.#listeners.set(method, resolve));
  }

  /** The longest turn of the daemon's event loop since the last call. Milliseconds. */
  async longestTurn(): Promise<number> {
    const answered = new Promise<number>((resolve) => {
      const read = (line: string): void => {
        const found = /^longest turn ([\d.]+)$/.exec(line);
        if (!found) return;
        this.stderr.off('line', read);
        resolve(Math.round(Number(found[1]) * 10) / 10);
      };
      this.stderr.on('line', read);
    });
    this.process.kill('SIGUSR2');
    return answered;
  }

  async close(): Promise<void> {
    this.socket.close();
    const ended = once(this.process, 'exit');
    this.process.stdin!.end();
    await ended;
  }
}
