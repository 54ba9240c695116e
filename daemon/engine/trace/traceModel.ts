import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { modelGraph } from '../../model/layers/layerGraph.js';
import type { LayersModel } from '../../model/model.js';
import { outputIndex } from '../../model/setup/compiledLoss.js';
import { GraphBuilder } from '../../network/builder.js';
import { gradients, type OwnGradient } from '../../network/gradient/gradients.js';
import { type Graph, type GraphOutput, type Node } from '../../network/ir.js';
import { BrokenGraph } from '../../network/verify/verifyNode.js';
import { allLayers, penalties } from '../layerTree.js';
import { withTracing } from './backend.js';
import { buildLayers, type LayerWeight, type TraceableModel } from './layersModel.js';
import { withSizesThatFit } from '../../network/sizes.js';
import type { Head } from '../../model/setup/loss.js';
import { gradientOutputs } from '../graphs/gradientOutputs.js';
import { type GraphSpec, inferenceBatch, type ModelGraphs } from '../graphs/modelGraphs.js';
import { jointLoss, trainedOutputs, type TrainedOutput } from '../loss/jointLoss.js';
import { withoutHeads } from '../loss/lossHead.js';
import { outputMask } from '../masks/outputMask.js';

/**
 * Records one inference pass of the model from shapes alone, and can record a training step.
 *
 * @throws UserError('model-unsupported') naming the layer, if a kernel has no rule or needs values;
 *   UserError('model-invalid') when TensorFlow.js refuses the topology.
 */
export async function traceModel(model: LayersModel, spec: GraphSpec): Promise<ModelGraphs> {
  const traced = await withLayers(model, spec, 'compute', traceInference);
  return { ...traced, training: () => withLayers(model, spec, 'train', traceTraining) };
}

/** The subject of a trace: the model's layers without the activation that the loss takes over, called on these inputs. */
interface Traceable {
  readonly layers: TraceableModel;
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputs: readonly { readonly trained: TrainedOutput; readonly head: Head; readonly index: number }[];
  readonly spec: GraphSpec;
}

async function withLayers<T>(
  model: LayersModel,
  spec: GraphSpec,
  doing: 'compute' | 'train',
  body: (traceable: Traceable) => T,
): Promise<T> {
  const outputs = modelGraph(model.topology).outputLayers;
  const trained = trainedOutputs(spec).map((one) => {
    const index = outputIndex(outputs, one.output ?? undefined);
    if (index < 0)
      throw new UserError('model-unsupported', `the model has no output "${one.output}"; its outputs: ${outputs.join(', ')}`); // prettier-ignore
    return { trained: one, index };
  });
  const { topology, heads } = withoutHeads(
    model.topology,
    trained.map((one) => ({ ...one.trained, path: outputs[one.index]! })),
  );
  const layers = await buildLayers(model, topology);
  try {
    const inputShapes = layers.model.inputs.map(({ name, shape }) => {
      const sample = shape.slice(1);
      if (sample.some((n) => n === null))
        throw new UserError('model-unsupported', `${model.path}: input "${name}" has no fixed size: [${shape.map((n) => n ?? 'any')}]`); // prettier-ignore
      return sample as number[];
    });
    const computed = trained.map((one, i) => ({ ...one, head: heads[i]! }));
    return body({ layers, inputShapes, outputs: computed, spec });
  } catch (error) {
    if (error instanceof UserError || error instanceof BrokenGraph) throw error;
    const at = layers.current()?.name;
    const reason = (error as Error).message.split('\n')[0];
    throw new UserError(
      'model-unsupported',
      `${at ? `layer "${at}"` : model.path}: TensorFlow.js cannot ${doing} it: ${reason}`,
    );
  } finally {
    layers.dispose();
  }
}

const traceTraining = (traceable: Traceable): Graph =>
  record(traceable, traceable.spec.microBatch ?? traceable.spec.batchSize, (pass) => trainingOutputs(pass, traceable));

/** Number of values per sample in the largest tensor that a layer returns; open sizes count as 1. */
function largestOutput(layer: tfl.layers.Layer): number {
  // Shapes or lists of shapes, one for each call.
  const { inboundNodes } = layer as unknown as { inboundNodes: readonly { outputShapes: (number | null)[] | (number | null)[][] }[] }; // prettier-ignore
  const shapes = inboundNodes.flatMap(({ outputShapes }) =>
    Array.isArray(outputShapes[0]) ? (outputShapes as (number | null)[][]) : [outputShapes as (number | null)[]],
  );
  return Math.max(1, ...shapes.map((shape) => sizeOf(shape.slice(1).map((n) => n ?? 1))));
}

