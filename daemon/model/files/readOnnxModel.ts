/** ONNX files as models: their operations as a network, their initializers as its weights. */
import { readOnnxFile } from '../../onnx/file/onnxFile.js';
import { networkOfOnnx } from '../../onnx/lower/onnxNetwork.js';
import type { GraphModel, WeightTensor } from '../model.js';
import type { OnFile } from './shards.js';
import { refuseNonFinite } from './weightNames.js';

/**
 * @param path absolute, links resolved. @param onFile called with the path of each file beside it before that is read.
 * @throws UserError: 'model-missing', 'model-invalid', 'model-unsupported', and 'path-outside-workspace' where weights lie
 * outside the model's folder.
 */
export async function readOnnxModel(path: string, onFile: OnFile): Promise<GraphModel> {
  const file = await readOnnxFile(path, onFile);
  const network = networkOfOnnx(file.model, path);
  const weights = network.weights.map((weight): WeightTensor => ({
    name: weight.name,
    shape: weight.shape,
    dtype: 'float32',
    data: weight.values(),
  }));
  refuseNonFinite(weights, path);
  return { kind: 'graph', format: 'onnx', path, file, network, weights, notes: network.notes };
}
