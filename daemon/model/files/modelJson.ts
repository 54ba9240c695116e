/** A model.json taken apart, by structure: its format key, its name and its versions are often wrong. */
import { UserError } from '../../protocol/errors.js';
import { isObject, type Json } from '../layers/layerConfig.js';
import { parseJson } from '../../files/jsonText.js';
import { parseManifest, type ManifestGroup } from './manifest.js';
import { normaliseTopology, type NormalisedTopology } from '../normalise/normalise.js';

export interface ModelJson extends NormalisedTopology {
  /** The topology as it is in the file. */
  readonly raw: { class_name: string; config: unknown };
  /** null when the JSON names no weights (Keras `to_json`, a topology alone). */
  readonly manifest: readonly ManifestGroup[] | null;
  readonly trainingConfig?: Record<string, unknown>;
}

/** What a JSON that is no layers-model seems to be, with the way out. */
function otherJson(json: unknown): string {
  if (Array.isArray(json)) {
    const first: unknown = json[0];
    if (isObject(first) && 'paths' in first && 'weights' in first) {
      return 'is a weights manifest without a topology; name the model.json beside it';
    }
    return 'is a JSON list, not a model; name a TensorFlow.js model.json';
  }
  if (!isObject(json)) return 'is not a model; name a TensorFlow.js model.json';
  if ('modelTopology' in json && json.modelTopology === null) {
    return 'has an empty topology (modelTopology is null), so its layers are unknown; save it again with the whole model';
  }
  if (isGraphModel(json)) {
    return 'is a graph-model, whose layers are gone; convert the original with --output_format=tfjs_layers_model, or this one with tf2onnx --tfjs';
  }
  if ('dependencies' in json || 'devDependencies' in json) return 'is a package.json, not a model';
  if ('nbformat' in json) return 'is a Jupyter notebook, not a model';
  if ('model_type' in json || 'architectures' in json) return 'is a Hugging Face config, not a TensorFlow.js model';
  if ('budget' in json || 'tasks' in json) return 'looks like a plan, not a model; name the model.json it prunes';
  return 'is not a TensorFlow.js layers-model (it has no modelTopology with class_name and config)';
}

/** A TensorFlow GraphDef in place of layers. */
function isGraphModel(json: Json): boolean {
  const topology = json.modelTopology;
  const graph = isObject(topology) ? topology : json;
  return Array.isArray(graph.node) || 'versions' in graph || Array.isArray(graph.library) || 'modelSignature' in graph;
}

const unwrapText = (value: unknown, file: string): unknown =>
  typeof value === 'string' ? parseJson(value, file) : value;

interface Located {
  readonly model: unknown;
  readonly trainingConfig: unknown;
  /** Written by Python's Keras, not by TensorFlow.js. */
  readonly keras: boolean;
}

/** Finds `{class_name, config}` where the different writers put it. */
function locateTopology(json: unknown, file: string): Located | null {
  if (!isObject(json)) return null;
  const isModel = (value: unknown): value is Json =>
    isObject(value) && typeof value.class_name === 'string' && value.config != null;
  const version = (holder: Json): boolean =>
    typeof holder.keras_version === 'string' && !/tfjs/.test(holder.keras_version);
  for (const outer of [unwrapText(json.modelTopology, file), json]) {
    if (!isObject(outer)) continue;
    const inner = unwrapText(outer.model_config, file);
    const training = outer.training_config ?? json.trainingConfig ?? json.training_config;
    if (isModel(inner)) return { model: inner, trainingConfig: training, keras: version(outer) };
    if (isModel(outer)) return { model: outer, trainingConfig: training, keras: version(outer) };
  }
  return null;
}

/**
 * @param text the whole JSON. Weight data is not needed, so this is what the editor calls.
 * @param file its path or name, for messages.
 * @throws UserError('model-invalid' | 'model-unsupported').
 */
export function parseModelJson(text: string, file: string): ModelJson {
  const json = parseJson(text, file);
  const located = locateTopology(json, file);
  if (!located || (isObject(json) && isObject(json.modelTopology) && isGraphModel(json))) {
    throw new UserError('model-invalid', `${file} ${otherJson(json)}`, { file });
  }
  const normalised = normaliseTopology(located.model, file, located.keras);
  const manifest = isObject(json) && json.weightsManifest != null ? parseManifest(json.weightsManifest, file) : null;
  return {
    ...normalised,
    raw: located.model as ModelJson['raw'],
    manifest,
    ...(isObject(located.trainingConfig) ? { trainingConfig: located.trainingConfig } : {}),
  };
}
