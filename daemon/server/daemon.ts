/** The life of the daemon: reads the token, writes the hello, serves, ends with stdin. */
import type { Hello } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import type { Backend } from './backend.js';
import { LIMITS } from './limits.js';
import { listen } from './connection/listen.js';
import type { Log } from './log.js';
import { createParts } from './parts.js';
import { readToken, Token } from './connection/token.js';

export interface DaemonOptions {
  readonly backend: Backend;
  readonly version: string;
  readonly log: Log;
}

/**
 * Serves until stdin ends (the parent is gone) or a termination signal, then asks the trainers for a checkpoint and
 * returns the process's exit code: 0, or 2 when it could not start.
 */
export async function runDaemon({ backend, version, log }: DaemonOptions): Promise<number> {
  const { stdin, stdout } = process;
  // The parent may close its ends at any moment; that ends the daemon and is not a crash.
  stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  let token: Token;
  try {
    token = new Token(await readToken(stdin, LIMITS.tokenLength, LIMITS.tokenTime));
  } catch (error) {
    log('error', `${(error as Error).message}; the extension starts the daemon, a person uses "lc-prune"`);
    return 2;
  }
  const parts = createParts(backend, log, 'editor');
  const shared = { ...parts, version };
  // Loaded after the port is reported, while the parent connects.
  let session: Promise<typeof import('./connection/session.js')> | undefined;
  const listener = await listen(token, log, async () => {
    const { openSession } = await (session ??= import('./connection/session.js'));
    return (socket) => openSession(socket, shared);
  });
  const ended = new Promise<string>((resolve) => {
    stdin.once('end', () => resolve('stdin ended')).once('error', () => resolve('stdin failed'));
    stdin.once('close', () => resolve('stdin closed'));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
  stdin.resume();
  const hello: Hello = { protocol: PROTOCOL_VERSION, port: listener.port, pid: process.pid, version };
  stdout.write(`${JSON.stringify(hello)}\n`);
  session ??= import('./connection/session.js');
  log('info', `ready on 127.0.0.1:${listener.port}, ${Math.round(process.uptime() * 1000)} ms after start`);

  log('info', `${await ended}: checkpointing and ending`);
  listener.close();
  await parts.running.shutdown();
  return 0;
}
