/**
 * How long a 100 MB ONNX model takes to read, and for how long at most other work of the process waits meanwhile: 10,000 nodes with their
 * weights inside and in a file beside them. Then how long the daemon takes to import a network of 25 layers of that size, to
 * preview a budget and to check a plan, with the longest turn of its event loop. Prints one JSON line per figure. `npm run bench:onnx`.
 */
import { mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { readOnnxFile } from '../../../daemon/onnx/file/onnxFile.js';
import { inDaemon } from './inDaemon.js';
import { beside, chain, dense } from './models.js';

const MB = 2 ** 20;

async function measure(what: string, path: string, bytes: number): Promise<void> {
  for (const run of ['first', 'second', 'third']) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await wait(500);
    // What the machine does to a process that has nothing to do.
    const idle = delay.max;
    delay.reset();
    const start = performance.now();
    const { model } = await readOnnxFile(path);
    const seconds = (performance.now() - start) / 1000;
    await wait(5);
    delay.disable();
    console.log(
      JSON.stringify({
        what,
        run,
        megabytes: Math.round(bytes / MB),
        nodes: model.graph.nodes.length,
        seconds: Number(seconds.toFixed(3)),
        longestWaitMs: Number((delay.max / 1e6).toFixed(1)),
        longestWaitIdleMs: Number((idle / 1e6).toFixed(1)),
      }),
    );
  }
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-bench-')));
try {
  const inside = join(folder, 'inside.onnx');
  await writeFile(inside, chain());
  await measure('weights inside', inside, (await stat(inside)).size);
  const outside = join(folder, 'outside.onnx');
  const { bytes, data } = beside('outside.data');
  await writeFile(join(folder, 'outside.data'), data);
  await writeFile(outside, bytes);
  await measure('weights beside it', outside, data.length + bytes.length);
  const layers = join(folder, 'layers.onnx');
  await writeFile(layers, dense());
  await inDaemon(folder, [layers]);
} finally {
  await rm(folder, { recursive: true, force: true });
}
