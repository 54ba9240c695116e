import { isLayerJson, isObject, stringAt, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph } from '../layers/layerGraph.js';
import { withTrainedLayers } from '../layers/trainedLayers.js';
import type { LayersModel } from '../model.js';
import { layerLinks } from '../networkGraph/layerLinks.js';
import { inputsAsStored } from '../setup/inputsAsStored.js';
import { withInputScales } from '../setup/inputScale.js';
import { withInputSizes } from '../setup/inputSizes.js';
import { summarizeLayers } from '../layers/summarizeLayers.js';
import type { FrontEnd } from './frontEnd.js';

/** The activation at the end of a layer; wrappers return that of the layer they wrap. */
function activationOf(layer: LayerJson): string {
  if (layer.class_name === 'Softmax') return 'softmax';
  const inner = layer.config.layer;
  if (layer.class_name === 'TimeDistributed' && isLayerJson(inner)) return activationOf(inner);
  return stringAt(layer.config, 'activation') ?? 'linear';
}

/** Whether a layer, or the layer that it wraps, has a setting of this name. */
const hasSetting = (config: Record<string, unknown>, name: RegExp): boolean =>
  Object.entries(config).some(
    ([key, value]) =>
      (name.test(key) && value !== null && value !== undefined) ||
      (isLayerJson(value) && hasSetting(value.config, name)),
  );

function trainingNotes({ topology }: LayersModel): string[] {
  const { layers } = modelGraph(topology);
  const having = (setting: RegExp): string =>
    layers.filter(({ layer }) => hasSetting(layer.config, setting)).map(({ path }) => path).join(', ').slice(0, 200); // prettier-ignore
  const notes: string[] = [];
  const regularized = having(/^(?!activity).*_?regularizer$/i);
  if (regularized !== '')
    notes.push(`the model's own regularizers are part of the loss in training (${regularized}), beside training.weightDecay`); // prettier-ignore
  const left = having(/^activity_?regularizer$|_?constraint$/i);
  if (left !== '') notes.push(`activity regularizers and constraints take no part in training (${left})`);
  return notes;
}

export function layersFrontEnd(model: LayersModel): FrontEnd<LayersModel> {
  const { topology, trainingConfig } = model;
  const { config } = topology;
  const named = isObject(config) && !Array.isArray(config) ? config['name'] : null;
  return {
    name: typeof named === 'string' ? named : null,
    inputs() {
      const { inputNames, inputShapes } = modelGraph(topology);
      return inputNames.map((name, i) => ({ name, shape: inputShapes[i] ?? [null] }));
    },
    outputs() {
      const { layers, outputLayers, outputShapes } = modelGraph(topology);
      return outputLayers.map((name, i) => {
        const maker = layers.find((node) => node.path === name);
        return { name, shape: outputShapes[i] ?? null, activation: maker ? activationOf(maker.layer) : 'linear' };
      });
    },
    mainOutput: () => modelGraph(topology).outputLayers.length - 1,
    asStored: () => inputsAsStored(topology),
    saysLoss: true,
    compiled: () => (trainingConfig ? { config: trainingConfig, keras3: model.format === 'keras-v3' } : null),
    trainingNotes: () => trainingNotes(model),
    summarize: () => summarizeLayers(model),
    links: () => layerLinks(model),
    withInputSizes: (shapes) => withInputSizes(model, shapes),
    withTrainedLayers: (layers) => withTrainedLayers(model, layers),
    withInputScales: (scales) => withInputScales(model, scales),
    identity: () => topology,
  };
}
