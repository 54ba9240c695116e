/** Which layers a plan trains: those that its outputs depend on, except those that the file freezes and the plan does not unfreeze. */
import { CONTAINERS, isObject, layerName, layersOf, type LayerJson } from './layerConfig.js';
import { wrappedLayers } from './layerWeights.js';
import type { LayerSummary, LayersModel, OutputOfLayer, Topology } from '../model.js';
import { outputIndex } from '../setup/compiledLoss.js';
import { count } from '../../protocol/format.js';

/** The plan's settings for it. */
export interface TrainedPart {
  /** The output's layer, by its path or its last name; null: the model's main one. */
  readonly output: string | null;
  /** Paths of the outputs that are trained along; by default none. */
  readonly jointly?: readonly string[] | undefined;
  /** Exact names of frozen layers that are trained all the same. */
  readonly unfreeze: readonly string[];
}

export const AS_IN_FILE: TrainedPart = { output: null, unfreeze: [] };

/** Place of the plan's output among a model's; -1 where there is none of that name. */
function placeOf(outputs: readonly OutputOfLayer[], output: string | null): number {
  const main = outputs.findIndex((one) => one.main);
  const names = outputs.map(({ name }) => name);
  return main < 0 ? outputIndex(names, output ?? undefined) : outputIndex(names, output ?? undefined, main);
}

/** Whether a trained output depends on a layer. */
function isBehind({ outputs }: LayerSummary, { output, jointly = [] }: TrainedPart): boolean {
  if (!outputs) return true;
  if (outputs[placeOf(outputs, output)]?.depends ?? true) return true;
  return outputs.some(({ name, depends }) => depends && jointly.includes(name));
}

/** The layers with `trainable` of each weight, and `frozen` of each layer, as in the plan. */
export function trainedLayers(layers: readonly LayerSummary[], part: TrainedPart): LayerSummary[] {
  return layers.map((layer) => {
    const thawed = layer.frozen === true && part.unfreeze.includes(layer.name);
    const behind = isBehind(layer, part);
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

/** Outputs, by path, that depend on a layer which the plan trains, except `trained`. @param layers of `trainedLayers`. */
export function sharingOutputs(layers: readonly LayerSummary[], trained: readonly string[]): string[] {
  const changed = layers.filter((layer) => prunableWeightsOf(layer) > 0).flatMap(({ outputs = [] }) => outputs);
  return [
    ...new Set(changed.filter(({ name, depends }) => depends && !trained.includes(name)).map(({ name }) => name)),
  ];
}

/**
 * Which outputs a plan trains along with its own: among the candidates, those that share trained layers with it, or with one that is trained along
 * itself.
 * @param layers of the file's model. @param candidates paths. @returns paths, in the model's order.
 */
export function outputsAlong(
  layers: readonly LayerSummary[],
  part: Omit<TrainedPart, 'jointly'>,
  candidates: readonly string[],
): string[] {
  const outputs = layers.find((layer) => layer.outputs)?.outputs ?? [];
  const chosen = outputs[placeOf(outputs, part.output)];
  if (!chosen) return [];
  const names = outputs.map(({ name }) => name);
  // Layers with the same name cannot be distinguished.
  const free = candidates.filter((name) => name !== chosen.name && names.filter((one) => one === name).length === 1);
  let jointly: string[] = [];
  for (;;) {
    const sharing = sharingOutputs(trainedLayers(layers, { ...part, jointly }), [chosen.name]);
    const found = free.filter((name) => sharing.includes(name));
    if (found.length === jointly.length) return names.filter((name) => jointly.includes(name));
    jointly = found;
  }
}

/** The default outputs of a plan: along with its own those that the file has a loss for. */
export function byFile(layers: readonly LayerSummary[], own: Omit<TrainedPart, 'jointly'> = AS_IN_FILE) {
  const outputs = layers.find((layer) => layer.outputs)?.outputs ?? [];
  const candidates = outputs.filter(({ lossWeight = 0 }) => lossWeight > 0).map(({ name }) => name);
  const jointly = outputsAlong(layers, own, candidates);
  return { ...own, ...(jointly.length > 0 && { jointly }) };
}

/** Whether a plan must unfreeze layers to have weights to prune. */
export const isWhollyFrozen = (layers: readonly LayerSummary[]): boolean =>
  layers.some((layer) => layer.frozen && layer.prunable > 0) &&
  trainedLayers(layers, AS_IN_FILE).every((layer) => prunableWeightsOf(layer) === 0);

const names = (layers: readonly LayerSummary[]): string => {
  const shown = layers.slice(0, 8).map(({ name }) => name).join(', '); // prettier-ignore
  return layers.length > 8 ? `${shown} and ${layers.length - 8} more` : shown;
};

/**
 * The prunable weights that the file freezes; null if there are none.
 * @param part as in the plan; without one, for the file as it is.
 */
export function frozenNote(layers: readonly LayerSummary[], part: TrainedPart = byFile(layers)): string | null {
  const behind = trainedLayers(layers, part).filter((layer) => isBehind(layer, part));
  const frozen = behind.filter(({ frozen, prunable }) => frozen && prunable > 0);
  if (frozen.length === 0) return null;
  const of = (list: readonly LayerSummary[]) => list.reduce((sum, { prunable }) => sum + prunable, 0);
  return `${count(of(frozen))} of ${count(of(behind))} prunable weights are frozen in the file (trainable is false) and are neither trained nor pruned: ${names(frozen)}; "unfreeze": true in the plan, or a list of layers, trains and prunes them too`;
}

/** Kernels that the plan's outputs do not depend on; null if there are none. */
export function asideNote(layers: readonly LayerSummary[], part: TrainedPart): string | null {
  const aside = layers.filter((layer) => layer.prunable > 0 && !isBehind(layer, part));
  if (aside.length === 0) return null;
  const { output, jointly = [] } = part;
  const { outputs } = aside[0]!;
  const of = [output ?? outputs![placeOf(outputs!, null)]!.name, ...jointly].map((name) => `"${name}"`).join(', ');
  return jointly.length > 0
    ? `the outputs ${of}, which are trained, do not depend on ${names(aside)}: neither trained nor pruned`
    : `the output ${of}, which is trained, does not depend on ${names(aside)}: neither trained nor pruned`;
}

/** A layer's setting, together with those of all layers inside it. */
function setTrainable(layer: LayerJson, value: boolean): void {
  layer.config.trainable = value;
  const inside = CONTAINERS.has(layer.class_name) ? layersOf(layer) : wrappedLayers(layer);
  for (const inner of inside) setTrainable(inner, value);
}

/**
 * The model for an engine's training: every layer has its own `trainable`, as in `layers`, and no enclosing model has one. For sessions alone;
 * exports keep the file's settings.
 * @param layers of `trainedLayers`. @returns `model` itself if everything is trained.
 */
export function withTrainedLayers(model: LayersModel, layers: readonly LayerSummary[]): LayersModel {
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
