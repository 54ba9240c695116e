/**
 * How long a 100 MB ONNX model of 10,000 nodes takes to read, with its weights inside and in a file beside it, and for how long at most
 * other work of the process waits meanwhile. Prints one JSON line per figure. `npm run bench:onnx`.
 */
import { mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { encodeOnnx, type OnnxNode, type OnnxTensor } from '../../daemon/onnx/emit/protobuf.js';
import { readOnnxFile } from '../../daemon/onnx/file/onnxFile.js';
import type { NewPlace } from '../../daemon/onnx/file/editTensor.js';
import { Message } from '../../daemon/onnx/emit/message.js';

const [NODES, WEIGHTS, SIZE] = [10_000, 100, 250_000];
const MB = 2 ** 20;

/** A chain of additions; every hundredth adds its own weight. */
function chain(): Uint8Array {
  const dims = [SIZE];
  const initializers = new Map<string, OnnxTensor>();
  for (let i = 0; i < WEIGHTS; i++)
    initializers.set(`layer${i}.weight`, { type: 'float32', dims, data: new Float32Array(SIZE).fill(i) });
  const nodes = Array.from({ length: NODES }, (_, i): OnnxNode => {
    const [input, output] = [i === 0 ? 'x' : `v${i}`, i === NODES - 1 ? 'y' : `v${i + 1}`];
    const weight = `layer${Math.floor((i * WEIGHTS) / NODES)}.weight`;
    return { op: 'Add', inputs: [input, weight], outputs: [output], attrs: { axis: [0, 1], scale: { float: 1 } } };
  });
  const value = (name: string) => ({ name, type: 'float32' as const, dims });
  return encodeOnnx({ nodes, inputs: [value('x')], outputs: [value('y')], initializers }, { '': 17 });
}

/** The same with its weights beside it: without their bytes, and with places instead. */
function beside(location: string): { bytes: Uint8Array; data: Uint8Array } {
  const data = new Uint8Array(4 * SIZE * WEIGHTS);
  const graph = new Message();
  const places = Array.from({ length: WEIGHTS }, (_, i): NewPlace => ({ location, offset: 4 * SIZE * i, length: 4 * SIZE })); // prettier-ignore
  graph.messages(1, Array.from({ length: NODES }), (_) => new Message().text(1, 'x').text(4, 'Relu'));
  graph.messages(5, places.entries(), ([i, place]) =>
    new Message()
      .int(1, SIZE)
      .int(2, 1)
      .text(8, `layer${i}.weight`)
      .messages(13, Object.entries(place), ([key, value]) => new Message().text(1, key).text(2, String(value)))
      .int(14, 1),
  );
  graph.message(11, new Message().text(1, 'x'));
  const bytes = new Message().int(1, 8).message(7, graph).message(8, new Message().int(2, 17)).finish();
  return { bytes, data };
}

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
} finally {
  await rm(folder, { recursive: true, force: true });
}
