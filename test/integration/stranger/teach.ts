/** Trains the stranger's networks with TensorFlow.js, and saves them as Keras or TensorFlow.js would. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import type { Loss } from '../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeKeras } from '../../../daemon/model/files/writeKeras.js';
import { savePlain, type tfl } from '../../unit/model/tfjs.js';

/** Rows of equal width, flat. */
export interface Rows {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Lesson {
  readonly inputs: readonly Rows[];
  /** One or several outputs, each with what it learns. */
  readonly outputs: readonly { readonly name?: string; readonly loss: Loss; readonly target: Rows }[];
  readonly rows: Uint32Array;
  readonly epochs: number;
  readonly rate: number;
  readonly batch?: number;
}

const width = ({ shape }: Rows): number => shape.reduce((a, b) => a * b, 1);

function stream({ inputs, rows }: Lesson, target: Rows, batch: number, seed: number) {
  const random = createRandom(seed);
  const order = Uint32Array.from(rows);
  let at = order.length;
  const copy = (from: Rows, row: number, out: Float32Array, i: number) => out.set(from.data.subarray(row * width(from), (row + 1) * width(from)), i * width(from)); // prettier-ignore
  return {
    next(x: readonly Float32Array[], y: Float32Array) {
      if (at + batch > order.length) {
        random.shuffle(order);
        at = 0;
      }
      for (let i = 0; i < batch; i++, at++) {
        inputs.forEach((input, k) => copy(input, order[at]!, x[k]!, i));
        copy(target, order[at]!, y, i);
      }
    },
  };
}

/** Trains every output in turn, epoch by epoch. @returns the model with the weights it ended with. */
async function trained(model: LayersModel, lesson: Lesson): Promise<LayersModel> {
  const { outputs, rows, epochs, rate, batch = 16 } = lesson;
  const turns = outputs.length > 1 ? 12 : 1;
  let current = model;
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, loss, target } of outputs) {
      const spec = { loss, batchSize: batch, seed: 1, ...(name !== undefined && { output: name }) };
      const session = await nativeProvider.open(current, spec);
      const steps = Math.ceil((epochs / turns) * Math.floor(rows.length / batch));
      await session.train({
        batches: stream(lesson, target, batch, 1 + turn),
        steps,
        learningRate: (i) => rate * (1 - (0.95 * (turn + i / steps)) / turns),
        momentum: 0.9,
        nesterov: true,
        weightDecay: 0,
      });
      const [weights, state] = [await session.getWeights(), await session.getState()];
      const values = new Map(session.parameters.map(({ name: n, offset, size }) => [n, weights.slice(offset, offset + size)])); // prettier-ignore
      let at = 0;
      const next = current.weights.map((weight) => {
        const found = values.get(weight.name) ?? state.slice(at, (at += weight.data.length));
        return { ...weight, data: found };
      });
      current = { ...current, weights: next };
      await session.dispose();
    }
  }
  return current;
}

/** Teaches the network, and saves it: a name that ends with ".keras" as Keras would, "model.json" as TensorFlow.js would. */
export async function teach(network: tfl.LayersModel, path: string, lesson: Lesson, compiled: object, freeze?: (layer: string) => boolean): Promise<void> {
  const folder = dirname(path);
  const scratch = await savePlain(network, folder);
  const read = await readLayers(scratch, { workspace: folder });
  const model = await trained(read, lesson);
  const json = JSON.parse(await readFile(scratch, 'utf8')) as { weightsManifest: { paths: string[] }[] };
  for (const file of json.weightsManifest[0]!.paths) await rm(join(folder, file));
  await rm(scratch);
  const topology = freeze ? frozen(model.topology, freeze) : model.topology;
  await writeKeras({ ...model, topology, path }, path);
  const members = unzipSync(await readFile(path));
  const config = { ...(JSON.parse(Buffer.from(members['config.json']!).toString()) as object), compile_config: compiled };
  members['config.json'] = Buffer.from(JSON.stringify(config));
  await writeFile(path, zipSync(members, { level: 0 }));
} // prettier-ignore

/** The topology with `trainable: false` in the layers of these names, as Keras saves a base that is not trained. */
function frozen<T>(value: T, which: (layer: string) => boolean): T {
  if (Array.isArray(value)) return value.map((one: unknown) => frozen(one, which)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, frozen(inner as unknown, which)]));
  const { name } = copy as { name?: unknown };
  if (typeof name === 'string' && which(name)) copy['trainable'] = false;
  return copy as T;
}
