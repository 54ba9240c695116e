/**
 * From the click on a budget to the first point of the chart, without the editor around it: the real daemon, trainer and
 * engine on LeNet300 and MNIST, each time in a fresh daemon and folder. Prints where the time goes.
 * `npm run bench:first [-- times]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import type { BatchColumns, Notifications } from '../../daemon/protocol/messages.js';
import { connect } from '../../extension/daemon/socket.js';

const [times = 5] = process.argv.slice(2).map(Number);
const TOKEN = 'benchmark-token-0123456789';
const print = (figures: object) => console.log(JSON.stringify(figures));

async function firstPoint(): Promise<number> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-first-')));
  await cp('examples/lenet300', folder, { recursive: true });
  const daemon = spawn(process.execPath, [fileURLToPath(new URL('../daemon.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let trainer = '';
  createInterface({ input: daemon.stderr }).on('line', (line) => {
    const found = /ready after (.*)$/.exec(line);
    if (found) trainer = found[1]!;
  });
  try {
    daemon.stdin.write(`${TOKEN}\n`);
    const [line] = (await once(createInterface(daemon.stdout), 'line')) as [string];
    const socket = await connect((JSON.parse(line) as { port: number }).port, TOKEN, 10_000);
    const connection = createMessageConnection(socket.reader, socket.writer);
    connection.listen();
    connection.onNotification('lc/runChanged', () => undefined);
    await connection.sendRequest('initialize', {
      processId: null,
      rootUri: null,
      capabilities: {},
      workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'bench' }],
      initializationOptions: { trusted: true },
    });
    await connection.sendNotification('initialized', {});
    const model = join(folder, 'model.json');
    const budget = { keep: '1%' };
    // The quick pick's arithmetic: the click comes after it.
    await connection.sendRequest('lc/preview', { model, budget });

    const clicked = performance.now();
    const since = () => Math.round(performance.now() - clicked);
    const { planPath } = await connection.sendRequest<{ planPath: string }>('lc/createPlan', {
      model,
      data: 'mnist',
      budget,
    });
    const planned = since();
    const evaluated = new Promise<number>((resolve) => {
      connection.onNotification('lc/events', ({ events }: z.infer<Notifications['lc/events']>) => {
        if (events.some((event) => event.event === 'evaluation')) resolve(since());
      });
    });
    const trained = new Promise<number>((resolve) => {
      connection.onNotification('lc/batches', (_: BatchColumns) => resolve(since()));
    });
    const { run } = await connection.sendRequest<{ run: string }>('lc/start', { planPath });
    const started = since();
    await connection.sendRequest('lc/subscribe', { run, on: true });
    const firstLoss = await trained;
    print({ plan: planned, started, firstEvaluation: await Promise.race([evaluated, firstLoss]), firstLoss, trainer });
    connection.dispose();
    socket.close();
    return firstLoss;
  } finally {
    daemon.stdin.end();
    await once(daemon, 'exit');
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

print({ bench: 'first point', unit: 'ms since the click' });
const all: number[] = [];
for (let i = 0; i < times; i++) all.push(await firstPoint());
all.sort((a, b) => a - b);
print({ firstLoss: 'ms', median: all[all.length >> 1], worst: all.at(-1) });
