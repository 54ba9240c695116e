import type { Model } from '../../model/model.js';
import { traceModel } from '../trace/traceModel.js';
import type { GraphSpec, ModelGraphs } from './modelGraphs.js';
import { networkGraphs } from './networkGraphs.js';

/**
 * Gives the graphs that an executor needs. A layers-model is traced through TensorFlow.js; an ONNX model is a network already.
 *
 * @throws UserError('model-unsupported') naming the layer or operation; UserError('model-invalid').
 */
export const graphsOf = async (model: Model, spec: GraphSpec): Promise<ModelGraphs> =>
  model.kind === 'layers' ? traceModel(model, spec) : networkGraphs(model, spec);
