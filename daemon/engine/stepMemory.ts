/** Memory of a training step, derived from its graph without computing it. */
import type { Model } from '../model/model.js';
import type { SessionSpec } from './engine.js';
import { peakBytes } from '../network/peakMemory.js';
import { type Graph } from '../network/ir.js';
import { stepCost } from './trialSize.js';
import { parts } from './native/layout.js';
import { sizeOf } from '../protocol/shape.js';

/** Bytes: `fixed`, and `perSample` for each sample that is computed at once. */
export interface StepMemory {
  readonly fixed: number;
  readonly perSample: number;
  /** Why the gradient of a batch is not the mean over its parts'; null if it is. */
  readonly indivisible: string | null;
}

/** Executors with a known memory: our own places tensors by a plan, onnxruntime by an allocator of its own. */
export type Measured = 'native' | 'onnx';

/** Weights, velocity, gradient, target of the penalty, and the sum of a batch in parts. */
const vectors = 5;
/**
 * onnxruntime's memory per byte of the tensors in use: it makes padded and transposed copies, and its arena grows by powers of two. `npm run
 * bench:memory` prints measured steps and this estimate.
 */
const onnxShare = 2.2;
/** Its code and buffers, and a graph for inference beside the one for training. */
const beside = 2 ** 27;
/**
 * Batch sizes whose graphs are measured: their difference gives the cost of a sample. Sums over a batch are made in parts, of which a smaller batch has
 * fewer; a larger one has no more of them.
 */
const measured = [parts, 2 * parts] as const;

/** Bytes in use at once in a graph's step. @throws Unsupported if our own kernels lack an operation. */
async function graphBytes(graph: Graph, executor: Measured): Promise<number> {
  if (executor === 'onnx') return onnxShare * peakBytes(graph);
  const { encode } = await import('./native/encode.js');
  const { arenaSize, constants } = encode(graph);
  const sizes = [...graph.inputs, ...graph.outputs].map(({ node }) => sizeOf(node.shape));
  return 4 * (arenaSize + [...constants.map(({ length }) => length), ...sizes].reduce((sum, size) => sum + size, 0));
}

/** Estimated from the shapes of the layers alone: within a factor of four. */
export function roughStepMemory(model: Model): Pick<StepMemory, 'fixed' | 'perSample'> {
  const { fixed, perSample } = stepCost(model);
  return { fixed: fixed + beside, perSample };
}

/**
 * Records the training step of a model and computes its peak memory: on our own kernels and on onnxruntime. If the former lack an operation, the
 * latter's figure is used for both.
 * @throws UserError('model-unsupported'
 * 'model-invalid') if the step cannot be recorded.
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
