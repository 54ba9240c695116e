/** Converts a topology of any Keras or TensorFlow.js to one that TensorFlow.js builds, with a note for every change. */
import { UserError } from '../../protocol/errors.js';
import { mergeHalfPixelLayers } from './bilinearUpSampling.js';
import { mergeCausalLayers } from './causalPadding.js';
import { channelsLast, isMiscomputed } from './channelsFirst.js';
import {
  CONTAINERS,
  isLayerJson,
  isObject,
  layerName,
  layersOf,
  type Json,
  type LayerJson,
} from '../layers/layerConfig.js';
import { dropMaskTensors, maskOperations } from '../layers/maskTensors.js';
import type { Topology } from '../model.js';
import { readOperations } from '../operations/readOperations.js';
import { Notes } from '../notes.js';
import {
  countCallsAsMade,
  danglingCalls,
  INPUT_KEYS,
  insertBehind,
  insertInFront,
  renameLayer,
  rewriteWiring,
} from './rewriteGraph.js';
import { subtractAsAdd } from './subtract.js';
import { type ShapeRules, settleByShapes } from './settleByShapes.js';
import { rewriteInner, rewriteLayer, type RewriteContext } from './rewriteLayers.js';
import type { Refuse } from '../layers/refuse.js';
import { classOf } from '../layerClasses/registry.js';

export interface NormalisedTopology {
  readonly topology: Topology;
  readonly notes: string[];
  /** Renamed layers: new canonical scope -> the one in the file. */
  readonly renamed: ReadonlyMap<string, string>;
  /** The file's generation, by structure. */
  readonly keras3: boolean;
}

/**
 * A copy without Python's wrappers: `__tuple__` and `TensorShape` become lists, `__numpy__` and `ndarray` their values
 * (keras/src/legacy/saving/json_utils.py, keras/src/saving/serialization_lib.py).
 */
function plainCopy(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(plainCopy);
  if (!isObject(value)) return value;
  const { class_name: className, items, config, type } = value;
  if ((className === '__tuple__' || className === 'TensorShape') && Array.isArray(items)) return plainCopy(items);
  if (className === '__numpy__' && isObject(config)) return plainCopy(config.value);
  if (type === 'ndarray' && 'value' in value) return plainCopy(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainCopy(item)]));
}

/** Keras 3 by structure: its input shapes, its wiring or its dtype policies. */
export function isKeras3(topology: unknown): boolean {
  const seen = JSON.stringify(topology);
  return /"batch_shape":|"__keras_tensor__"|"DTypePolicy"/.test(seen);
}

/** Whether the model contains a Masking layer or an Embedding that masks. */
const makesMasks = (topology: unknown): boolean =>
  /"class_name":"Masking"|"mask_?[zZ]ero":true/.test(JSON.stringify(topology));

class Normaliser implements ShapeRules {
  readonly notes = new Notes();
  readonly renamed = new Map<string, string>();
  private readonly context: RewriteContext;

  constructor(
    private readonly file: string,
    keras: boolean,
    /** Whether some layer creates masks. */
    readonly masked: boolean,
  ) {
    this.context = { notes: this.notes, keras, refuseAt: (where) => this.refuseAt(where) };
  }

  refuseAt(where: string): Refuse {
    return (problem) => {
      const subject = where === 'the model' ? 'the model' : `layer "${where}"`;
      throw new UserError('model-unsupported', `${this.file}: ${subject} ${problem}`, {
        file: this.file,
        field: where,
      });
    };
  }

  invalid(problem: string): never {
    throw new UserError('model-invalid', `${this.file}: ${problem}`, { file: this.file });
  }

