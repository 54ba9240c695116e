/** The extension's own launcher and connection against the real daemon, stopped or killed in the middle of a run. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { createMessageConnection, type MessageConnection } from 'vscode-jsonrpc/node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../daemon/protocol/messages.js';
import { launchDaemon, type DaemonProcess } from '../../../extension/daemon/launch.js';
import { connect } from '../../../extension/daemon/socket.js';
import { bundle } from '../../fixtures/daemon/bundle.js';
import { temporaryFolder } from './harness.js';
import { isAlive } from '../../fixtures/isAlive.js';

let dist: Awaited<ReturnType<typeof temporaryFolder>>;
let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let entry: string;
let planPath: string;
const open: DaemonProcess[] = [];

beforeAll(async () => {
  dist = await temporaryFolder();
  entry = await bundle('test/fixtures/daemon/fakeDaemon.ts', dist.path);
  process.env['FAKE_TRAINER'] = await bundle('test/fixtures/daemon/fakeTrainer.ts', dist.path, 'trainer');
  process.env['FAKE_RATE'] = '100';
  process.env['FAKE_SECONDS'] = '3';
});
beforeEach(async () => {
  scratch = await temporaryFolder();
  planPath = join(scratch.path, 'fake.prune.json');
  await writeFile(planPath, '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((daemon) => daemon.kill()));
  await scratch.remove();
});
afterAll(async () => {
  delete process.env['FAKE_TRAINER'];
  delete process.env['FAKE_RATE'];
  delete process.env['FAKE_SECONDS'];
  await dist.remove();
});

interface Opened {
  daemon: DaemonProcess;
  connection: MessageConnection;
  /** Resolves with the milliseconds after which it was taken for hung. */
  silent: Promise<number>;
  ended: Promise<void>;
}

const PATIENCE = { interval: 250, missed: 4 };

async function launch(): Promise<Opened> {
  const daemon = await launchDaemon({
    node: { command: process.execPath, env: {}, origin: 'PATH' },
    engineFolders: [],
    entry,
    timeout: 20_000,
    grace: 20_000,
    log: () => undefined,
  });
  open.push(daemon);
  const began = performance.now();
  let onSilent = () => {};
  const silent = new Promise<number>((resolve) => (onSilent = () => resolve(performance.now() - began)));
  const socket = await connect(daemon.hello.port, daemon.token, 5000, () => onSilent(), PATIENCE);
  const connection = createMessageConnection(socket.reader, socket.writer);
  const ended = new Promise<void>((resolve) => connection.onClose(resolve));
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: null,
    rootUri: null,
    capabilities: {},
    workspaceFolders: [{ uri: pathToFileURL(scratch.path).href, name: 'test' }],
    initializationOptions: { trusted: true },
  });
  await connection.sendNotification('initialized', {});
  return { daemon, connection, silent, ended };
}

async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    if (Number(stat.split(') ')[1]?.split(' ')[1]) === pid) found.push(Number(name));
  }
  return found;
}

async function runToTheEnd({ connection }: Opened, run: string): Promise<void> {
  expect(await connection.sendRequest('lc/runs', null)).toMatchObject([{ run, state: 'interrupted' }]);
  const done = new Promise<void>((resolve) =>
    connection.onNotification('lc/runChanged', ({ summary }: { summary: RunSummary | null }) => {
      if (summary?.state === 'done') resolve();
    }),
  );
  await connection.sendRequest('lc/resume', { run });
  await done;
}

describe.skipIf(process.platform !== 'linux')('a daemon that fails in the middle of a run', () => {
  it('an idle daemon that answers is left alone', async () => {
    const opened = await launch();
    const verdict = await Promise.race([opened.silent, wait(PATIENCE.interval * PATIENCE.missed * 3, 'answers')]);
    expect(verdict).toBe('answers');
  });

  it('stopped (SIGSTOP): is noticed, ended without asking, leaves no process, and its run is resumed', async () => {
    const opened = await launch();
    const { run } = await opened.connection.sendRequest<{ run: string }>('lc/start', { planPath });
    const { pid } = opened.daemon.hello;
    const [trainer] = await childrenOf(pid);
    process.kill(pid, 'SIGSTOP');
    await opened.silent;
    expect(isAlive(pid)).toBe(true);
    await opened.daemon.kill();
    expect(await opened.daemon.exited).toBe('killed by SIGKILL');
    expect(isAlive(pid)).toBe(false);
    for (let i = 0; i < 200 && isAlive(trainer!); i++) await wait(50);
    expect(isAlive(trainer!)).toBe(false);
    await runToTheEnd(await launch(), run);
  });

  it('killed: the connection ends, no process is left, and its run is resumed', async () => {
    const opened = await launch();
    const { run } = await opened.connection.sendRequest<{ run: string }>('lc/start', { planPath });
    const [trainer] = await childrenOf(opened.daemon.hello.pid);
    process.kill(opened.daemon.hello.pid, 'SIGKILL');
    await opened.ended;
    expect(await opened.daemon.exited).toBe('killed by SIGKILL');
    for (let i = 0; i < 200 && isAlive(trainer!); i++) await wait(50);
    expect(isAlive(trainer!)).toBe(false);
    await runToTheEnd(await launch(), run);
  });
});
