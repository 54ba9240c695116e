import { modelGraph } from '../../model/layers/layerGraph.js';
import type { LayersModel } from '../../model/model.js';
import { outputIndex } from '../../model/setup/compiledLoss.js';
import { UserError } from '../../protocol/errors.js';
import type { EngineInfo, EngineSession, SessionSpec } from '../engine.js';
import { trainedOutputs } from '../loss/jointLoss.js';
import { withoutHeads } from '../loss/lossHead.js';
import { loadModel } from './loadModel.js';
import { DirectSession } from './session.js';
import { activate, type TensorFlow } from './tensorflow.js';

/** A shape without its batch axis. @throws UserError('model-unsupported') where an axis has no fixed size. */
function fixedShape(model: LayersModel, name: string, [, ...shape]: readonly (number | null)[]): number[] {
  if (shape.some((n) => n === null)) {
    const words = shape.map((n) => n ?? 'any').join(', ');
    throw new UserError(
      'model-unsupported',
      `${model.path}: "${name}" has no fixed shape [${words}]; set it in the model`,
    );
  }
  return shape as number[];
}

/**
 * Opens a session of TensorFlow.js itself.
 *
 * @param tf an instance whose backend is initialised and has passed `gradientSelfTest`.
 * @throws UserError('model-unsupported' | 'model-invalid').
 */
export async function openDirectSession(
  tf: TensorFlow,
  info: EngineInfo,
  model: LayersModel,
  spec: SessionSpec,
): Promise<EngineSession> {
  activate(tf);
  const outputs = modelGraph(model.topology).outputLayers;
  const trained = trainedOutputs(spec).map((one) => {
    const index = outputIndex(outputs, one.output ?? undefined);
    if (index < 0) {
      const names = outputs.map((name) => `"${name}"`).join(', ');
      throw new UserError('model-unsupported', `${model.path}: no output "${one.output}"; its outputs are ${names}`);
    }
    return { trained: one, index };
  });
  const { topology, heads } = withoutHeads(
    model.topology,
    trained.map((one) => ({ ...one.trained, path: outputs[one.index]! })),
  );
  const found = trained.map((one, i) => ({ ...one, head: heads[i]! }));
  const loaded = await loadModel(tf, model, topology);
  const { layersModel } = loaded;
  return new DirectSession(
    info,
    tf,
    loaded,
    spec,
    found.map((one) => ({
      ...one,
      shape: fixedShape(model, layersModel.outputNames[one.index]!, layersModel.outputs[one.index]!.shape),
    })),
    layersModel.inputs.map(({ shape }, i) => fixedShape(model, layersModel.inputNames[i]!, shape)),
  );
}
