/**
 * Memory and time of large images on a small network: `evaluate` of 12 images of 256 x 256 with a network of 286 thousand weights, and
 * the beginning of a `run` on 2,000 of them, with defaults. Prints one JSON line each, with the peak of the largest process, and for
 * single training steps what they took beside what was foretold.
 * `npm run bench:memory [-- images]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEngine } from '../../daemon/engine/registry.js';
import { stepMemory } from '../../daemon/engine/stepMemory.js';
import { ints, npzFile } from '../../daemon/export/npyFile.js';
import { createRandom } from '../../daemon/lc/random.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { readLayers } from '../fixtures/readLayers.js';
import { writeTfjsModel } from '../../daemon/model/files/writeTfjs.js';

const SIZE = 256;
const CLASSES = 4;
const [images = 2000] = process.argv.slice(2).map(Number);

/** Three times Conv2D and MaxPooling2D, and a Dense on all places. */
function network(): LayersModel {
  const random = createRandom(1);
  const conv = (name: string, filters: number, more: object = {}) => ({
    class_name: 'Conv2D',
    config: { name, filters, kernel_size: [3, 3], padding: 'same', activation: 'relu', ...more },
  });
  const pool = (name: string) => ({ class_name: 'MaxPooling2D', config: { name, pool_size: [2, 2] } });
  const layers = [
    conv('conv1', 16, { batch_input_shape: [null, SIZE, SIZE, 3] }),
    pool('pool1'),
    conv('conv2', 32),
    pool('pool2'),
    conv('conv3', 64),
    pool('pool3'),
    { class_name: 'Flatten', config: { name: 'flatten' } },
    { class_name: 'Dense', config: { name: 'logits', units: CLASSES, activation: 'softmax' } },
  ];
  const tensor = (name: string, shape: number[]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const deviation = shape.length > 1 ? Math.sqrt((2 * shape.at(-1)!) / size) : 0;
    return { name, shape, dtype: 'float32' as const, data: Float32Array.from({ length: size }, () => deviation * random.normal()) };
  }; // prettier-ignore
  const weights = [
    ['conv1', 3, 3, 3, 16],
    ['conv2', 3, 3, 16, 32],
    ['conv3', 3, 3, 32, 64],
    ['logits', (SIZE / 8) ** 2 * 64, CLASSES],
  ].flatMap(([name, ...shape]) => [
    tensor(`${name}/kernel`, shape as number[]),
    tensor(`${name}/bias`, [shape.at(-1) as number]),
  ]);
  return {
    kind: 'layers',
    format: 'tfjs-layers',
    path: 'model.json',
    topology: { class_name: 'Sequential', config: { name: 'images', layers } },
    weights,
    notes: [],
  };
}

/** Bytes: a bar whose place is the class, under noise. */
function data(count: number): Uint8Array {
  const random = createRandom(2);
  const noise = Uint8Array.from({ length: 1 << 16 }, () => random.below(64));
  const width = SIZE * SIZE * 3;
  const bytes = new Uint8Array(count * width);
  for (let i = 0; i < count; i++) {
    for (let at = 0; at < width; at += noise.length) bytes.set(noise.subarray(0, width - at), i * width + at);
    const bar = SIZE / CLASSES;
    for (let row = 0; row < SIZE; row += 1 + random.below(3)) {
      const start = i * width + (row * SIZE + (i % CLASSES) * bar) * 3;
      bytes.fill(200, start, start + bar * 3);
    }
  }
  const x = { descr: '|u1', shape: [count, SIZE, SIZE, 3], bytes };
  return npzFile({ x, y: ints(Int32Array.from({ length: count }, (_, i) => i % CLASSES)) });
}

/** A module for each process: at its end it appends its peak, in kilobytes. */
const report = `import { appendFileSync } from 'node:fs';
process.on('exit', () => appendFileSync(process.env.PEAKS, process.resourceUsage().maxRSS + '\\n'));
`;

async function run(command: string, args: readonly string[]): Promise<void> {
  await once(spawn(command, args, { stdio: 'inherit' }), 'exit');
}

async function measured(what: string, folder: string, args: readonly string[]): Promise<void> {
  const peaks = join(folder, 'peaks');
  await writeFile(peaks, '');
  const began = performance.now();
  const child = spawn(process.execPath, [fileURLToPath(new URL('../cli.mjs', import.meta.url)), ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: `--import ${join(folder, 'report.mjs')}`, PEAKS: peaks },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
  const notes = text.split('\n').filter((line) => /batch/i.test(line));
  const kilobytes = (await readFile(peaks, 'utf8')).trim().split('\n').map(Number);
  const megabytes = Math.round(Math.max(...kilobytes) / 1024);
  console.log(JSON.stringify({ what, code, seconds, megabytes, notes }));
  if (code !== 0) console.error(text);
}

/** Measures the memory of two training steps of `batch` samples in a separate process. */
async function step(engine: string, batch: number, path: string): Promise<void> {
  const model = await readLayers(path, { workspace: dirname(path) });
  const spec = { loss: 'categoricalCrossentropy', seed: 0, batchSize: batch } as const;
  const estimates = await stepMemory(model, spec);
  const { fixed, perSample } = engine === 'native-cpu' ? estimates.native : estimates.onnx;
  const before = process.resourceUsage().maxRSS;
  const session = await openEngine(engine, model, spec);
  const floats = (shape: readonly number[]) => new Float32Array(shape.reduce((product, n) => product * n, batch));
  for (let i = 0; i < 2; i++) await session.gradient(session.inputShapes.map(floats), floats(session.outputShape));
  const megabytes = Math.round((process.resourceUsage().maxRSS - before) / 1024);
  const foretold = Math.round((fixed + batch * perSample) / 2 ** 20);
  console.log(JSON.stringify({ what: `training step of ${batch} images, ${engine}`, megabytes, foretold }));
}

if (process.argv[2] === 'step') {
  const [engine, batch, path] = process.argv.slice(3) as [string, string, string];
  await step(engine, Number(batch), path);
  process.exit(0);
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-memory-')));
try {
  await writeTfjsModel(network(), join(folder, 'model.json'));
  await writeFile(join(folder, 'report.mjs'), report);
  await writeFile(join(folder, 'few.npz'), data(12));
  for (const engine of ['auto', 'native-cpu', 'onnx-cpu'])
    await measured(`evaluate 12 images, ${engine}`, folder, [
      'evaluate',
      'model.json',
      '--data',
      'few.npz',
      '--engine',
      engine,
    ]);
  for (const engine of ['native-cpu', 'onnx-cpu'])
    for (const batch of [8, 32])
      await run(process.execPath, [
        fileURLToPath(import.meta.url),
        'step',
        engine,
        String(batch),
        join(folder, 'model.json'),
      ]);
  if (images > 0) {
    await writeFile(join(folder, 'many.npz'), data(images));
    const short = { iterations: 1, epochs: 0.02, firstEpochs: 0.02 };
    const plan = {
      model: 'model.json',
      data: 'many.npz',
      budget: { keep: '10%' },
      schedule: short,
      retrain: { epochs: 0 },
    };
    await writeFile(join(folder, 'short.prune.json'), JSON.stringify(plan));
    await measured(`run on ${images} images`, folder, ['run', 'short.prune.json']);
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
}