function traceInference(traceable: Traceable): Omit<ModelGraphs, 'training'> {
  const { layers, inputShapes, outputs, spec } = traceable;
  const ofBatch = (size: number) => record(traceable, size, ({ outputs }) => outputs());
  // The sizes of layers' results are known beforehand. At 512 samples their tensors could be too large to be recorded.
  const guess = inferenceBatch(spec, Math.max(...allLayers(layers.model.layers).map(largestOutput)));
  let inference = ofBatch(guess);
  const largest = Math.max(1, ...inference.nodes.map(({ shape }) => sizeOf(shape)));
  const inferenceBatchSize = Math.min(guess, inferenceBatch(spec, largest / guess));
  if (inferenceBatchSize < guess) inference = ofBatch(inferenceBatchSize);
  const bare = (trainable: boolean) =>
    layers.weights
      .filter((weight) => weight.trainable === trainable)
      .map(({ name, layer, shape, prunable }) => ({ name, layer, shape, prunable }));
  return {
    inference,
    inferenceBatchSize,
    outputs: outputs.map(({ trained, head }, i) => {
      const given = inference.outputs.find((one) => one.role === 'output' && one.index === i)!;
      return { trained, head, shape: given.node.shape.slice(1) };
    }),
    parameters: bare(true),
    states: bare(false),
    inputShapes,
  };
}

interface Pass {
  readonly graph: GraphBuilder;
  readonly weights: ReadonlyMap<LayerWeight, Node>;
  /** Calls the model. Returns the node of each output that is computed, and its tensor for losses. */
  outputs(): GraphOutput[];
  apply(): readonly { readonly value: tf.Tensor; readonly mask: tf.Tensor | undefined }[];
  target(shape: readonly number[], index: number): tf.Tensor;
  gradients(loss: Node, weights: readonly Node[]): (Node | undefined)[];
  node(tensor: tf.Tensor): Node;
}

function record(
  { layers, inputShapes, outputs: computed }: Traceable,
  batch: number,
  outputs: (pass: Pass) => GraphOutput[],
): Graph {
  const graph = new GraphBuilder();
  const own = new Map<Node, OwnGradient>();
  return withTracing({ graph, own, layer: () => layers.current() }, (backend) => {
    const data = inputShapes.map((shape, i) => graph.input([batch, ...shape], { role: 'data', index: i }));
    const weights = new Map<LayerWeight, Node>();
    for (const weight of layers.weights) {
      const { name, shape, variable } = weight;
      const node = graph.input(shape, { role: weight.trainable ? 'parameter' : 'state', name });
      weights.set(weight, node);
      variable.assign(backend.tensor(node));
    }
    const apply = (training: boolean) => {
      const given = data.map((node) => backend.tensor(node));
      const result = layers.model.apply(given.length === 1 ? given[0]! : given, { training });
      const values = [result].flat() as tf.Tensor[];
      return computed.map(({ index }) => ({
        value: values[index]!,
        mask: outputMask(layers.masks, values[index]!),
      }));
    };
    let nodes: GraphOutput[] = [];
    tf.tidy(() => {
      nodes = outputs({
        graph,
        weights,
        outputs: () =>
          apply(false).flatMap(({ value, mask }, index): GraphOutput[] => {
            const given: GraphOutput = { role: 'output', index, node: backend.node(value) };
            return mask ? [given, { role: 'mask', index, node: backend.node(mask) }] : [given];
          }),
        apply: () => apply(true),
        target: (shape, index) => backend.tensor(graph.input(shape, { role: 'target', index })),
        gradients: (loss, weights) => gradients(graph, loss, weights, own),
        node: (t) => backend.node(t),
      });
    });
    return withSizesThatFit(graph.finish(nodes));
  });
}

/** The loss that TensorFlow.js computes, differentiated as a graph. */
function trainingOutputs(pass: Pass, { layers, outputs }: Traceable): GraphOutput[] {
  const answers = pass.apply().map(({ value, mask }, i) => {
    const { trained, head } = outputs[i]!;
    const teacher = trained.taught && { teacher: pass.target(value.shape, outputs.length) };
    return { output: trained, head, target: pass.target(value.shape, i), value, mask, ...teacher };
  });
  const loss = penalties(layers.model).reduce((sum, penalty) => tf.add(sum, penalty), jointLoss(tf, answers));
  const trainable = layers.weights.filter((weight) => weight.trainable);
  const nodes = trainable.map((weight) => pass.weights.get(weight)!);
  const wayOut = 'set "trainable" to true in a layer that has weights';
  const named = { name: 'the model', weights: layers.weights.length, wayOut };
  const found = gradientOutputs(named, trainable, pass.gradients(pass.node(loss), nodes));
  const states = layers.weights.flatMap((weight): GraphOutput[] => {
    const node = pass.node(weight.variable);
    return node === pass.weights.get(weight) ? [] : [{ role: 'state', name: weight.name, node }];
  });
  return [{ role: 'loss', node: pass.node(loss) }, ...found, ...states];
}
