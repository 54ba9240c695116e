/**
 * From the clicks to the first point of the chart, without the editor around it: the real daemon, trainer and engine, each
 * time in a fresh daemon and folder. Prints where the time goes: on LeNet300 and MNIST from the click on a budget, on a person's
 * own network and CSV from the click on "Prune to budget", as long as nobody waits between the clicks.
 * `npm run bench:first [-- times]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import type { DataPreview } from '../../daemon/protocol/dataChoice.js';
import type { BatchColumns, Notifications } from '../../daemon/protocol/messages.js';
import type { Budget, DataSource } from '../../daemon/protocol/plan.js';
import { connect } from '../../extension/daemon/socket.js';
import { iris } from '../integration/stranger/tables.js';

const [times = 5] = process.argv.slice(2).map(Number);
const TOKEN = 'benchmark-token-0123456789';
const print = (figures: object) => console.log(JSON.stringify(figures));

interface Subject {
  readonly name: string;
  /** Writes model and data. @returns the workspace folder, the model in it, and the data in the form of a plan beside the model. */
  write(home: string): Promise<{ folder: string; model: string; data: string }>;
  /** Whether the data search and preview run first, as in the editor. */
  readonly asksData: boolean;
  readonly budget: Budget;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: 'LeNet300 on MNIST, from the budget on',
    asksData: false,
    budget: { keep: '1%' },
    async write(folder) {
      await cp('examples/lenet300', folder, { recursive: true });
      return { folder, model: 'model.json', data: 'mnist' };
    },
  },
  {
    name: 'a Keras network and a CSV, from the first click on',
    asksData: true,
    budget: { keep: '10%' },
    async write(home) {
      await iris.write(home);
      const folder = dirname(join(home, iris.model));
      return { folder, model: basename(iris.model), data: 'Iris data.csv' };
    },
  },
];

async function firstPoint({ write, asksData, budget }: Subject): Promise<number> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-first-')));
  const { folder, model: file, data: source } = await write(home);
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
    const model = join(folder, file);
    const previewed = () => connection.sendRequest('lc/preview', { model, budget });
    // The quick pick's arithmetic. If the budget is the first click, it comes after that click.
    if (!asksData) await previewed();

    const clicked = performance.now();
    const since = () => Math.round(performance.now() - clicked);
    let data: DataSource = source;
    const asked: Record<string, number> = {};
    if (asksData) {
      await connection.sendRequest('lc/searchData', { model });
      asked['data listed'] = since();
      ({ data } = await connection.sendRequest<DataPreview>('lc/previewData', { model, data: join(folder, source) }));
      asked['samples shown'] = since();
      await previewed();
    }
    const { planPath } = await connection.sendRequest<{ planPath: string }>('lc/createPlan', { model, data, budget });
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
    print({
      ...asked,
      plan: planned,
      started,
      firstEvaluation: await Promise.race([evaluated, firstLoss]),
      firstLoss,
      trainer,
    });
    connection.dispose();
    socket.close();
    return firstLoss;
  } finally {
    daemon.stdin.end();
    await once(daemon, 'exit');
    await rm(home, { recursive: true, force: true, maxRetries: 10 });
  }
}

print({ bench: 'first point', unit: 'ms since the click' });
for (const subject of SUBJECTS) {
  print({ subject: subject.name });
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await firstPoint(subject));
  all.sort((a, b) => a - b);
  print({ firstLoss: 'ms', median: all[all.length >> 1], worst: all.at(-1) });
}
