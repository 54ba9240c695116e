/** Thinned networks as ONNX files. The user's own file with fewer units is compared with the one with zeros before it is given out. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRandom } from '../lc/random.js';
import { writeGraph } from '../model/graph/writeGraph.js';
import type { GraphModel, Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { scientific } from '../protocol/format.js';
import { sizeOf } from '../protocol/shape.js';
import { openOnnx } from './runOnnx.js';
import { writeOnnx } from './writeOnnx.js';

/** Relative to the largest value: float32 sums in another order, layer by layer. */
const TOLERANCE = 1e-5;
/** The same of numbers with 11 bits, of which every layer rounds its own. */
const HALF_TOLERANCE = 2 ** -8;
const SAMPLES = 3;

/** Numbers that are 0 or 1 where the file looks something up by them, else between these. */
function samplesOf({ file, network }: GraphModel): Float32Array[] {
  const random = createRandom(20180618);
  return network.inputs.map(({ shape }, i) => {
    const isFraction = /float|double/.test(file.model.graph.inputs[i]!.type);
    return Float32Array.from({ length: SAMPLES * sizeOf(shape) }, () => (isFraction ? random.next() : Math.round(random.next()))); // prettier-ignore
  });
}

/** Whether the file computes with numbers of 16 bits somewhere. */
const isHalf = ({ graph: { inputs, initializers } }: GraphModel['file']['model']): boolean =>
  [...inputs, ...initializers.values()].some(({ type }) => /float16/.test(type));

async function outputsOf(
  path: string,
  model: GraphModel,
  samples: readonly Float32Array[],
  output: number,
): Promise<Float32Array> {
  const shapes = model.network.inputs.map(({ shape }) => shape);
  const run = await openOnnx(path, model, shapes, output).catch((error: Error) => {
    if (error instanceof UserError) throw error;
    throw new UserError('model-unsupported', `onnxruntime does not run it: ${error.message.split('\n')[0]}`);
  });
  try {
    return await run.run(samples, SAMPLES);
  } finally {
    await run.release();
  }
}

/** @throws UserError('model-unsupported') where the thinned model's file computes something else than the one it was made of. */
async function compare(thinned: GraphModel, from: GraphModel): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lc-prune-'));
  const [before, after] = [join(folder, 'pruned', 'model.onnx'), join(folder, 'thinned', 'model.onnx')];
  const refuse = (why: string): never => {
    throw new UserError(
      'model-unsupported',
      `${from.path}: the file with fewer units is not written, since ${why}; export it as onnx, with its zeros`,
      { file: from.path },
    );
  };
  try {
    for (const [model, path] of [
      [from, before],
      [thinned, after],
    ] as const) {
      await mkdir(dirname(path));
      await writeGraph(model, path);
    }
    const samples = samplesOf(from);
    const tolerance = isHalf(from.file.model) ? HALF_TOLERANCE : TOLERANCE;
    for (const output of from.network.outputs.keys()) {
      const expected = await outputsOf(before, from, samples, output);
      const found = await outputsOf(after, thinned, samples, output);
      const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0);
      if (expected.length !== found.length || !(worst <= tolerance * scale))
        refuse(
          `its output "${from.network.outputs[output]!.name}" differs by ${scientific(worst / scale, 1)} of its largest value`,
        );
    }
  } catch (error) {
    if (error instanceof UserError && error.code === 'model-unsupported' && !error.message.startsWith(from.path))
      refuse(error.message);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws UserError('model-unsupported'), UserError('disk'). */
export async function writeThinnedOnnx(model: Model, path: string): Promise<void> {
  if (model.kind === 'graph' && model.thinned) await compare(model, model.thinned.from);
  await writeOnnx(model, path);
}
