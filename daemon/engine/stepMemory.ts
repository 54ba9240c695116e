/** What a training step takes in memory, measured on its graph without computing anything. */
import type { Model } from '../model/model.js';
import type { SessionSpec } from './engine.js';
import { liveBytes } from '../network/liveMemory.js';
import { type Graph } from '../network/ir.js';
import { stepCost } from './trialSize.js';
import { sizeOf } from '../protocol/shape.js';

/** Bytes: `fixed`, and `perSample` for each sample that is computed at once. */
export interface StepMemory {
  readonly fixed: number;
  readonly perSample: number;
  /** Why the gradient of a batch is not the mean over its parts'; null where it is. */
  readonly indivisible: string | null;
}

/** Executors whose memory is known: our own places tensors by a plan, onnxruntime by an allocator of its own. */
export type Measured = 'native' | 'onnx';

/** Weights, velocity, gradient, target of the penalty, and the sum of a batch in parts. */
const vectors = 5;
/**
 * What onnxruntime takes for each byte of live tensors: it makes padded and transposed copies, and its arena grows by powers of
 * two. `npm run bench:memory` prints what steps took, and this estimate.
 */
const onnxShare = 2.2;
/** Its code and buffers, and a graph for inference beside the one for training. */
const beside = 2 ** 27;
/** Batches whose graphs are measured: what lies between them is the cost of a sample. A single one has axes of 1 that simplify. */
const measured = [2, 4] as const;

/** Bytes of all that a graph's step holds at once. @throws Unsupported where our own kernels lack an operation. */
async function graphBytes(graph: Graph, executor: Measured): Promise<number> {
  if (executor === 'onnx') return onnxShare * liveBytes(graph);
  const { encode } = await import('./native/encode.js');
  const { arenaSize, constants } = encode(graph);
  const sizes = [...graph.inputs, ...graph.outputs].map(({ node }) => sizeOf(node.shape));
  return 4 * (arenaSize + [...constants.map(({ length }) => length), ...sizes].reduce((sum, size) => sum + size, 0));
}

/** By the shapes of the layers alone: within a factor of four. */
export function roughStepMemory(model: Model): Pick<StepMemory, 'fixed' | 'perSample'> {
  const { fixed, perSample } = stepCost(model);
  return { fixed: fixed + beside, perSample };
}

/**
 * Records the training step of a model, and adds up what is there at the same time: on our own kernels and on onnxruntime. Where
 * the former lack an operation, the latter's figure stands for both.
 *
 * @throws UserError('model-unsupported' | 'model-invalid') where the step cannot be recorded.
 */
export async function stepMemory(model: Model, spec: SessionSpec): Promise<Readonly<Record<Measured, StepMemory>>> {
  const { graphsOf } = await import('./graphs/graphsOf.js');
  const { Unsupported } = await import('./native/units.js');
  const { microBatch: _, ...whole } = spec;
  const graphs: Graph[] = [];
  let masked = false;
  // One after the other: TensorFlow.js has one state per process.
  for (const batchSize of measured) {
    const traced = await graphsOf(model, { ...whole, batchSize, purpose: 'inference' });
    masked ||= traced.inference.outputs.some(({ role }) => role === 'mask');
    graphs.push(await traced.training());
  }
  const statistics = graphs.some(({ outputs }) => outputs.some(({ role }) => role === 'state'));
  const overBatch = statistics ? 'its BatchNormalization takes statistics over the whole batch' : null;
  const indivisible =
    overBatch ?? (masked ? 'its loss is a mean over the steps of the whole batch that no mask leaves out' : null);
  const weights = model.weights.reduce((sum, { data }) => sum + data.length, 0);
  const by = async (executor: Measured): Promise<StepMemory> => {
    const [few, more] = await Promise.all(graphs.map((graph) => graphBytes(graph, executor)));
    const perSample = Math.max(1, (more! - few!) / (measured[1] - measured[0]));
    const fixed = Math.max(0, few! - measured[0] * perSample) + 4 * vectors * weights + beside;
    return { fixed, perSample, indivisible };
  };
  const onnx = await by('onnx');
  const native = await by('native').catch((error: unknown) => {
    if (error instanceof Unsupported) return onnx;
    throw error;
  });
  return { native, onnx };
}
