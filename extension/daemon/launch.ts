import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { delimiter } from 'node:path';
import { createInterface } from 'node:readline';
import { issueText } from '../../daemon/protocol/issueText.js';
import { Hello, PROTOCOL_VERSION } from '../../daemon/protocol/messages.js';
import type { NodeCommand } from './findNode.js';
import { LaunchError } from './launchError.js';
import { LIMITS } from '../limits.js';

export interface LaunchOptions {
  node: NodeCommand;
  /** The daemon's entry (dist/daemon.mjs). */
  entry: string;
  /** Folders where optional engines are looked for after the workspace, best first. */
  engineFolders: readonly string[];
  /** Milliseconds within which the hello line must arrive. */
  timeout: number;
  /** Milliseconds that a closed daemon has to write its checkpoint before it is killed. */
  grace: number;
  log: (level: 'info' | 'warn' | 'error', line: string) => void;
}

/** A running daemon that has said hello. */
export interface DaemonProcess {
  readonly hello: Hello;
  readonly token: string;
  /** Resolves with the reason when the process is gone. */
  readonly exited: Promise<string>;
  /** Closes its input, which asks for a checkpoint and an end; kills it if it does not end in time. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Kills it: a daemon that is stopped or hung does not react to its input. Its trainers notice, write a checkpoint and end. */
  kill(): Promise<void>;
}

/**
 * Limits V8's young generation to a few megabytes. A stream of metrics makes short-lived objects only; with the default size, the daemon's memory
 * grows by half before V8 collects any of it.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2'];

/** Lines of the daemon's error output that go into an error message. */
const LAST_LINES = 3;

/**
 * Starts the daemon without a shell, hands it the token as the first line of its input and reads one hello line.
 * @throws LaunchError; nothing is left running then.
 */
export async function launchDaemon({
  node,
  entry,
  engineFolders,
  timeout,
  grace,
  log,
}: LaunchOptions): Promise<DaemonProcess> {
  const token = randomBytes(32).toString('base64url');
  const env: NodeJS.ProcessEnv = { ...process.env, ...node.env, LC_PRUNE_ENGINES: engineFolders.join(delimiter) };
  // Options meant for the editor's own Node must not reach ours.
  delete env.NODE_OPTIONS;
  if (!node.env.ELECTRON_RUN_AS_NODE) delete env.ELECTRON_RUN_AS_NODE;
  const child = spawn(node.command, [...NODE_FLAGS, entry], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
    windowsHide: true,
  });
  const exited = exitOf(child, node.command);
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastLines.push(line);
    if (lastLines.length > LAST_LINES) lastLines.shift();
    log(levelOf(line), line);
  });
  // A daemon that is gone cannot take the token; `exited` reports why it ended.
  child.stdin.on('error', () => {});
  child.stdin.write(`${token}\n`);
  try {
    const hello = await Promise.race([
      readHello(child, timeout, log),
      exited.then((reason): never => {
        const detail = lastLines.length > 0 ? ` Last output: ${lastLines.join(' / ')}` : '';
        throw new LaunchError('exited', `The daemon ended before it was ready (${reason}).${detail}`);
      }),
    ]);
    return { hello, token, exited, stop: () => stop(child, exited, grace), kill: () => kill(child, exited) };
  } catch (error) {
    await stop(child, exited, 500);
    throw error;
  }
}

const levelOf = (line: string) =>
  /\berror\b|uncaught|unhandled/i.test(line) ? 'error' : /\bwarn/i.test(line) ? 'warn' : 'info';

function exitOf(child: ChildProcess, command: string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'ENOENT'
          ? `"${command}" was not found; set lcPrune.nodePath to your Node.js`
          : `"${command}" did not start: ${error.message}`,
      ),
    );
    // `close` comes after the last output has been read, so the reason can quote it.
    child.once('close', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
}

function readHello(child: ChildProcess, timeout: number, log: LaunchOptions['log']): Promise<Hello> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(
      () =>
        finish(
          new LaunchError(
            'late',
            `The daemon did not answer within ${timeout / 1000} s. The machine may be very busy: try again, or see the log.`,
          ),
        ),
      timeout,
    );
    const finish = (outcome: Hello | LaunchError) => {
      clearTimeout(timer);
      child.stdout!.off('data', onData);
      // Later output must not fill the pipe and block the daemon.
      child.stdout!.on('data', (chunk: Buffer) => log('info', `daemon: ${String(chunk).trimEnd()}`));
      if (outcome instanceof LaunchError) reject(outcome);
      else resolve(outcome);
    };
    const onData = (chunk: Buffer) => {
      text += String(chunk);
      const end = text.indexOf('\n');
      if (end < 0 && text.length < LIMITS.helloLine) return;
      finish(parseHello(end < 0 ? text : text.slice(0, end)));
    };
    child.stdout!.on('data', onData);
  });
}

/** Parses the hello line. @returns its data, or why it is invalid. */
export function parseHello(line: string): Hello | LaunchError {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return new LaunchError(
      'junk',
      `The daemon said "${line.slice(0, 60)}" instead of hello. Is lcPrune.nodePath really Node.js?`,
    );
  }
  const protocol = (value as { protocol?: unknown } | null)?.protocol;
  if (typeof protocol === 'number' && protocol !== PROTOCOL_VERSION)
    return new LaunchError(
      'protocol',
      `The daemon speaks protocol ${protocol}, this extension ${PROTOCOL_VERSION}: reload the window to finish the update.`,
    );
  const hello = Hello.safeParse(value);
  return hello.success
    ? hello.data
    : new LaunchError('junk', `The daemon's hello is not valid: ${issueText(hello.error, value)}.`);
}

async function stop(child: ChildProcess, exited: Promise<string>, grace: number): Promise<void> {
  child.stdin?.end();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const within = (ms: number) => {
    let timer: NodeJS.Timeout;
    return Promise.race([
      exited.then(() => true),
      new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms))),
    ]).finally(() => clearTimeout(timer));
  };
  if (await within(grace)) return;
  child.kill('SIGTERM');
  if (await within(1000)) return;
  await kill(child, exited);
}

async function kill(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}
