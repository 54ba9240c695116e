/** A model's inference pass as a graph, its own output activations included. */
import * as tf from '@tensorflow/tfjs-core';
import { GraphBuilder } from '../network/builder.js';
import type { Graph, Node } from '../network/ir.js';
import { verified } from '../network/verify/verified.js';
import { BrokenGraph } from '../network/verify/verifyNode.js';
import { withTracing } from '../engine/trace/backend.js';
import { withSizesThatFit } from '../network/sizes.js';
import type { TraceableModel } from '../engine/trace/layersModel.js';
import { UserError } from '../protocol/errors.js';

/**
 * @param batch samples at once. Inputs are the model's (`data`) and its weights (`parameter`), outputs the model's.
 * @throws UserError('model-unsupported') naming the layer.
 */
export function traceInference(layers: TraceableModel, path: string, batch: number): Graph {
  const graph = new GraphBuilder();
  try {
    return withTracing({ graph, layer: () => layers.current() }, (backend) => {
      for (const { name, shape, variable } of layers.weights)
        variable.assign(backend.tensor(graph.input(shape, { role: 'parameter', name })));
      let outputs: Node[] = [];
      tf.tidy(() => {
        const given = layers.model.inputs.map(({ shape }, index) =>
          backend.tensor(graph.input([batch, ...(shape.slice(1) as number[])], { role: 'data', index })),
        );
        const result = layers.model.apply(given.length === 1 ? given[0]! : given, { training: false });
        outputs = ([result].flat() as tf.Tensor[]).map((output) => backend.node(output));
      });
      return verified(withSizesThatFit(graph.finish(outputs.map((node) => ({ role: 'output', node })))));
    });
  } catch (error) {
    if (error instanceof UserError || error instanceof BrokenGraph) throw error;
    const at = layers.current()?.name;
    const reason = (error as Error).message.split('\n')[0];
    throw new UserError('model-unsupported', `${at ? `layer "${at}"` : path}: TensorFlow.js cannot run it: ${reason}`);
  }
}
