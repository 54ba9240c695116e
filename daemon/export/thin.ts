/** Exact thinning: removes neurons and filters without changing the function. */
import type { Json } from '../model/layers/layerConfig.js';
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import { thinGraphModel } from '../model/graph/thinGraphModel.js';
import type { GraphModel, LayersModel, Model, WeightTensor } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { summarizeModel } from '../model/summarize.js';
import type { ChannelRole } from '../model/layerClasses/layerClass.js';
import { inputsRead, type InputRead } from './inputsRead.js';
import { forEachKept } from '../model/layers/linearMap.js';
import type { RoledCall } from '../model/layers/channelTies.js';
import { channelLife, type ChannelLife } from './liveChannels.js';
import { wiringOf, type Tensor } from '../model/normalise/wiring.js';
import { sizeOf } from '../protocol/shape.js';

export interface LayerUnits {
  readonly layer: string;
  /** Neurons or filters. */
  readonly units: number;
  readonly kept: number;
}

export interface Thinned<M extends Model = Model> {
  /** The given model itself where nothing can be removed. */
  readonly model: M;
  /** Layers with units of their own, in the topology's order; all units of output layers stay. */
  readonly layers: readonly LayerUnits[];
  readonly inputs: readonly InputRead[];
  readonly weights: { readonly before: number; readonly after: number };
  readonly flops: { readonly before: number; readonly after: number };
  /** Why nothing is removed, where the file of a graph cannot be written with fewer units. */
  readonly refusal?: UserError;
}

const indices = (marks: Uint8Array): number[] => [...marks.keys()].filter((i) => marks[i] === 1);

/** The entries `kept` along one axis. */
function cut({ data, shape, ...rest }: WeightTensor, axis: number, kept: readonly number[]): WeightTensor {
  const inner = sizeOf(shape.slice(axis + 1));
  const length = shape[axis]!;
  const outer = data.length / (inner * length);
  const result = new Float32Array(outer * kept.length * inner);
  for (let o = 0; o < outer; o++)
    kept.forEach((from, to) => {
      const start = (o * length + from) * inner;
      result.set(data.subarray(start, start + inner), (o * kept.length + to) * inner);
    });
  return { ...rest, shape: shape.map((dim, i) => (i === axis ? kept.length : dim)), data: result };
}

/** A model under thinning: weights by name, in file order. */
class Weights {
  readonly byName: Map<string, WeightTensor>;
  constructor(weights: readonly WeightTensor[]) {
    this.byName = new Map(weights.map((weight) => [weight.name, weight]));
  }

  set(weight: WeightTensor): void {
    this.byName.set(weight.name, weight);
  }

  insertAfter(name: string, added: WeightTensor): void {
    const entries = [...this.byName];
    entries.splice(entries.findIndex(([known]) => known === name) + 1, 0, [added.name, added]);
    this.byName.clear();
    for (const [key, weight] of entries) this.byName.set(key, weight);
  }
}

/** Adds the contribution of dead inputs to live outputs to the bias, and clears dead rows and columns. */
function fold({ call, role }: RoledCall, life: ChannelLife, weights: Weights): void {
  const map = role!.linear!;
  const [input, output] = [call.inputs[0]!, call.outputs[0]!];
  const reads = map.inputAxis !== null;
  const [aliveIn, aliveOut] = [reads ? life.alive(input) : null, life.alive(output)];
  const constants = life.constants(input);
  const added = new Float64Array(aliveOut.length);
  const data = map.kernel.data.slice();
  forEachKept(map, (value, i, o, at) => {
    const deadInput = aliveIn?.[i] === 0;
    if (deadInput && aliveOut[o] === 1) added[o]! += value * constants[i]!;
    if (deadInput || aliveOut[o] === 0) data[at] = 0;
  });
  if (added.some((x) => x !== 0)) {
    const name = map.bias?.name ?? map.kernel.name.replace(/[^/]+$/, 'bias');
    const folded = Float32Array.from(added, (x, o) => x + (map.bias?.data[o] ?? 0));
    const bias: WeightTensor = { name, shape: [folded.length], dtype: 'float32', data: folded };
    if (map.bias) weights.set(bias);
    else {
      weights.insertAfter(map.kernel.name, bias);
      const { config } = call.node.layer;
      config[config['useBias'] === undefined ? 'use_bias' : 'useBias'] = true;
    }
  }
  weights.set({ ...map.kernel, data });
}

/** A nested model's first layer repeats the shape of its input. */
function resizeDeclaredInput(config: Json, input: Tensor, kept: number): void {
  for (const key of ['batch_input_shape', 'batchInputShape', 'input_shape', 'inputShape']) {
    const shape = config[key];
    if (Array.isArray(shape) && shape.at(-1) === input.shape?.at(-1))
      config[key] = [...(shape as unknown[]).slice(0, -1), kept];
  }
  for (const key of ['input_dim', 'inputDim']) if (typeof config[key] === 'number') config[key] = kept;
}

