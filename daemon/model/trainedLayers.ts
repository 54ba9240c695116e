/** Which layers a plan trains: those that its output depends on, but for those that the file freezes and the plan does not unfreeze. */
import { CONTAINERS, isObject, layerName, layersOf, type LayerJson } from './layerConfig.js';
import { wrappedLayers } from './layerWeights.js';
import type { LayerSummary, Model, Topology } from './model.js';
import { count } from '../protocol/format.js';

/** What a plan says of it. */
export interface TrainedPart {
  /** The output's layer, by its path or its last name; null: the last output. */
  readonly output: string | null;
  /** Exact names of frozen layers that are trained all the same. */
  readonly unfreeze: readonly string[];
}

export const AS_IN_FILE: TrainedPart = { output: null, unfreeze: [] };

/** Whether the output depends on a layer. */
function isBehind({ outputs }: LayerSummary, output: string | null): boolean {
  if (!outputs) return true;
  if (output === null) return outputs.at(-1)!.depends;
  return outputs.find(({ name }) => name === output || name.split('/').at(-1) === output)?.depends ?? true;
}

/** The layers with `trainable` of each weight, and `frozen` of each layer, as the plan has them. */
export function trainedLayers(layers: readonly LayerSummary[], { output, unfreeze }: TrainedPart): LayerSummary[] {
  return layers.map((layer) => {
    const thawed = layer.frozen === true && unfreeze.includes(layer.name);
    const behind = isBehind(layer, output);
    if (behind && !thawed) return layer;
    const { frozen: _, ...rest } = layer;
    return {
      ...(thawed ? rest : layer),
      weights: layer.weights.map((weight) => ({
        ...weight,
        trainable: behind && (thawed ? weight.statistic !== true : weight.trainable),
      })),
    };
  });
}

/** Weights of a layer that a plan may prune. */
export const prunableWeightsOf = ({ weights }: LayerSummary): number =>
  weights.reduce((sum, { prunable, trainable, size }) => sum + (prunable && trainable ? size : 0), 0);

/** Whether a plan must unfreeze layers to have any to prune. */
export const isWhollyFrozen = (layers: readonly LayerSummary[]): boolean =>
  layers.some((layer) => layer.frozen && layer.prunable > 0) &&
  trainedLayers(layers, AS_IN_FILE).every((layer) => prunableWeightsOf(layer) === 0);

const names = (layers: readonly LayerSummary[]): string => {
  const shown = layers.slice(0, 8).map(({ name }) => name).join(', '); // prettier-ignore
  return layers.length > 8 ? `${shown} and ${layers.length - 8} more` : shown;
};

/**
 * What of the prunable weights is frozen in the file; null where nothing is.
 * @param part as the plan has it; without one, of the file as it is.
 */
export function frozenNote(layers: readonly LayerSummary[], part: TrainedPart = AS_IN_FILE): string | null {
  const behind = trainedLayers(layers, part).filter((layer) => isBehind(layer, part.output));
  const frozen = behind.filter(({ frozen, prunable }) => frozen && prunable > 0);
  if (frozen.length === 0) return null;
  const of = (list: readonly LayerSummary[]) => list.reduce((sum, { prunable }) => sum + prunable, 0);
  return `${count(of(frozen))} of ${count(of(behind))} prunable weights are frozen in the file (trainable is false) and are neither trained nor pruned: ${names(frozen)}; "unfreeze": true in the plan, or a list of layers, trains and prunes them too`;
}

/** Kernels that the plan's output does not depend on; null where there are none. */
export function asideNote(layers: readonly LayerSummary[], { output }: TrainedPart): string | null {
  const aside = layers.filter((layer) => layer.prunable > 0 && !isBehind(layer, output));
  if (aside.length === 0) return null;
  const of = output ?? aside[0]!.outputs!.at(-1)!.name;
  return `the output "${of}", which is trained, does not depend on ${names(aside)}: neither trained nor pruned`;
}

/** A layer's setting, with that of everything it wraps. */
function setTrainable(layer: LayerJson, value: boolean): void {
  layer.config.trainable = value;
  const inside = CONTAINERS.has(layer.class_name) ? layersOf(layer) : wrappedLayers(layer);
  for (const inner of inside) setTrainable(inner, value);
}

/**
 * The model as an engine trains it: every layer has its own `trainable`, as `layers` say, and no model around it has one.
 * For sessions alone; what is exported keeps the file's settings.
 * @param layers of `trainedLayers`. @returns `model` itself where everything is trained.
 */
export function withTrainedLayers(model: Model, layers: readonly LayerSummary[]): Model {
  const trained = new Map(
    layers.map(({ name, weights }) => [name, weights.every(({ trainable, statistic }) => trainable || statistic === true)]),
  ); // prettier-ignore
  if (![...trained.values()].includes(false) && !saysFrozen(model.topology)) return model;
  const topology = structuredClone(model.topology) as Topology;
  const visit = (container: LayerJson, prefix: string): void => {
    if (isObject(container.config) && !Array.isArray(container.config)) container.config.trainable = true;
    for (const layer of layersOf(container)) {
      const path = prefix + layerName(layer);
      if (CONTAINERS.has(layer.class_name)) visit(layer, `${path}/`);
      else if (trained.get(path) !== undefined) setTrainable(layer, trained.get(path)!);
    }
  };
  visit(topology as unknown as LayerJson, '');
  return { ...model, topology };
}

/** Whether any setting of a topology freezes something. */
const saysFrozen = (topology: Topology): boolean => JSON.stringify(topology).includes('"trainable":false');
