/**
 * 2,000 metrics a second for 60 s: trainer process (invented metrics, real event log) -> real daemon -> a client in this
 * process that does what the extension host does: the extension's own socket and series, and every 50 ms a clone of what is
 * new, as for a page. Prints the client's share of a core, both memories over time, delivery delays, and whether the log
 * holds every step. `npm run bench:stream [-- seconds rate]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import type { BatchColumns, Notifications } from '../../../daemon/protocol/messages.js';
import { NODE_FLAGS } from '../../../extension/daemon/launch.js';
import { connect } from '../../../extension/daemon/socket.js';
import { RunSeries, type Cursor } from '../../../extension/monitor/runSeries.js';

import { bundleFakes } from '../../fixtures/daemon/bundle.js';
import { slopeOf, usageOf } from '../../fixtures/processUsage.js';

const [seconds = 60, rate = 2000] = process.argv.slice(2).map(Number);
const TOKEN = 'benchmark-token-0123456789';
const print = (figures: object) => console.log(JSON.stringify(figures));
const round = (value: number, digits = 1) => Number(value.toFixed(digits));

/** Every step number of the log's batches, counted. */
async function readLog(file: string): Promise<{ batches: number; missing: number; events: number }> {
  let batches = 0;
  let events = 0;
  let missing = 0;
  for await (const line of createInterface(createReadStream(file))) {
    events++;
    const event = JSON.parse(line) as { event: string; step: number };
    if (event.event !== 'batch') continue;
    batches++;
    if (event.step !== batches) missing++;
  }
  return { batches, missing, events };
}

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-stream-')));
const { daemon: script, trainer } = await bundleFakes(join(scratch, 'dist'));
const planPath = join(scratch, 'fake.prune.json');
await writeFile(planPath, '{ "model": "model.json", "data": "mnist", "budget": { "keep": "1%" } }');
const daemon = spawn(process.execPath, [...NODE_FLAGS, script], {
  stdio: ['pipe', 'pipe', 'ignore'],
  env: { ...process.env, FAKE_TRAINER: trainer, FAKE_RATE: String(rate), FAKE_SECONDS: String(seconds) },
});
try {
  daemon.stdin.write(`${TOKEN}\n`);
  const [line] = (await once(createInterface(daemon.stdout), 'line')) as [string];
  const { port } = JSON.parse(line) as { port: number };
  const socket = await connect(port, TOKEN, 10_000);
  const connection = createMessageConnection(socket.reader, socket.writer);
  connection.listen();

  const series = new RunSeries({ resumed: 'resumed', budget: 'budget', phase: {} });
  const cursor: Cursor = new Map();
  const delays: number[] = [];
  let messages = 0;
  let delivered = 0;
  let cloned = 0;
  let events = 0;
  let last: string | undefined;
  connection.onNotification('lc/batches', (batch: BatchColumns) => {
    messages++;
    delivered += batch.step.length;
    series.applyBatches(batch);
    delays.push(Date.now() - batch.time[0]!);
  });
  const posting = setInterval(() => {
    const patches = series.news(cursor);
    if (patches) cloned += structuredClone(patches).batch?.columns['step']?.length ?? 0;
  }, 50);
  const ended = new Promise<void>((resolve) => {
    connection.onNotification('lc/events', (params: z.infer<Notifications['lc/events']>) => {
      events += params.events.length;
      for (const event of params.events) series.apply(event);
      last = params.events.at(-1)?.event;
      if (last === 'done') resolve();
    });
  });
  connection.onNotification('lc/runChanged', () => undefined);
  await connection.sendRequest('initialize', {
    processId: null,
    rootUri: null,
    capabilities: {},
    workspaceFolders: [{ uri: pathToFileURL(scratch).href, name: 'bench' }],
    initializationOptions: { trusted: true },
  });
  await connection.sendNotification('initialized', {});
  const { run } = await connection.sendRequest<{ run: string }>('lc/start', { planPath });
  await connection.sendRequest('lc/subscribe', { run, on: true });

  const began = performance.now();
  const own = process.cpuUsage();
  const daemonBefore = await usageOf(daemon.pid!);
  const memory: { second: number; client: number; daemon: number }[] = [];
  const measure = async () => {
    const { megabytes } = await usageOf(daemon.pid!);
    const second = Math.round((performance.now() - began) / 1000);
    memory.push({ second, client: round(process.memoryUsage().rss / 2 ** 20), daemon: round(megabytes) });
  };
  const sample = setInterval(() => void measure(), Math.max(1000, (seconds * 1000) / 20));
  await ended;
  clearInterval(sample);
  clearInterval(posting);
  const elapsed = (performance.now() - began) / 1000;
  const spent = process.cpuUsage(own);
  const daemonSpent = (await usageOf(daemon.pid!)).cpu - daemonBefore.cpu;
  const log = join(scratch, '.lcprune', 'runs', run, 'events.jsonl');
  const logged = await readLog(log);
  delays.sort((x, y) => x - y);
  const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(share * delays.length))];
  print({ bench: 'stream', seconds: round(elapsed), rate, expected: rate * seconds });
  print({ client: 'share of a core', percent: round((100 * (spent.user + spent.system)) / 1e6 / elapsed, 2) });
  print({ daemon: 'share of a core', percent: round((100 * daemonSpent) / elapsed, 2) });
  print({ delivered, postedToPage: cloned, messages, events, last });
  print({ delayOfTheOldestPointInAMessage: 'ms', median: at(0.5), p99: at(0.99), worst: delays.at(-1) });
  print({ memory: 'MB', samples: memory });
  const slope = (of: 'client' | 'daemon') =>
    round(slopeOf(memory.map((sample) => ({ second: sample.second, megabytes: sample[of] }))));
  print({ growth: 'MB a minute, second half', client: slope('client'), daemon: slope('daemon') });
  print({ log: 'events.jsonl', ...logged, lost: rate * seconds - logged.batches, megabytes: round((await stat(log)).size / 2 ** 20) }); // prettier-ignore
  connection.dispose();
  socket.close();
  process.exitCode = logged.batches === rate * seconds && logged.missing === 0 ? 0 : 1;
} finally {
  daemon.stdin.end();
  await once(daemon, 'exit');
  await rm(scratch, { recursive: true, force: true, maxRetries: 10 });
}
