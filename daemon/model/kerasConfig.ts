/** A normalised topology as Python's Keras writes it: for its HDF5 format (Keras 2 and 3), and for its native zip (Keras 3). */
import { UserError } from '../protocol/errors.js';
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
  own,
} from './layerConfig.js';
import type { ModelGraph } from './layerGraph.js';
import type { Topology } from './model.js';

export type KerasStyle = 'h5' | 'native';

const INITIALIZER_NAMES: Record<string, string> = { LeCunNormal: 'LecunNormal', LeCunUniform: 'LecunUniform' };

/** A nested model in a functional one is wired as Keras 3 wants it, in HDF5 too; Keras 2 then cannot read the file. */
function nests(model: LayerJson): boolean {
  const inner = layersOf(model).filter((layer) => CONTAINERS.has(layer.class_name));
  return (model.class_name !== 'Sequential' && inner.length > 0) || inner.some(nests);
}

class Writer {
  constructor(
    private readonly style: KerasStyle,
    private readonly graph: ModelGraph,
    private readonly file: string,
    /** Only Keras 3 reads the file. */
    private readonly keras3: boolean,
  ) {}

  private refuse(layer: LayerJson, problem: string): never {
    const name = layerName(layer);
    throw new UserError(
      'model-unsupported',
      `${this.file}: layer "${name}" ${problem}; save as a TensorFlow.js model instead`,
      { file: this.file, field: name },
    );
  }

  /** Keras 3 finds a class by its module, its HDF5 reader only those inside a wrapper; Keras 2 by the class name alone. */
  private object(module: string, className: string, config: Json, inside = false): Json {
    if (this.style === 'h5' && !inside) return { class_name: className, config };
    return { module, class_name: className, config, registered_name: null };
  }

  private value(key: string, value: unknown): unknown {
    const kind = /(initializer|regularizer|constraint)$/.exec(key)?.[1];
    if (kind === undefined || value == null) return value;
    if (typeof value === 'string') return value.replace(/^leCun/, 'lecun');
    if (!isObject(value) || typeof value.class_name !== 'string') return value;
    const config: Json = isObject(value.config) ? { ...value.config } : {};
    // TensorFlow.js's "normal" is Keras's truncated one by another name.
    if (value.class_name === 'VarianceScaling' && config.distribution === 'normal')
      config.distribution = 'truncated_normal';
    return this.object(`keras.${kind}s`, own(INITIALIZER_NAMES, value.class_name) ?? value.class_name, config);
  }

  private config(layer: LayerJson): Json {
    const { class_name: className, config } = layer;
    const out: Json = {};
    for (const [key, value] of Object.entries(config)) {
      if (/^(batch_?input_?shape|input_?shape)$/i.test(key) && className !== 'InputLayer') continue;
      // Early TensorFlow.js wrote camelCase.
      const snake = key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
      out[snake] = this.value(snake, value);
    }
    if (className === 'InputLayer') {
      const shape = field(config, 'batch_input_shape');
      delete out.batch_input_shape;
      out[this.style === 'h5' ? 'batch_input_shape' : 'batch_shape'] = shape;
    }
    if (className === 'GRU' || className === 'GRUCell') out.reset_after = false;
    if (className === 'Reshape' && Array.isArray(out.target_shape))
      out.target_shape = (out.target_shape as unknown[]).map((dim) => dim ?? -1);
    if (className === 'LeakyReLU' && this.style === 'native') {
      out.negative_slope = out.alpha ?? 0.3;
      delete out.alpha;
    }
    if (this.keras3) {
      if (className === 'ThresholdedReLU') this.refuse(layer, 'is a ThresholdedReLU, which Keras 3 does not have');
      for (const key of ['activation', 'recurrent_activation']) {
        if (/^hard_?sigmoid$/i.test(stringAt(out, key) ?? ''))
          this.refuse(layer, 'uses hard_sigmoid, which Keras 3 computes differently');
      }
      // tfjs's default where the file says nothing.
      if (/^(GRU|LSTM|ConvLSTM2D)(Cell)?$/.test(className) && out.recurrent_activation == null)
        this.refuse(layer, 'uses hard_sigmoid, which Keras 3 computes differently');
    }
    for (const key of ['layer', 'cell']) if (isLayerJson(config[key])) out[key] = this.layer(config[key], true);
    if (Array.isArray(config.cells))
      out.cells = (config.cells as unknown[]).filter(isLayerJson).map((cell) => this.layer(cell, true));
    return out;
  }

  /** A layer without its wiring. */
  layer(layer: LayerJson, inside = false): Json {
    if (layer.class_name === 'Sequential') return this.object('keras', 'Sequential', this.sequential(layer), inside);
    if (CONTAINERS.has(layer.class_name))
      return this.object('keras.src.models.functional', 'Functional', this.functional(layer), inside);
    return this.object('keras.layers', layer.class_name, this.config(layer), inside);
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

  /** What the first layer of a Sequential is given, of all layers of the graph. */
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
    const keras3 = this.style === 'native' || nested.size > 0;
    const ends = (key: string): unknown[] =>
      (model.config[key] as [string, number, number][]).map(([name, node, tensor]) => [
        name,
        keras3 && nested.get(name) === 'Sequential' ? node - 1 : node,
        tensor,
      ]);
    return {
      name: model.config.name ?? 'model',
      trainable: true,
      layers: layers.map((layer) => ({
        ...this.layer(layer),
        name: layerName(layer),
        inbound_nodes: (layer.inbound_nodes as [string, number, number, Json][][]).map((node) =>
          keras3 ? this.keras3Node(layer, node, nested) : node,
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
    const kwargs = node[0]?.[3] ?? {};
    if (/RNN|GRU|LSTM|Bidirectional/.test(layer.class_name) && tensors.length > 1) {
      return { args: [tensors[0]], kwargs: { ...kwargs, initial_state: tensors.slice(1) } };
    }
    return { args: [tensors.length > 1 ? tensors : tensors[0]], kwargs };
  }
}

/** @throws UserError('model-unsupported') on a layer that Keras lacks or computes differently. */
export function kerasTopology(topology: Topology, graph: ModelGraph, style: KerasStyle, file: string): Json {
  const model: LayerJson = { class_name: topology.class_name, config: topology.config as Json };
  return new Writer(style, graph, file, style === 'native' || nests(model)).layer(model);
}
