import type { Model } from '../../model/model.js';
import { traceModel } from '../trace/traceModel.js';
import type { GraphSpec, ModelGraphs } from './modelGraphs.js';
import { networkGraphs } from './networkGraphs.js';

/**
 * What an executor needs of a model: layers are traced through TensorFlow.js, a graph of operations is a network already.
 *
 * @throws UserError('model-unsupported') naming the layer or operation; UserError('model-invalid').
 */
export const graphsOf = async (model: Model, spec: GraphSpec): Promise<ModelGraphs> =>
  model.kind === 'layers' ? traceModel(model, spec) : networkGraphs(model, spec);
