/** Writes a normalised topology as Python's Keras does: for its HDF5 format (Keras 2 and 3), and for its native zip (Keras 3). */
import { UserError } from '../../protocol/errors.js';
import {
  CONTAINERS,
  field,
  isLayerJson,
  isObject,
  layerName,
  layersOf,
  stringAt,
  type Json,
  type LayerJson,
} from '../layers/layerConfig.js';
import { inKeras3, projectConfig } from '../keras3/project.js';
import { KerasObject } from '../keras3/values.js';
import { classOf } from '../layerClasses/registry.js';
import type { ModelGraph } from '../layers/layerGraph.js';
import type { Topology } from '../model.js';
import { OPERATION } from '../operations/operation.js';
import { operationIn } from '../operations/operations.js';

export type KerasStyle = 'h5' | 'native';

/**
 * A nested model in a functional one is wired in the form of Keras 3, in HDF5 too, as are layers that are called with several arguments, and operations
 * are those of Keras 3; Keras 2 then cannot read the file.
 */
function nests(model: LayerJson): boolean {
  const asKeras3 = ({ class_name: name }: LayerJson): boolean =>
    name === OPERATION || classOf(name)?.calledWith !== undefined || classOf(name)?.callSettings !== undefined;
  if (layersOf(model).some(asKeras3)) return true;
  const inner = layersOf(model).filter((layer) => CONTAINERS.has(layer.class_name));
  return (model.class_name !== 'Sequential' && inner.length > 0) || inner.some(nests);
}

/** Slices as Keras 3 writes them (serialization_lib.py). */
function kerasKey(settings: unknown, key: string): unknown {
  const written = (value: unknown): unknown => {
    if (Array.isArray(value)) return (value as unknown[]).map(written);
    if (value === '...') return { class_name: '__ellipsis__', config: {} };
    return isObject(value) && 'start' in value ? { class_name: '__slice__', config: value } : value;
  };
  return written((settings as Json)[key]);
}

class Writer {
  constructor(
    private readonly style: KerasStyle,
    private readonly graph: ModelGraph,
    private readonly file: string,
    /** Only Keras 3 reads the file. */
    private readonly keras3: boolean,
  ) {}

  private refuse(layer: LayerJson, problem: string, way = 'save as a TensorFlow.js model instead'): never {
    const name = layerName(layer);
    throw new UserError('model-unsupported', `${this.file}: layer "${name}" ${problem}; ${way}`, {
      file: this.file,
      field: name,
    });
  }

  /** Keras 3 finds a class by its module; its HDF5 reader only classes inside a wrapper. Keras 2 finds it by the class name alone. */
  private object(module: string, className: string, config: Json, inside = false): Json {
    if (this.style === 'h5' && !inside) return { class_name: className, config };
    return { module, class_name: className, config, registered_name: null };
  }

  private config(layer: LayerJson, inside: boolean): Json {
    const out = projectConfig(layer, (problem) => this.refuse(layer, problem));
    // saving_utils.py, model_from_config.
    if (this.style === 'h5' && !inside && Array.isArray(out.axis) && out.axis.length > 1)
      this.refuse(layer, 'has several axes, which Keras 3 drops from HDF5 files', 'its own format (keras) holds them');
    for (const [key, value] of Object.entries(out)) {
      if (value instanceof KerasObject) out[key] = this.object(`keras.${value.module}`, value.className, value.config);
    }
    const renamed = this.keras3 ? {} : (classOf(layer.class_name)?.renamedInKeras3 ?? {});
    for (const [before, now] of Object.entries(renamed)) {
      out[before] = out[now];
      delete out[now];
    }
    for (const key of ['layer', 'cell']) if (isLayerJson(out[key])) out[key] = this.layer(out[key], true);
    if (Array.isArray(out.cells))
      out.cells = (out.cells as unknown[]).filter(isLayerJson).map((cell) => this.layer(cell, true));
    return out;
  }

  /** Keras 2 does not read `batch_shape`: it then rejects a file that only Keras 3 computes correctly, instead of misreading it. */
  private input(layer: LayerJson): Json {
    const { config } = layer;
    const dtype = stringAt(config, 'dtype');
    return {
      name: layerName(layer),
      [this.keras3 ? 'batch_shape' : 'batch_input_shape']: field(config, 'batch_input_shape'),
      dtype: dtype === 'int32' || dtype === 'bool' ? dtype : 'float32',
      sparse: field(config, 'sparse') === true,
    };
  }

  /** With its module in HDF5 too, because Keras 3 would search among the layers otherwise. */
  private operation(layer: LayerJson): Json {
    const found = operationIn(layer.config);
    if (!found) return this.refuse(layer, 'is an operation that cannot be read');
    const { operation, config } = found;
    const { className, module } = operation.keras;
    const { calledWith = [], kerasNames = {} } = operation;
    const settings = Object.entries(config.settings)
      .filter(([key]) => !calledWith.includes(key))
      .map(([key, value]) => [kerasNames[key] ?? key, value] as const);
    const written = { ...Object.fromEntries(settings), name: layerName(layer) };
    return { module: `keras.src.ops.${module}`, class_name: className, config: written, registered_name: className };
  }

