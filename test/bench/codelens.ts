/**
 * How fast the real daemon starts, and answers CodeLens for a 20 MB model.json, cold (first time) and warm, and whether a small request
 * made at the same moment waits. Prints one JSON line per figure. `npm run bench:codelens`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { bigModel } from '../fixtures/bigModel.js';

const TOKEN = 'benchmark-token-0123456789';

const print = (figures: object): void => console.log(JSON.stringify(figures));
const lenses = (result: unknown): number => (result as unknown[]).length;

const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-bench-')));
const path = join(folder, 'model.json');
await writeFile(path, bigModel(15_500));
const spawned = performance.now();
const daemon = spawn(process.execPath, [fileURLToPath(new URL('../daemon.mjs', import.meta.url))], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  daemon.stdin.write(`${TOKEN}\n`);
  const [line] = (await once(createInterface(daemon.stdout), 'line')) as [string];
  const { port } = JSON.parse(line) as { port: number };
  const hello = performance.now();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/lcprune`, { headers: { authorization: `Bearer ${TOKEN}` } });
  await once(socket, 'open');
  let next = 1;
  let refreshed = () => {};
  const refresh = new Promise<void>((resolve) => (refreshed = resolve));
  const waiting = new Map<number, (result: unknown) => void>();
  socket.on('message', (data) => {
    const { id, method, result } = JSON.parse(String(data)) as { id: number; method?: string; result: unknown };
    if (method === 'workspace/codeLens/refresh') refreshed();
    if (method === undefined) waiting.get(id)?.(result);
    else if (id !== undefined) socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: null }));
  });
  const call = (method: string, params: unknown) =>
    new Promise<unknown>((resolve) => {
      waiting.set(next, resolve);
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: next++, method, params }));
    });
  const timed = async (method: string, params: unknown) => {
    const began = performance.now();
    const result = await call(method, params);
    return { milliseconds: Math.round((performance.now() - began) * 10) / 10, result };
  };
  const workspaceFolders = [{ uri: pathToFileURL(folder).href, name: 'bench' }];
  await call('initialize', { processId: null, rootUri: null, capabilities: { workspace: { codeLens: { refreshSupport: true } } }, workspaceFolders, initializationOptions: { trusted: false } }); // prettier-ignore
  socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'initialized', params: {} }));
  print({ bench: 'daemon', hello: Math.round(hello - spawned), initialized: Math.round(performance.now() - spawned) });
  const textDocument = { uri: pathToFileURL(path).href };
  const megabytes = Math.round((await stat(path)).size / 1e5) / 10;
  const began = performance.now();
  const cold = await timed('textDocument/codeLens', { textDocument });
  print({ bench: 'codelens cold', megabytes, lenses: lenses(cold.result), answered: cold.milliseconds }); // prettier-ignore
  let longest = 0;
  let drawn = false;
  const drawing = refresh.then(() => (drawn = true));
  while (!drawn) {
    longest = Math.max(longest, (await timed('lc/runs', null)).milliseconds);
    await Promise.race([drawing, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  const full = await timed('textDocument/codeLens', { textDocument });
  const seconds = Math.round(performance.now() - began) / 1000;
  print({ bench: 'all lenses drawn', lenses: lenses(full.result), seconds, otherRequestsWaitedAtMost: longest }); // prettier-ignore
  const warm: number[] = [];
  for (let i = 0; i < 20; i++) warm.push((await timed('textDocument/codeLens', { textDocument })).milliseconds);
  warm.sort((a, b) => a - b);
  print({ bench: 'codelens warm', median: warm[10], worst: warm.at(-1) });
  const hover = await timed('textDocument/hover', { textDocument, position: { line: 200_000, character: 20 } });
  print({ bench: 'hover warm', milliseconds: hover.milliseconds });
  socket.close();
} finally {
  daemon.stdin.end();
  await once(daemon, 'exit');
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
}
