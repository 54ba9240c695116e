import { UserError } from '../protocol/errors.js';
import { type Graph, sizeFits } from './ir.js';

/**
 * Returns the graph if an executor can hold all its tensors.
 *
 * @throws UserError('model-unsupported') naming the layer whose tensor is empty or has more than 2^31 - 1 elements.
 */
export function withSizesThatFit(graph: Graph): Graph {
  const nodes = [...graph.inputs.map(({ node }) => node), ...graph.nodes, ...graph.outputs.map(({ node }) => node)];
  const misfit = nodes.find(({ shape }) => !sizeFits(shape));
  if (!misfit) return graph;
  const { layer, shape } = misfit;
  const where = layer === undefined ? 'the model' : `layer "${layer}"`;
  throw new UserError(
    'model-unsupported',
    shape.some((n) => n < 1)
      ? `${where} makes an empty tensor, of shape [${shape}]: its input is too small for it`
      : `${where} makes a tensor of more than 2^31 - 1 numbers, of shape [${shape}]; lower the batch size`,
  );
}
