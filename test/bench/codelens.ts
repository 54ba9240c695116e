/**
 * How fast the real daemon starts, and answers CodeLens for a 20 MB model.json, cold (first time) and warm, and whether a small request
 * made at the same moment waits. Prints one JSON line per figure. `npm run bench:codelens`.
 */
import { mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bigModel } from '../fixtures/bigModel.js';
import { DaemonClient } from './daemon/client.js';

const print = (figures: object): void => console.log(JSON.stringify(figures));
const lenses = (result: unknown): number => (result as unknown[]).length;

const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-bench-')));
const path = join(folder, 'model.json');
await writeFile(path, bigModel(15_500));
const spawned = performance.now();
const daemon = await DaemonClient.start(folder);
try {
  const refresh = daemon.next('workspace/codeLens/refresh');
  print({ bench: 'daemon', hello: Math.round(daemon.hello), initialized: Math.round(performance.now() - spawned) });
  const textDocument = { uri: pathToFileURL(path).href };
  const megabytes = Math.round((await stat(path)).size / 1e5) / 10;
  const began = performance.now();
  const cold = await daemon.timed('textDocument/codeLens', { textDocument });
  print({ bench: 'codelens cold', megabytes, lenses: lenses(cold.result), answered: cold.milliseconds }); // prettier-ignore
  let longest = 0;
  let drawn = false;
  const drawing = refresh.then(() => (drawn = true));
  while (!drawn) {
    longest = Math.max(longest, (await daemon.timed('lc/runs', null)).milliseconds);
    await Promise.race([drawing, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  const full = await daemon.timed('textDocument/codeLens', { textDocument });
  const seconds = Math.round(performance.now() - began) / 1000;
  print({ bench: 'all lenses drawn', lenses: lenses(full.result), seconds, otherRequestsWaitedAtMost: longest }); // prettier-ignore
  const warm: number[] = [];
  for (let i = 0; i < 20; i++) warm.push((await daemon.timed('textDocument/codeLens', { textDocument })).milliseconds);
  warm.sort((a, b) => a - b);
  print({ bench: 'codelens warm', median: warm[10], worst: warm.at(-1) });
  const hover = await daemon.timed('textDocument/hover', { textDocument, position: { line: 200_000, character: 20 } });
  print({ bench: 'hover warm', milliseconds: hover.milliseconds });
} finally {
  await daemon.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
}
