import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { UserError } from '../../protocol/errors.js';
import { modelGraph } from '../../model/layerGraph.js';
import type { Model } from '../../model/model.js';
import { outputIndex } from '../../model/trainingSetup.js';
import type { LossSettings } from '../../model/lossSettings.js';
import type { Loss } from '../engine.js';
import { GraphBuilder } from '../graph/builder.js';
import { type Graph, type GraphOutput, type Node, sizeOf } from '../graph/ir.js';
import { BrokenGraph } from '../graph/verify/verifyNode.js';
import { allLayers, penalties } from '../layerTree.js';
import { withTracing } from './backend.js';
import { buildLayers, type LayerWeight, type TraceableModel } from './layersModel.js';
import { withSizesThatFit } from './sizes.js';
import type { Head } from '../loss/head.js';
import { meanLoss } from '../loss/meanLoss.js';
import { outputMask } from '../masks/outputMask.js';
import { withLogits } from './lossHead.js';

export interface TraceSpec {
  readonly loss: Loss;
  readonly lossSettings?: LossSettings;
  /** The output is logits as it is; default false. */
  readonly fromLogits?: boolean;
  /** Samples per batch of the training graph; for inference, the most there are at once. */
  readonly batchSize: number;
  /** Samples of the training graph, where a batch is computed in parts. */
  readonly microBatch?: number;
  readonly purpose?: 'training' | 'inference';
  /** The output layer to train on; by default the last. */
  readonly output?: string;
  /** Of the training loss, as SessionSpec has them. */
  readonly classWeights?: readonly number[];
}

export interface TracedWeight {
  readonly name: string;
  readonly layer: string;
  readonly shape: readonly number[];
}

/** A model as two graphs: what an executor needs to train and evaluate it. */
export interface TracedModel {
  /**
   * Records a training step: it gives the mean loss, the gradient of each trainable weight that the output depends on, and
   * the next states. @throws as `traceModel`.
   */
  training(): Promise<Graph>;
  /**
   * Gives the output before `head`: apply softmax or sigmoid for the model's own output, unless that is logits itself. Where the
   * output carries a mask, a second output of role `mask`, 1 for each row that counts.
   */
  readonly inference: Graph;
  /** Samples per batch of the inference graph: what keeps its largest tensor below 16 MB, and `mostSamples` at most. */
  readonly inferenceBatchSize: number;
  readonly head: Head;
  /** Trainable weights, in the model's order. */
  readonly parameters: readonly TracedWeight[];
  /** All others: moving averages, which training changes without a gradient, and frozen weights. */
  readonly states: readonly TracedWeight[];
  /** Without the batch axis. */
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputShape: readonly number[];
}

/** Values of the largest tensor of an inference graph. */
const largestTensor = 2 ** 22;

const mostSamples = ({ purpose, batchSize }: TraceSpec): number => (purpose === 'inference' ? Math.min(512, batchSize) : 512); // prettier-ignore

/**
 * Records one inference pass of the model, by shapes alone, and can record a training step.
 *
 * @throws UserError('model-unsupported') naming the layer, when a kernel has no rule or values are needed;
 *   UserError('model-invalid') when TensorFlow.js refuses the topology.
 */
export async function traceModel(model: Model, spec: TraceSpec): Promise<TracedModel> {
  const traced = await withLayers(model, spec, 'compute', traceInference);
  return { ...traced, training: () => withLayers(model, spec, 'train', traceTraining) };
}

/** What a trace is of: the model's layers without the activation that the loss takes over, called on these inputs. */
interface Traceable {
  readonly layers: TraceableModel;
  readonly inputShapes: readonly (readonly number[])[];
  /** Of the output among the model's. */
  readonly index: number;
  readonly head: Head;
  readonly spec: TraceSpec;
}