  /** A layer without its wiring. */
  layer(layer: LayerJson, inside = false): Json {
    if (layer.class_name === 'Sequential') return this.object('keras', 'Sequential', this.sequential(layer), inside);
    if (CONTAINERS.has(layer.class_name))
      return this.object('keras.src.models.functional', 'Functional', this.functional(layer), inside);
    if (layer.class_name === OPERATION) return this.operation(layer);
    const known = inKeras3(layer);
    const config = known.class_name === 'InputLayer' ? this.input(known) : this.config(known, inside);
    return this.object('keras.layers', known.class_name, config, inside);
  }

  private inputLayer(first: LayerJson, shape: readonly unknown[]): LayerJson {
    const dtype = first.class_name === 'Embedding' ? 'float32' : (stringAt(first.config, 'dtype') ?? 'float32');
    return {
      class_name: 'InputLayer',
      config: { name: `${layerName(first)}_input`, batch_input_shape: [null, ...shape], dtype, sparse: false },
    };
  }

  private sequential(model: LayerJson): Json {
    const layers = layersOf(model);
    const first = layers[0]!;
    const head: LayerJson[] = [];
    if (first.class_name !== 'InputLayer') {
      const shape = this.firstShape(first);
      if (shape) head.push(this.inputLayer(first, shape));
    }
    return { name: model.config.name ?? 'sequential', layers: [...head, ...layers].map((layer) => this.layer(layer)) };
  }

  /** The input of the first layer of a Sequential, among all layers of the graph. */
  private firstShape(first: LayerJson): readonly unknown[] | null {
    const leaf = CONTAINERS.has(first.class_name) ? layersOf(first)[0]! : first;
    const node = this.graph.layers.find((entry) => entry.layer === leaf);
    const declared = field(leaf.config, 'batch_input_shape');
    if (Array.isArray(declared)) return (declared as unknown[]).slice(1);
    return node?.calls[0]?.[0] ?? node?.outputs[0] ?? null;
  }

  private functional(model: LayerJson): Json {
    const layers = layersOf(model);
    const nested = new Map(
      layers.filter((layer) => CONTAINERS.has(layer.class_name)).map((layer) => [layerName(layer), layer.class_name]),
    );
    // Keras 3 counts calls of a nested model from 0, but in the outputs from 1 unless it is a Sequential.
    const ends = (key: string): unknown[] => {
      const refs = (model.config[key] as [string, number, number][]).map(([name, node, tensor]) => [
        name,
        this.keras3 && nested.get(name) === 'Sequential' ? node - 1 : node,
        tensor,
      ]);
      // To Keras 3 a list of one is a list, and a nested model would pass it on as such.
      return this.keras3 && refs.length === 1 ? refs[0]! : refs;
    };
    return {
      name: model.config.name ?? 'model',
      trainable: true,
      layers: layers.map((layer) => ({
        ...this.layer(layer),
        name: layerName(layer),
        inbound_nodes: (layer.inbound_nodes as [string, number, number, Json][][]).map((node) =>
          this.keras3 ? this.keras3Node(layer, node, nested) : node,
        ),
      })),
      input_layers: ends('input_layers'),
      output_layers: ends('output_layers'),
    };
  }

  private keras3Node(
    layer: LayerJson,
    node: [string, number, number, Json][],
    nested: ReadonlyMap<string, string>,
  ): Json {
    const tensors = node.map(([name, index, tensor]) => ({
      class_name: '__keras_tensor__',
      // Keras looks the tensor up by its history; the shape is not used.
      config: { shape: [null], dtype: 'float32', keras_history: [name, nested.has(name) ? index - 1 : index, tensor] },
    }));
    const found = operationIn(layer.config);
    if (found) {
      const { operation, config } = found;
      const behind = (operation.calledWith ?? []).map((key) => kerasKey(config.settings, key));
      let next = 0;
      const operands = config.operands.map((operand) => operand ?? tensors[next++]);
      return { args: [...(operation.arity === null ? [operands] : operands), ...behind], kwargs: {} };
    }
    const record = classOf(layer.class_name);
    const settings = (record?.callSettings ?? []).map((name) => [name, field(layer.config, name)] as const);
    const given = Object.fromEntries(settings.filter(([, value]) => value !== undefined));
    const kwargs = { ...node[0]?.[3], ...given };
    if (record?.calledWith) return { args: tensors, kwargs };
    if (record?.takesStates && tensors.length > 1) {
      return { args: [tensors[0]], kwargs: { ...kwargs, initial_state: tensors.slice(1) } };
    }
    return { args: [tensors.length > 1 ? tensors : tensors[0]], kwargs };
  }
}

/**
 * @param keras3 only Keras 3 reads the file; the native format and nested models are such in any case.
 * @throws UserError('model-unsupported') on a layer, an argument or a value that Keras 3 lacks, named.
 */
export function kerasTopology(
  topology: Topology,
  graph: ModelGraph,
  { style, file, keras3 }: { style: KerasStyle; file: string; keras3: boolean },
): Json {
  const model: LayerJson = { class_name: topology.class_name, config: topology.config as Json };
  return new Writer(style, graph, file, keras3 || style === 'native' || nests(model)).layer(model);
}
