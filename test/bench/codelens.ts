/**
 * How fast the real daemon answers CodeLens for a 20 MB model.json, cold (first time) and warm, and whether a small request
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

const TOKEN = 'benchmark-token-0123456789';

/** A Functional model of many small Dense layers, pretty-printed as a person would open it. */
function bigModel(layerCount: number): string {
  const nothing = { kernel_regularizer: null, bias_regularizer: null, activity_regularizer: null, kernel_constraint: null, bias_constraint: null }; // prettier-ignore
  const layers: object[] = [
    { class_name: 'InputLayer', config: { batch_input_shape: [null, 16], dtype: 'float32', name: 'in' }, name: 'in', inbound_nodes: [] }, // prettier-ignore
  ];
  const weights: object[] = [];
  for (let i = 0; i < layerCount; i++) {
    const name = `dense_${i}`;
    const initializer = { class_name: 'VarianceScaling', config: { scale: 1, mode: 'fan_avg', distribution: 'normal', seed: null } }; // prettier-ignore
    const config = { units: 16, activation: 'relu', use_bias: true, kernel_initializer: initializer, bias_initializer: { class_name: 'Zeros', config: {} }, ...nothing, name, trainable: true }; // prettier-ignore
    const input = i === 0 ? 'in' : `dense_${i - 1}`;
    layers.push({ class_name: 'Dense', config, name, inbound_nodes: [[[input, 0, 0, {}]]] });
    weights.push({ name: `${name}/kernel`, shape: [16, 16], dtype: 'float32' }, { name: `${name}/bias`, shape: [16], dtype: 'float32' }); // prettier-ignore
  }
  const config = { name: 'big', layers, input_layers: [['in', 0, 0]], output_layers: [[`dense_${layerCount - 1}`, 0, 0]] }; // prettier-ignore
  const modelTopology = { class_name: 'Model', config, keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' };
  return JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: [{ paths: ['w.bin'], weights }] }, null, 2); // prettier-ignore
}

const lenses = (result: unknown): number => (result as unknown[]).length;

const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-bench-')));
const path = join(folder, 'model.json');
await writeFile(path, bigModel(15_500));
const daemon = spawn(process.execPath, [fileURLToPath(new URL('../daemon.mjs', import.meta.url))], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  daemon.stdin.write(`${TOKEN}\n`);
  const [line] = (await once(createInterface(daemon.stdout), 'line')) as [string];
  const { port } = JSON.parse(line) as { port: number };
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
  const textDocument = { uri: pathToFileURL(path).href };
  const megabytes = Math.round((await stat(path)).size / 1e5) / 10;
  const began = performance.now();
  const cold = await timed('textDocument/codeLens', { textDocument });
  console.log(JSON.stringify({ bench: 'codelens cold', megabytes, lenses: lenses(cold.result), answered: cold.milliseconds })); // prettier-ignore
  let longest = 0;
  let drawn = false;
  const drawing = refresh.then(() => (drawn = true));
  while (!drawn) {
    longest = Math.max(longest, (await timed('lc/runs', null)).milliseconds);
    await Promise.race([drawing, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  const full = await timed('textDocument/codeLens', { textDocument });
  const seconds = Math.round(performance.now() - began) / 1000;
  console.log(JSON.stringify({ bench: 'all lenses drawn', lenses: lenses(full.result), seconds, otherRequestsWaitedAtMost: longest })); // prettier-ignore
  const warm: number[] = [];
  for (let i = 0; i < 20; i++) warm.push((await timed('textDocument/codeLens', { textDocument })).milliseconds);
  warm.sort((a, b) => a - b);
  console.log(JSON.stringify({ bench: 'codelens warm', median: warm[10], worst: warm.at(-1) }));
  const hover = await timed('textDocument/hover', { textDocument, position: { line: 200_000, character: 20 } });
  console.log(JSON.stringify({ bench: 'hover warm', milliseconds: hover.milliseconds }));
  socket.close();
} finally {
  daemon.stdin.end();
  await once(daemon, 'exit');
  await rm(folder, { recursive: true, force: true });
}
