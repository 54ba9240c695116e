/** A graph without the units that no output depends on, as a model that is written into the user's own file. */
import { thinOnnx } from '../../onnx/thin/thinOnnx.js';
import type { GraphModel, WeightTensor } from '../model.js';

/**
 * @returns the given model itself where nothing can be removed.
 * @throws UserError('model-unsupported') where its file says sizes in a way that cannot be changed.
 */
export function thinGraphModel(model: GraphModel): GraphModel {
  const { file, network, path } = model;
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  const thinned = thinOnnx(file.model, network, values, path);
  if (!thinned) return model;
  const weights = thinned.network.weights.map((weight): WeightTensor => ({
    name: weight.name,
    shape: weight.shape,
    dtype: 'float32',
    data: weight.values(),
  }));
  const { changes, network: smaller } = thinned;
  return {
    ...model,
    file: { ...file, model: thinned.model },
    network: smaller,
    weights,
    thinned: { from: model, changes },
  };
}
