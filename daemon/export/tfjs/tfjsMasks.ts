/** Whether plain TensorFlow.js, loading an exported layers-model, computes its masks as Keras does. */
import { classOf } from '../../model/layerClasses/registry.js';
import { CONTAINERS, isObject, layersOf, type LayerJson } from '../../model/layers/layerConfig.js';
import type { LayersModel } from '../../model/model.js';
import { makesMask } from '../../model/layers/maskRules.js';
import { wiringOf, type Call } from '../../model/normalise/wiring.js';
import { UserError } from '../../protocol/errors.js';

function returnsSequences({ class_name, config }: LayerJson): boolean {
  const inner = class_name === 'Bidirectional' && isObject(config.layer) ? config.layer.config : config;
  return isObject(inner) && inner.return_sequences === true;
}

/** TensorFlow.js always repeats the previous step at masked steps. */
const zeroesOutputs = (layer: LayerJson): boolean =>
  layer.class_name === 'Bidirectional' ? returnsSequences(layer) : layer.config.zero_output_for_mask === true;

/** The first layer at which TensorFlow.js may differ from Keras; null if there is none. */
function firstAstray(calls: readonly Call[]): LayerJson | null {
  let masked = false;
  let met = false;
  for (const { node, inputs } of calls) {
    const { layer } = node;
    const inTfjs = classOf(layer.class_name)?.maskInTfjs;
    if (met && inputs.length > 1) return layer;
    if (makesMask(layer)) masked = met = true;
    else if (masked && zeroesOutputs(layer)) return layer;
    else if (inTfjs === 'steps' && (masked || !met)) masked &&= returnsSequences(layer);
    else if (met && (inTfjs === 'reads' || inTfjs === 'steps')) return layer;
    else masked &&= inTfjs === 'passes';
  }
  return null;
}

const hasContainers = (container: LayerJson): boolean =>
  layersOf(container).some(({ class_name }) => CONTAINERS.has(class_name));
const hasMasks = (container: LayerJson): boolean =>
  layersOf(container).some((layer) => makesMask(layer) || (CONTAINERS.has(layer.class_name) && hasMasks(layer)));

/**
 * TensorFlow.js passes the first mask it meets to all later layers, loses masks in merges and nested models, and averages over masked steps. Only
 * chains of layers that it computes as Keras does are accepted.
 * @throws UserError('model-unsupported') naming the layer and the way out.
 */
export function refuseMasksOfTfjs({ topology, path }: LayersModel): void {
  const container = topology as unknown as LayerJson;
  if (!hasMasks(container)) return;
  const astray = hasContainers(container) ? 'its nested model' : firstAstray(wiringOf(topology).calls);
  if (astray === null) return;
  const where = typeof astray === 'string' ? astray : `layer "${String(astray.config.name)}" (${astray.class_name})`;
  throw new UserError(
    'model-unsupported',
    `${path}: TensorFlow.js does not follow masks as Keras does from ${where} on, so that a layers-model would give other answers there; export onnx or keras`,
    { file: path },
  );
}