  /** Checks that every entry of a container is a layer with a unique name. */
  private checkEntries(container: LayerJson, where: string): LayerJson[] {
    const { config } = container;
    const raw: unknown = Array.isArray(config) ? config : config.layers;
    const place = where === '' ? 'modelTopology' : `"${where.slice(0, -1)}"`;
    if (!Array.isArray(raw) || raw.length === 0) this.invalid(`${place} has no layers; save the model again`);
    const names = new Set<string>();
    const given = new Set((raw as unknown[]).filter(isObject).map((entry) => layerName(entry as unknown as LayerJson)));
    (raw as unknown[]).forEach((entry, i) => {
      if (isObject(entry) && typeof entry.class_name === 'string' && Array.isArray(entry.config)) {
        // A nested Sequential of Keras before 2.2.3: in a functional model its name is beside the config.
        entry.config = { ...(typeof entry.name === 'string' ? { name: entry.name } : {}), layers: entry.config };
      }
      if (!isLayerJson(entry)) return this.invalid(`${place}, layers[${i}] is not a layer ({class_name, config})`);
      if (layerName(entry) === '') {
        const base = entry.class_name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
        let count = i + 1;
        while (given.has(`${base}_${count}`)) count++;
        entry.config.name = `${base}_${count}`;
        this.notes.add('layers without a name got one', where + layerName(entry));
      } else entry.config.name = layerName(entry);
      if (names.has(layerName(entry))) this.invalid(`${place} has two layers named "${layerName(entry)}"; rename one`);
      names.add(layerName(entry));
    });
    return layersOf(container);
  }

  container(container: LayerJson, where: string): void {
    this.checkEntries(container, where);
    const functional = container.class_name !== 'Sequential';
    if (functional) {
      readOperations(container, where, this.notes, (at) => this.refuseAt(at), {
        left: maskOperations(container),
        masked: this.masked,
      });
      dropMaskTensors(container, where, this.notes, (at) => this.refuseAt(at));
      rewriteWiring(container, where, this.notes, (at) => this.refuseAt(at));
      if (this.masked) this.noteStates(container, where);
      subtractAsAdd(container, where, this.notes, (at) => this.refuseAt(at));
    }
    const layers = layersOf(container);
    for (const layer of layers) {
      const at = where + layerName(layer);
      const extra = rewriteLayer(layer, at, this.context);
      if (CONTAINERS.has(layer.class_name)) this.container(layer, `${at}/`);
      else for (const inner of rewriteInner(layer, at, this.context)) this.container(inner, `${at}/`);
      if (extra) insertBehind(container, layer, extra);
      if (isMiscomputed(layer)) this.putChannelsLast(container, layer, at);
    }
    for (const name of mergeHalfPixelLayers(container))
      this.notes.add('nearest upsampling and the mean of its pixels became bilinear upsampling', where + name);
    for (const name of mergeCausalLayers(container))
      this.notes.add(
        'a border of zeros in front and the convolution behind it became one of padding causal',
        where + name,
      );
    if (!functional) this.giveInputShape(container, where);
    else {
      this.checkWiring(container);
      countCallsAsMade(container, where, this.notes);
    }
  }

  /** Keras 2 and TensorFlow.js apply a mask beside initial states; a user who trained with them must know. */
  private noteStates(container: LayerJson, where: string): void {
    for (const layer of layersOf(container)) {
      const calls = Array.isArray(layer.inbound_nodes) ? (layer.inbound_nodes as unknown[]) : [];
      if (classOf(layer.class_name)?.takesStates && calls.some((call) => Array.isArray(call) && call.length > 1))
        this.notes.add('a recurrent layer that is given initial states ignores masks, as in Keras 3', where + layerName(layer)); // prettier-ignore
    }
  }

  private putChannelsLast(container: LayerJson, layer: LayerJson, where: string): void {
    const { before, behind } = channelsLast(layer, this.context.keras, this.refuseAt(where));
    const taken = new Set(layersOf(container).map(layerName));
    for (const extra of [before, behind])
      while (extra && taken.has(layerName(extra))) extra.config.name = `${layerName(extra)}_`;
    insertInFront(container, layer, before);
    if (behind) insertBehind(container, layer, behind);
    this.notes.add(`${layer.class_name} of channels first, which TensorFlow.js miscomputes, became one of channels last between Permute layers`, where); // prettier-ignore
  }