async function withLayers<T>(
  model: Model,
  spec: TraceSpec,
  doing: 'compute' | 'train',
  body: (traceable: Traceable) => T,
): Promise<T> {
  const layers = await buildLayers(model);
  try {
    const outputs = modelGraph(model.topology).outputLayers;
    const index = outputIndex(outputs, spec.output);
    if (index < 0)
      throw new UserError('model-unsupported', `the model has no output "${spec.output}"; its outputs: ${outputs.join(', ')}`); // prettier-ignore
    const inputShapes = layers.model.inputs.map(({ name, shape }) => {
      const sample = shape.slice(1);
      if (sample.some((n) => n === null))
        throw new UserError('model-unsupported', `${model.path}: input "${name}" has no fixed size: [${shape.map((n) => n ?? 'any')}]`); // prettier-ignore
      return sample as number[];
    });
    return withLogits(layers.model, outputs[index]!, spec, (head) => body({ layers, inputShapes, index, head, spec }));
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

/** Values per sample of the largest tensor that a layer gives; open sizes count as 1. */
function largestOutput(layer: tfl.layers.Layer): number {
  // Shapes or lists of shapes, one for each call.
  const { inboundNodes } = layer as unknown as { inboundNodes: readonly { outputShapes: (number | null)[] | (number | null)[][] }[] }; // prettier-ignore
  const shapes = inboundNodes.flatMap(({ outputShapes }) =>
    Array.isArray(outputShapes[0]) ? (outputShapes as (number | null)[][]) : [outputShapes as (number | null)[]],
  );
  return Math.max(1, ...shapes.map((shape) => sizeOf(shape.slice(1).map((n) => n ?? 1))));
}

function traceInference(traceable: Traceable): Omit<TracedModel, 'training'> {
  const { layers, inputShapes, head, spec } = traceable;
  const ofBatch = (size: number) => record(traceable, size, ({ output }) => output());
  const most = mostSamples(spec);
  const fitting = (perSample: number) =>
    Math.min(most, Math.max(1, Math.floor(largestTensor / Math.max(1, perSample))));
  // What layers give is known beforehand: at 512 samples their tensors could be too large to be recorded at all.
  const guess = fitting(Math.max(...allLayers(layers.model.layers).map(largestOutput)));
  let inference = ofBatch(guess);
  const largest = Math.max(1, ...inference.nodes.map(({ shape }) => sizeOf(shape)));
  const inferenceBatchSize = Math.min(guess, fitting(largest / guess));
  if (inferenceBatchSize < guess) inference = ofBatch(inferenceBatchSize);
  const bare = (trainable: boolean) =>
    layers.weights
      .filter((weight) => weight.trainable === trainable)
      .map(({ name, layer, shape }) => ({ name, layer, shape }));
  return {
    inference,
    inferenceBatchSize,
    head,
    parameters: bare(true),
    states: bare(false),
    inputShapes,
    outputShape: inference.outputs[0]!.node.shape.slice(1),
  };
}

interface Pass {
  readonly graph: GraphBuilder;
  readonly weights: ReadonlyMap<LayerWeight, Node>;
  /** Calls the model; a node, and the tensor for losses. */
  output(): GraphOutput[];
  apply(): { readonly output: tf.Tensor; readonly mask: tf.Tensor | undefined };
  target(shape: readonly number[]): tf.Tensor;
  node(tensor: tf.Tensor): Node;
}

function record(
  { layers, inputShapes, index }: Traceable,
  batch: number,
  outputs: (pass: Pass) => GraphOutput[],
): Graph {
  const graph = new GraphBuilder();
  return withTracing({ graph, layer: () => layers.current() }, (backend) => {
    const tensor = (node: Node) => {
      const { dataId, shape, dtype } = backend.tensorInfo(node);
      return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
    };
    const data = inputShapes.map((shape, i) => graph.input([batch, ...shape], { role: 'data', index: i }));
    const weights = new Map<LayerWeight, Node>();
    for (const weight of layers.weights) {
      const { name, shape, variable } = weight;
      const node = graph.input(shape, { role: weight.trainable ? 'parameter' : 'state', name });
      weights.set(weight, node);
      variable.assign(tensor(node));
    }
    const apply = (training: boolean) => {
      const given = data.map(tensor);
      const result = layers.model.apply(given.length === 1 ? given[0]! : given, { training });
      const output = ([result].flat() as tf.Tensor[])[index]!;
      return { output, mask: outputMask(layers.masks, output) };
    };
    let nodes: GraphOutput[] = [];
    tf.tidy(() => {
      nodes = outputs({
        graph,
        weights,
        output() {
          const { output, mask } = apply(false);
          const given: GraphOutput[] = [{ role: 'output', node: backend.node(output) }];
          return mask ? [...given, { role: 'mask', node: backend.node(mask) }] : given;
        },
        apply: () => apply(true),
        target: (shape) => tensor(graph.input(shape, { role: 'target' })),
        node: (t) => backend.node(t),
      });
    });
    return withSizesThatFit(graph.finish(nodes));
  });
}

function trainingOutputs(pass: Pass, { layers, head, spec }: Traceable): GraphOutput[] {
  const trainable = layers.weights.filter((weight) => weight.trainable);
  const { loss, lossSettings: settings = {}, classWeights } = spec;
  const lost = { loss, head, settings, ...(classWeights && { classWeights }) };
  const { value, grads } = tf.variableGrads(
    () => {
      const { output, mask } = pass.apply();
      const mean = meanLoss(tf, lost, pass.target(output.shape), output, mask);
      return penalties(layers.model).reduce((sum, penalty) => tf.add(sum, penalty), mean);
    },
    trainable.map((weight) => weight.variable),
  );
  const gradients = trainable.flatMap(({ name, variable }): GraphOutput[] => {
    const gradient = grads[variable.name];
    return gradient ? [{ role: 'gradient', name, node: pass.node(gradient) }] : [];
  });
  const states = layers.weights.flatMap((weight): GraphOutput[] => {
    const node = pass.node(weight.variable);
    return node === pass.weights.get(weight) ? [] : [{ role: 'state', name: weight.name, node }];
  });
  return [{ role: 'loss', node: pass.node(value) }, ...gradients, ...states];
}
