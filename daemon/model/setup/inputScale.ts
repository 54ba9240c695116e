/** The scale of a model's inputs, and a model that applies it itself. */
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { isObject, layerName, layersOf, type Json, type LayerJson } from '../layers/layerConfig.js';
import { modelGraph } from '../layers/layerGraph.js';
import type { LayersModel, Topology, WeightTensor } from '../model.js';
import { INPUT_KEYS } from '../normalise/rewriteGraph.js';

/** x -> x * scale + shift: numbers for all values of a sample, or one for each, row major. */
export interface InputScale {
  /** The input's name in the model. */
  readonly name: string;
  /** In words: "x/255". */
  readonly read: string;
  readonly scale: number | readonly number[];
  readonly shift: number | readonly number[];
}

export const isIdentity = ({ scale, shift }: Pick<InputScale, 'scale' | 'shift'>): boolean =>
  [scale].flat().every((factor) => factor === 1) && [shift].flat().every((offset) => offset === 0);

/** Epsilon of the BatchNormalization that scales; its moving variance is 1 minus that. */
const EPSILON = 1e-3;

interface Front {
  readonly layers: readonly LayerJson[];
  readonly weights: readonly WeightTensor[];
}

/** The first `period` values if they repeat throughout; else null. */
function repeated(values: readonly number[], period: number): readonly number[] | null {
  return values.every((value, i) => value === values[i % period]) ? values.slice(0, period) : null;
}

/** A single number becomes a Rescaling; one for each feature or channel, the inference mode of a BatchNormalization, which every format has. */
function frontOf(scale: InputScale, shape: readonly (number | null)[], name: string, refuse: (why: string) => never): Front {
  const [factor, offset] = [scale.scale, scale.shift];
  if (typeof factor === 'number' && typeof offset === 'number') {
    const config = { name, trainable: false, scale: factor, offset };
    return { layers: [{ class_name: 'Rescaling', config }], weights: [] };
  }
  const length = typeof factor === 'number' ? (offset as readonly number[]).length : factor.length;
  const all = (value: number | readonly number[]) => (typeof value === 'number' ? new Array<number>(length).fill(value) : value);
  const channels = shape.at(-1);
  const [gamma, beta] = [all(factor), all(offset)];
  const [byChannel, shifts] = channels ? [repeated(gamma, channels), repeated(beta, channels)] : [null, null];
  const apart = !byChannel || !shifts;
  if (apart && (shape.includes(null) || sizeOf(shape as number[]) !== length))
    refuse('is scaled value by value, but its size is open');
  const [scales, moves] = apart ? [gamma, beta] : [byChannel, shifts];
  const normal: LayerJson = {
    class_name: 'BatchNormalization',
    config: { name, trainable: false, axis: -1, momentum: 0.99, epsilon: EPSILON, center: true, scale: true },
  };
  const values = (part: string, of: readonly number[]): WeightTensor =>
    ({ name: `${name}/${part}`, shape: [of.length], dtype: 'float32', data: Float32Array.from(of) }); // prettier-ignore
  const weights = [
    values('gamma', scales),
    values('beta', moves),
    values('moving_mean', scales.map(() => 0)),
    values('moving_variance', scales.map(() => 1 - EPSILON)),
  ]; // prettier-ignore
  if (!apart) return { layers: [normal], weights };
  const flat: LayerJson = { class_name: 'Flatten', config: { name: `${name}_flat`, trainable: false } };
  const back: LayerJson = { class_name: 'Reshape', config: { name: `${name}_back`, trainable: false, target_shape: [...shape] } };
  return { layers: [flat, normal, back], weights };
} // prettier-ignore

/** In a Sequential the first layer declares the input. */
function insertFirst(layers: LayerJson[], front: readonly LayerJson[], shape: readonly (number | null)[]): void {
  const [first] = layers;
  const at = first?.class_name === 'InputLayer' ? 1 : 0;
  if (at === 0) {
    front[0]!.config.batch_input_shape = [null, ...shape];
    if (first) for (const key of INPUT_KEYS) delete first.config[key];
  }
  layers.splice(at, 0, ...front);
}

type Ref = [layer: string, node: number, tensor: number, kwargs: Json];

/** In a functional model every reader of the input then reads the output of `front`. */
function insertBehindInput(topology: Topology, input: string, front: readonly LayerJson[]): void {
  const config = topology.config as { layers: LayerJson[]; output_layers: Ref[] };
  const last = layerName(front.at(-1)!);
  const readers = config.layers.flatMap((layer) => (layer.inbound_nodes as Ref[][]).flat());
  for (const ref of [...readers, ...config.output_layers]) if (ref[0] === input) ref[0] = last;
  let before = input;
  for (const layer of front) {
    layer.name = layerName(layer);
    layer.inbound_nodes = [[[before, 0, 0, {}]]];
    before = layerName(layer);
  }
  const at = config.layers.findIndex((layer) => layerName(layer) === input);
  config.layers.splice(at + 1, 0, ...front);
}

/**
 * The model for stored values: its inputs' scales are its first layers. Up to float32 rounding, its outputs equal the model's on scaled values.
 * @param scales of the inputs that are not taken as stored, by name; others stay.
 * @throws UserError('model-unsupported') if an input of open size has one scale per value.
 */
export function withInputScales(model: LayersModel, scales: readonly InputScale[]): LayersModel {
  const topology = structuredClone(model.topology) as Topology;
  const graph = modelGraph(topology);
  const container: LayerJson = { class_name: topology.class_name, config: topology.config as Json };
  const names = new Set(layersOf(container).map(layerName));
  const added: WeightTensor[] = [];
  graph.inputNames.forEach((input, i) => {
    const scale = scales.find(({ name }) => name === input);
    if (!scale || isIdentity(scale)) return;
    const shape = graph.inputShapes[i] ?? [null];
    let name = graph.inputNames.length > 1 ? `scale_${input}` : 'scale';
    while (names.has(name) || names.has(`${name}_flat`) || names.has(`${name}_back`)) name += '_';
    const front = frontOf(scale, shape, name, (why) => {
      throw new UserError('model-unsupported', `${model.path}: input "${input}" ${why}: export it without the scale inside`, { file: model.path, field: input }); // prettier-ignore
    });
    if (topology.class_name === 'Sequential') {
      const list = Array.isArray(topology.config) ? topology.config : isObject(topology.config) ? topology.config.layers : [];
      insertFirst(list as LayerJson[], front.layers, shape);
    } else insertBehindInput(topology, input, front.layers);
    added.push(...front.weights);
  });
  return { ...model, topology, weights: [...added, ...model.weights] };
} // prettier-ignore