  private checkWiring(container: LayerJson): void {
    const [dangling] = danglingCalls(container);
    if (dangling) this.invalid(`"${dangling.layer}" takes its input from "${dangling.input}", which does not make it`);
  }

  /** TensorFlow.js builds a Sequential only from a first layer that declares its input. */
  private giveInputShape(container: LayerJson, where: string): void {
    const first = layersOf(container)[0]!;
    const keys = [...INPUT_KEYS, 'input_dim', 'inputDim'];
    if (CONTAINERS.has(first.class_name) || first.class_name === 'Embedding') return;
    if (keys.some((key) => first.config[key] != null)) return;
    const build = (container as unknown as Json).build_config;
    const shape = container.config.build_input_shape ?? (isObject(build) ? build.input_shape : undefined);
    if (Array.isArray(shape) && shape.length > 1) {
      first.config.batch_input_shape = [null, ...(shape as unknown[]).slice(1)];
      this.notes.add('the input shape was taken from the build shape', where + layerName(first));
      return;
    }
    this.refuseAt(where + layerName(first))(
      'is the first layer and has no input shape; build the model and save it again',
    );
  }

  /** Nested models may repeat a layer name, but TensorFlow.js then sees two weights with the same name. */
  uniqueNames(container: LayerJson, taken: Set<string>, where: string): void {
    for (const layer of layersOf(container)) {
      if (CONTAINERS.has(layer.class_name)) continue;
      const name = layerName(layer);
      if (where !== '' && taken.has(name) && layer.class_name !== 'InputLayer') {
        let fresh = `${where.slice(0, -1).replaceAll('/', '_')}_${name}`;
        while (taken.has(fresh)) fresh += '_';
        renameLayer(container, layer, fresh);
        this.renamed.set(fresh, where + name);
        this.notes.add('layers of a nested model were renamed, as the name is taken', `${where}${name} to ${fresh}`);
        taken.add(fresh);
      } else taken.add(name);
    }
    for (const layer of layersOf(container)) {
      if (CONTAINERS.has(layer.class_name)) this.uniqueNames(layer, taken, `${where}${layerName(layer)}/`);
    }
  }
}

/**
 * @param raw `{class_name, config}`, from a file; not changed.
 * @param file for messages.
 * @param keras whether Python's Keras wrote it.
 * @throws UserError('model-unsupported') naming the layer; UserError('model-invalid') on an invalid topology.
 */
export function normaliseTopology(raw: unknown, file: string, keras: boolean): NormalisedTopology {
  if (!isObject(raw) || typeof raw.class_name !== 'string' || raw.config == null) {
    throw new UserError('model-invalid', `${file}: modelTopology has no {class_name, config}; save the model again`, {
      file,
    });
  }
  const normaliser = new Normaliser(file, keras, makesMasks(raw));
  if (!CONTAINERS.has(raw.class_name)) {
    throw new UserError(
      'model-unsupported',
      `${file}: the model is of class ${raw.class_name.slice(0, 60)}, a subclassed model; rebuild it as Sequential or Functional and save again`,
      { file },
    );
  }
  const topology = plainCopy({
    class_name: raw.class_name,
    config: raw.config,
    build_config: raw.build_config,
  }) as LayerJson & { build_config?: unknown };
  if (Array.isArray(topology.config)) topology.config = { name: 'sequential', layers: topology.config };
  if (!isObject(topology.config))
    throw new UserError('model-invalid', `${file}: modelTopology.config is not an object`, { file });
  normaliser.container(topology, '');
  delete topology.build_config;
  normaliser.uniqueNames(topology, new Set(), '');
  settleByShapes(topology, normaliser);
  return { topology, notes: normaliser.notes.list(), renamed: normaliser.renamed, keras3: isKeras3(raw) };
}
