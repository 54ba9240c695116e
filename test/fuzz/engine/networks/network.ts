/** A network to compare engines on, as plain JSON: its topology and how it is trained; weights and data follow from its seed. */
import type { Loss, SessionSpec } from '../../../../daemon/engine/engine.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { modelGraph } from '../../../../daemon/model/layers/layerGraph.js';
import type { LayersModel, Topology, WeightTensor } from '../../../../daemon/model/model.js';

/**
 * What a model input holds: normal numbers; few distinct values, so that maxima tie; rows of which some are all 0, as padding is;
 * or indices below a number.
 */
export type InputKind = 'normal' | 'few' | 'padded' | number;

export interface Network {
  readonly seed: number;
  readonly topology: Topology;
  readonly loss: Loss;
  readonly fromLogits?: boolean;
  readonly classWeights?: readonly number[];
  readonly output?: string;
  readonly batchSize: number;
  readonly inputs: readonly InputKind[];
  /** Threads of the native kernels. */
  readonly threads: number;
  /** Which of the processor's levels of instructions the native kernels take: 0 is the best. */
  readonly level: number;
}

/** Streams of the seed, apart from the grammar's own. */
const streams = { weights: 11, data: 12, directions: 13 };

export const directionsOf = ({ seed }: Network) => createRandom(seed, streams.directions);

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

function drawWeight(name: string, shape: readonly number[], random: ReturnType<typeof createRandom>): Float32Array {
  const normals = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
  if (/variance$/.test(name)) return normals.map((x) => 0.5 + Math.abs(x));
  if (/gamma$/.test(name)) return normals.map((x) => 1 + 0.3 * x);
  if (/alpha$/.test(name)) return normals.map((x) => 0.25 + 0.2 * x);
  if (/(bias|beta|mean)$/.test(name)) return normals.map((x) => 0.2 * x);
  if (/embeddings$/.test(name)) return normals;
  // As large as keeps activations of order 1: by the fan-in, the last axis but one and the field.
  const fanIn = sizeOf(shape.slice(0, /depthwise_kernel$/.test(name) ? -2 : -1));
  return normals.map((x) => (1.2 * x) / Math.sqrt(fanIn));
}

/** The model as read from a file. @throws RangeError if the topology does not determine a weight's shape. */
export function modelOf({ seed, topology }: Network): LayersModel {
  const random = createRandom(seed, streams.weights);
  const specs = modelGraph(topology).layers.flatMap(({ weights }) => weights);
  const weights = specs.map(({ name, shape }): WeightTensor => {
    if (shape.some((n) => n === null)) throw new RangeError(`weight ${name} has the open shape [${shape}]`);
    const known = shape as readonly number[];
    return { name, shape: known, dtype: 'float32', data: drawWeight(name, known, random) };
  });
  return { kind: 'layers', format: 'tfjs-layers', path: `network ${seed}`, topology, weights, notes: [] };
}

export const specOf = (network: Network): SessionSpec => ({
  loss: network.loss,
  batchSize: network.batchSize,
  seed: network.seed,
  threads: network.threads,
  ...(network.fromLogits ? { fromLogits: true } : {}),
  ...(network.output === undefined ? {} : { output: network.output }),
  ...(network.classWeights ? { classWeights: network.classWeights } : {}),
});

export interface Batch {
  readonly inputs: readonly Float32Array[];
  readonly target: Float32Array;
}

/** Batches of a network, one after the other. @param inputShapes, outputShape of one sample. */
export function batchesOf(
  { seed, batchSize, inputs, loss }: Network,
  inputShapes: readonly (readonly number[])[],
  outputShape: readonly number[],
): () => Batch {
  const random = createRandom(seed, streams.data);
  const draw = (kind: InputKind): number => {
    if (typeof kind === 'number') return random.below(kind);
    return kind === 'few' ? random.below(3) - 1 : random.normal();
  };
  const width = outputShape.at(-1) ?? 1;
  return () => {
    const values = inputShapes.map((shape, i) => {
      const drawn = Float32Array.from({ length: batchSize * sizeOf(shape) }, () => draw(inputs[i] ?? 'normal'));
      const row = shape.at(-1)!;
      if (inputs[i] === 'padded')
        for (let at = 0; at < drawn.length; at += row) if (random.next() < 0.35) drawn.fill(0, at, at + row);
      return drawn;
    });
    const target = new Float32Array(batchSize * sizeOf(outputShape));
    if (loss === 'binaryCrossentropy') for (let i = 0; i < target.length; i++) target[i] = random.below(2);
    else if (!loss.endsWith('Crossentropy')) for (let i = 0; i < target.length; i++) target[i] = random.normal();
    else for (let row = 0; row < target.length; row += width) target[row + random.below(width)] = 1;
    return { inputs: values, target };
  };
}
