/** Exact thinning: removes neurons and filters without changing the function. */
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import { thinGraphModel } from '../model/graph/thinGraphModel.js';
import { thinLayers } from '../model/layersNetwork/thinLayers.js';
import type { GraphModel, LayersModel, Model } from '../model/model.js';
import { summarizeModel } from '../model/summarize.js';
import { UserError } from '../protocol/errors.js';
import { inputsRead, type InputRead } from './inputsRead.js';

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

const sizes = (of: Model): number => of.weights.reduce((sum, { data }) => sum + data.length, 0);
const flops = (of: Model): number => summarizeModel(of).reduce((sum, layer) => sum + layer.flops, 0);

/** Units of the rows of a model's table that have some, and those that are left. */
function unitsOf(model: Model, thinned: Model): LayerUnits[] {
  const kept = frontEndOf(thinned).links();
  return [...frontEndOf(model).links()].flatMap(([layer, { units }]) =>
    units ? [{ layer, units: units.count, kept: kept.get(layer)?.units?.count ?? 1 }] : [],
  );
}

function described<M extends Model>(model: M, thinned: M, inputs: readonly InputRead[]): Thinned<M> {
  return {
    model: thinned,
    layers: unitsOf(model, thinned),
    inputs,
    weights: { before: sizes(model), after: sizes(thinned) },
    flops: { before: flops(model), after: flops(thinned) },
  };
}

function thinnedLayers(model: LayersModel): Thinned<LayersModel> {
  const thinned = thinLayers(model);
  return described(model, thinned, inputsRead(thinned));
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
  return { ...described(model, thinned, []), ...(refusal && { refusal }) };
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
 * Removes, to a fixed point, every neuron and filter that no output depends on (daemon/network/structure). These are the unread ones, and those whose
 * value is the same for all inputs (no incoming weights, or only from such), which are folded through the activation into the next biases; a layer
 * that has none may get one. Channels that additions and the like tie together are removed together or not at all; a convolution with zero padding
 * absorbs no constant but 0. Inputs and outputs of the model keep their shapes. Layers that mix channels (softmax, layer normalisation) or are
 * recurrent keep all their units. At least one unit of a layer stays.
 * The result computes what `model` computes, up to the rounding of the new biases (float32).
 */
export function thin(model: LayersModel): Thinned<LayersModel>;
export function thin(model: Model): Thinned;
export function thin(model: Model): Thinned {
  return model.kind === 'graph' ? thinGraph(model) : thinnedLayers(model);
}
