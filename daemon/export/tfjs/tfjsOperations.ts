/** Parts of a layers-model that plain TensorFlow.js cannot load. */
import { modelGraph } from '../../model/layers/layerGraph.js';
import type { LayersModel } from '../../model/model.js';
import { OPERATION } from '../../model/operations/operation.js';
import { UserError } from '../../protocol/errors.js';

/** @throws UserError('model-unsupported') on an operation that no layer of TensorFlow.js computes. */
export function refuseOperations({ topology, path }: LayersModel): void {
  const node = modelGraph(topology).layers.find(({ layer }) => layer.class_name === OPERATION);
  if (!node) return;
  throw new UserError(
    'model-unsupported',
    `${path}: layer "${node.path}" is the operation ${String(node.layer.config.operation)}, for which TensorFlow.js has no layer; export as Keras or ONNX`,
    { file: path, field: node.path },
  );
}
