import { modelGraph } from '../../model/layers/layerGraph.js';
import type { LayersModel } from '../../model/model.js';
import { outputIndex } from '../../model/setup/compiledLoss.js';
import { UserError } from '../../protocol/errors.js';
import type { EngineInfo, EngineSession, SessionSpec } from '../engine.js';
import { absorbedHead } from '../../model/setup/loss.js';
import { trainedOutputs } from '../loss/jointLoss.js';
import { loadModel } from './loadModel.js';
import { withoutOutputActivation } from './logits.js';
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
  let { topology } = model;
  const found = trainedOutputs(spec).map((trained) => {
    const index = outputIndex(outputs, trained.output ?? undefined);
    if (index < 0) {
      const names = outputs.map((name) => `"${name}"`).join(', ');
      throw new UserError(
        'model-unsupported',
        `${model.path}: no output "${trained.output}"; its outputs are ${names}`,
      );
    }
    const head = absorbedHead(trained.loss);
    const bare =
      head !== 'none' && !trained.fromLogits ? withoutOutputActivation(topology, head, outputs[index]) : null;
    topology = bare ?? topology;
    return { trained, index, head: bare !== null || trained.fromLogits === true ? head : ('none' as const) };
  });
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
