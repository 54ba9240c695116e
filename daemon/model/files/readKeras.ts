/** Keras files: HDF5 (`.h5`, Keras 2 and 3, whole models and weights alone) and the native zip (`.keras`, both layouts). */
import { basename } from 'node:path';
import { unzipSync } from 'fflate';
import { UserError } from '../../protocol/errors.js';
import { asInTfjs } from '../normalise/hardSigmoid.js';
import { withHdf5 } from './hdf5.js';
import { parseJson } from '../../files/jsonText.js';
import { asLayer } from './kerasGroups.js';
import { isObject, type LayerJson } from '../layers/layerConfig.js';
import type { LayersFormat, LayersModel, WeightTensor } from '../model.js';
import { normaliseTopology, type NormalisedTopology } from '../normalise/normalise.js';
import { Notes } from '../notes.js';
import { weightsFor } from './kerasWeights.js';

/** Above any model that trains on one machine; a zip that decompresses to more is rejected before it is decompressed. */
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;

/** Parses `class_name`/`config` of a model config. */
function topologyOf(text: string, file: string): LayerJson {
  const json = parseJson(text, file);
  if (!isObject(json) || typeof json.class_name !== 'string' || json.config == null) {
    throw new UserError(
      'model-invalid',
      `${file}: its model config has no {class_name, config}; save the model again`,
      { file },
    );
  }
  return json as unknown as LayerJson;
}

const asModel = (
  format: LayersFormat,
  path: string,
  normalised: NormalisedTopology,
  weights: readonly WeightTensor[],
  notes: Notes,
  trainingConfig: unknown,
): LayersModel =>
  asInTfjs(
    {
      kind: 'layers',
      format,
      path,
      topology: normalised.topology,
      weights,
      ...(isObject(trainingConfig) ? { trainingConfig } : {}),
      notes: [...normalised.notes, ...notes.list()],
    },
    normalised,
  );

/** A whole model in HDF5, as `kindOfH5` finds it. @throws UserError. */
export async function readKerasH5(bytes: Uint8Array, file: string): Promise<LayersModel> {
  return withHdf5(bytes, file, (h5) => {
    const config = h5.text('', 'model_config')!;
    const raw = topologyOf(config, file);
    const training = h5.text('', 'training_config');
    const normalised = normaliseTopology(raw, file, true);
    const notes = new Notes();
    const weights = weightsFor(h5, raw, normalised, file, notes);
    return asModel('keras-h5', file, normalised, weights, notes, training === null ? null : parseJson(training, file));
  });
}

/**
 * Weights for a topology from a JSON file.
 * @param files both, and the one the user named: it becomes the model's path.
 */
export async function readWeightsH5(
  bytes: Uint8Array,
  files: { readonly weights: string; readonly topology: string; readonly named: string },
  parsed: NormalisedTopology & { readonly raw: { class_name: string; config: unknown } },
): Promise<LayersModel> {
  const { weights: file, topology, named } = files;
  return withHdf5(bytes, file, (h5) => {
    const notes = new Notes();
    notes.add(
      named === file
        ? `the layers were read from ${basename(topology)} beside the weights`
        : `the weights were read from ${basename(file)} beside the JSON`,
    );
    const weights = weightsFor(h5, asLayer(parsed.raw), parsed, file, notes);
    return asModel('keras-h5', named, parsed, weights, notes, null);
  });
}

/** The needed members of a `.keras` zip. @throws UserError on a damaged zip, or one that decompresses to too much. */
function unzip(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  const invalid = (problem: string): never => {
    throw new UserError('model-invalid', `${file} ${problem}`, { file });
  };
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!/^(config\.json|metadata\.json|model\.weights\.(h5|npz|json))$/.test(name)) return false;
        total += originalSize;
        if (total > MAX_UNPACKED_BYTES)
          invalid(`unpacks to more than ${MAX_UNPACKED_BYTES} bytes, which no model does`);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    return invalid(`is a damaged zip (${String((error as Error).message).slice(0, 80)}); copy or save it again`);
  }
}

/** Keras's native format. @throws UserError. */
export async function readKerasZip(bytes: Uint8Array, file: string): Promise<LayersModel> {
  const members = unzip(bytes, file);
  const config = members['config.json'];
  const data = members['model.weights.h5'];
  if (!config)
    throw new UserError('model-invalid', `${file} is a zip without a config.json, so not a Keras model`, { file });
  if (!data)
    throw new UserError('model-invalid', `${file} has no model.weights.h5; save the model again with HDF5 weights`, {
      file,
    });
  const raw = topologyOf(Buffer.from(config).toString('utf8'), file);
  const normalised = normaliseTopology(raw, file, true);
  const { compile_config: training } = raw as unknown as Record<string, unknown>;
  return withHdf5(data, file, (h5) => {
    const notes = new Notes();
    return asModel('keras-v3', file, normalised, weightsFor(h5, raw, normalised, file, notes), notes, training);
  });
}
