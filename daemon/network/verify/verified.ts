import { UserError } from '../../protocol/errors.js';
import type { Graph } from '../ir.js';
import { verifyGraph } from './verifyGraph.js';
import { BrokenGraph } from './verifyNode.js';

/**
 * Returns the graph after `verifyGraph`. Every graph passes here before it is computed or written to a file.
 *
 * @throws UserError('engine-failed') naming node and layer: a broken graph is a fault of this product, not of the model.
 */
export function verified(graph: Graph): Graph {
  try {
    verifyGraph(graph);
  } catch (error) {
    if (!(error instanceof BrokenGraph)) throw error;
    throw new UserError(
      'engine-failed',
      `LC Prune compiled the model wrongly, at ${error.message}. This is a fault of LC Prune, not of the model: please report it; "engine": "tfjs-cpu" computes without compiling`,
    );
  }
  return graph;
}