function resize(call: RoledCall['call'], role: ChannelRole, life: ChannelLife, weights: Weights): void {
  const kept = {
    inputs: call.inputs.map((tensor) => indices(life.kept(tensor))),
    output: indices(life.kept(call.outputs[0]!)),
  };
  for (const { weight, axis, side, entries = 1 } of role.cuts) {
    const channels = side === 'input' ? kept.inputs[0]! : kept.output;
    const places = channels.flatMap((channel) => Array.from({ length: entries }, (_, i) => channel * entries + i));
    weights.set(cut(weights.byName.get(weight.name)!, axis, places));
  }
  // A bias that folding added.
  const bias =
    role.linear && !role.linear.bias && weights.byName.get(role.linear.kernel.name.replace(/[^/]+$/, 'bias'));
  if (bias) weights.set(cut(bias, 0, kept.output));
  const { config } = call.node.layer;
  role.resize?.(config, kept);
  if (call.inputs[0] && kept.inputs[0]!.length < (call.inputs[0].shape?.at(-1) ?? 0))
    resizeDeclaredInput(config, call.inputs[0], kept.inputs[0]!.length);
}

/** One pass; null when nothing is left to remove. */
function pass(model: LayersModel): LayersModel | null {
  const topology = structuredClone(model.topology);
  const weights = new Weights(model.weights);
  const wiring = wiringOf(topology);
  const life = channelLife(wiring, weights.byName);
  if (!wiring.tensors.some((tensor) => life.kept(tensor).includes(0))) return null;
  for (const { call, role } of life.calls) {
    if (!role) continue;
    if (role.linear) fold({ call, role }, life, weights);
    resize(call, role, life, weights);
  }
  return { ...model, topology, weights: [...weights.byName.values()] };
}

function layerUnits(model: LayersModel): Map<string, number> {
  const { calls } = channelLife(
    wiringOf(model.topology),
    new Map(model.weights.map((weight) => [weight.name, weight])),
  );
  return new Map(
    calls.flatMap(({ call, role }) =>
      role?.linear ? [[call.node.path, role.linear.kernel.shape[role.linear.outputAxis]!] as const] : [],
    ),
  );
}

const sizes = (of: Model): number => of.weights.reduce((sum, { data }) => sum + data.length, 0);
const flops = (of: Model): number => summarizeModel(of).reduce((sum, layer) => sum + layer.flops, 0);

/** Units of the rows of a graph's table that have some, and those that are left. */
function operationUnits(model: GraphModel, thinned: GraphModel): LayerUnits[] {
  const kept = frontEndOf(thinned).links();
  return [...frontEndOf(model).links()].flatMap(([layer, { units }]) =>
    units ? [{ layer, units: units.count, kept: kept.get(layer)?.units?.count ?? 1 }] : [],
  );
}

/** Thinned graphs by what they are made of: an export, its size and its speed ask for the same one. */
const graphs = new WeakMap<GraphModel, Thinned<GraphModel>>();

function thinGraph(model: GraphModel): Thinned<GraphModel> {
  const known = graphs.get(model) ?? thinnedGraph(model);
  graphs.set(model, known);
  return known;
}

function thinnedGraph(model: GraphModel): Thinned<GraphModel> {
  let thinned = model;
  let refusal: UserError | null = null;
  try {
    thinned = thinGraphModel(model);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'model-unsupported') throw error;
    refusal = error;
  }
  return {
    model: thinned,
    layers: operationUnits(model, thinned),
    inputs: [],
    weights: { before: sizes(model), after: sizes(thinned) },
    flops: { before: flops(model), after: flops(thinned) },
    ...(refusal && { refusal }),
  };
}

/**
 * The thinned model, for a file.
 * @throws UserError('model-unsupported') where the model's own file cannot be written with fewer units.
 */
export function thinnedModel(model: Model): Model {
  const { model: thinned, refusal } = thin(model);
  if (refusal) throw refusal;
  return thinned;
}

/**
 * Removes, to a fixed point, every neuron and filter that no output depends on. These are the unread ones, and those whose value is the same for all
 * inputs (no incoming weights, or only from such), which are folded through the activation into the next biases. Channels that additions and the like
 * tie together are removed together or not at all; a convolution with zero padding absorbs no constant but 0. Inputs and outputs of the model keep
 * their shapes. Layers that are called several times, that mix channels (softmax, layer normalisation) or are recurrent keep all their units. At
 * least one unit of a layer stays.
 * The result computes what `model` computes, up to the rounding of the new biases (float32).
 * Of a graph of operations it goes by the operations themselves (daemon/network/structure).
 */
export function thin(model: LayersModel): Thinned<LayersModel>;
export function thin(model: Model): Thinned;
export function thin(model: Model): Thinned {
  if (model.kind === 'graph') return thinGraph(model);
  let thinned = model;
  for (let next = pass(model); next; next = pass(thinned)) thinned = next;
  const [before, after] = [layerUnits(model), layerUnits(thinned)];
  return {
    model: thinned,
    layers: [...before].map(([layer, units]) => ({ layer, units, kept: after.get(layer) ?? units })),
    inputs: inputsRead(thinned),
    weights: { before: sizes(model), after: sizes(thinned) },
    flops: { before: flops(model), after: flops(thinned) },
  };
}
