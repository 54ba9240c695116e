/** Records the graphs of a network: its inference pass, and a training step by differentiation of that pass. */
import * as tf from '@tensorflow/tfjs-core';
import { gradients, type OwnGradient } from '../../network/gradient/gradients.js';
import { outputHead } from '../../network/head.js';
import type { Graph, GraphOutput, Node } from '../../network/ir.js';
import type { Network, NetworkWeight } from '../../network/network.js';
import { recordPass, type RecordedPass } from '../../network/recordPass.js';
import { outputIndex } from '../../model/setup/compiledLoss.js';
import { absorbedHead, type Head } from '../../model/setup/loss.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { jointLoss, trainedOutputs, type TrainedOutput } from '../loss/jointLoss.js';
import { withTracing } from '../trace/backend.js';
import { gradientOutputs } from './gradientOutputs.js';
import { type GraphSpec, type GraphWeight, inferenceBatch, type ModelGraphs } from './modelGraphs.js';

/** A network, and the file name for messages. */
interface Source {
  readonly network: Network;
  readonly path: string;
}

interface Wanted {
  readonly trained: TrainedOutput;
  /** Index among the network's outputs. */
  readonly index: number;
}

function wantedOutputs(network: Network, spec: GraphSpec): Wanted[] {
  const names = network.outputs.map(({ name }) => name);
  return trainedOutputs(spec).map((trained) => {
    const index = outputIndex(names, trained.output ?? undefined, 0);
    if (index < 0)
      throw new UserError('model-unsupported', `the model has no output "${trained.output}"; its outputs: ${names.join(', ')}`); // prettier-ignore
    return { trained, index };
  });
}

/** The value of an output before the activation that its loss takes over. */
function beforeHead({ builder, pass }: RecordedPass, { trained, index }: Wanted): { readonly value: Node; readonly head: Head } {
  const output = pass.outputs[index]!;
  const absorbed = absorbedHead(trained.loss);
  if (trained.fromLogits) return { value: output, head: absorbed };
  const { activation, logits } = outputHead(builder, output);
  return absorbed !== 'none' && activation === absorbed ? { value: logits, head: absorbed } : { value: output, head: 'none' };
} // prettier-ignore

function inferenceGraph(network: Network, wanted: readonly Wanted[], batch: number) {
  const recorded = recordPass(network, batch);
  const outputs = wanted.map((one) => beforeHead(recorded, one));
  const graph = recorded.finish(
    outputs.map(({ value: node }, index): GraphOutput => ({ role: 'output', index, node })),
  );
  return { graph, outputs };
}

/** The training step on `batch` samples: the loss, recorded as TensorFlow.js's operations, and its derivatives. */
function trainingGraph({ network, path }: Source, wanted: readonly Wanted[], batch: number): Graph {
  const recorded = recordPass(network, batch, true);
  const { builder, weights, pass } = recorded;
  const trainable = network.weights.filter((weight) => weight.trainable);
  const own = new Map<Node, OwnGradient>();
  const wayOut = 'export it with its weights as initializers that its outputs depend on';
  const named = { name: path, weights: network.weights.length, wayOut };
  const outputs: GraphOutput[] = [];
  withTracing({ graph: builder, own, layer: () => undefined }, (backend) => {
    tf.tidy(() => {
      const answers = wanted.map((one, index) => {
        const { value, head } = beforeHead(recorded, one);
        const target = (at: number) => backend.tensor(builder.input(value.shape, { role: 'target', index: at }));
        return {
          output: one.trained,
          head,
          target: target(index),
          value: backend.tensor(value),
          mask: undefined,
          ...(one.trained.taught && { teacher: target(wanted.length) }),
        };
      });
      const loss = backend.node(jointLoss(tf, answers));
      // The derivatives of the loss are operations of TensorFlow.js, too.
      const nodes = gradients(builder, loss, trainable.map(({ name }) => weights.get(name)!), own); // prettier-ignore
      outputs.push({ role: 'loss', node: loss }, ...gradientOutputs(named, trainable, nodes));
    });
  });
  const states = [...pass.states].map(([name, node]): GraphOutput => ({ role: 'state', name, node }));
  return recorded.finish([...outputs, ...states]);
}

/**
 * Records one inference pass of a network, and can record a training step.
 * @throws UserError('model-unsupported') naming the operation that cannot be computed or differentiated.
 */
export function networkGraphs(source: Source, spec: GraphSpec): ModelGraphs {
  const { network } = source;
  const wanted = wantedOutputs(network, spec);
  const largest = (graph: Graph) => Math.max(1, ...graph.nodes.map(({ shape }) => sizeOf(shape)));
  // Two samples, because an axis of length 1 would allow simplifications that a batch does not.
  const few = inferenceGraph(network, wanted, 2).graph;
  const inferenceBatchSize = inferenceBatch(spec, largest(few) / 2);
  const { graph: inference, outputs } = inferenceGraph(network, wanted, inferenceBatchSize);
  const bare = (trainable: boolean): GraphWeight[] =>
    network.weights
      .filter((weight) => weight.trainable === trainable)
      .map(({ name, layer, shape, prunable }: NetworkWeight) => ({ name, layer, shape, prunable }));
  return {
    training: async () => trainingGraph(source, wanted, spec.microBatch ?? spec.batchSize),
    inference,
    inferenceBatchSize,
    outputs: wanted.map(({ trained }, i) => ({ trained, head: outputs[i]!.head, shape: outputs[i]!.value.shape.slice(1) })), // prettier-ignore
    parameters: bare(true),
    states: bare(false),
    inputShapes: network.inputs.map(({ shape }) => shape),
  };
}
