/** The layer table of a topology: shapes, weights, prunable kernels and FLOPs, without TensorFlow and without weight data. */
import { field, isObject } from './layerConfig.js';
import { modelGraph, type LayerNode } from './layerGraph.js';
import type { LayerSummary, OutputOfLayer, Topology } from '../model.js';
import { lossInFile } from '../setup/compiledLoss.js';
import { layerUnits, type WeightUnits } from '../layersNetwork/layerUnits.js';
import { sizeOf } from '../../protocol/shape.js';

/** Name and shape of a weight, as a manifest gives it. */
export interface WeightShape {
  readonly name: string;
  readonly shape: readonly number[];
}

function activationOf(node: LayerNode): string | undefined {
  const { class_name, config } = node.layer;
  const activation = field(config, 'activation');
  if (typeof activation === 'string') return activation;
  if (isObject(activation) && typeof activation.class_name === 'string') return activation.class_name;
  return class_name === 'Softmax' || class_name === 'ReLU' ? class_name.toLowerCase() : undefined;
}

const shapeOf = ({ name, shape }: LayerNode['weights'][number], known: ReadonlyMap<string, readonly number[]>) =>
  known.get(name) ?? shape.map((dim) => dim ?? 0);

function summarizeLayer(
  node: LayerNode,
  known: ReadonlyMap<string, readonly number[]>,
  units: ReadonlyMap<string, WeightUnits>,
  outputs: readonly (Omit<OutputOfLayer, 'depends'> & { readonly behind: ReadonlySet<LayerNode> })[],
): LayerSummary {
  const calls = Math.max(1, node.calls.length);
  let flops = 0;
  const weights = node.weights.map((spec) => {
    const shape = shapeOf(spec, known);
    const size = sizeOf(shape);
    const flopsPerWeight = 2 * spec.uses * calls;
    if (spec.prunable) flops += size * flopsPerWeight;
    const { name, prunable, trainable, statistic, unitAxes } = spec;
    return {
      name,
      shape,
      size,
      prunable,
      trainable,
      ...(statistic && { statistic }),
      ...(prunable && { flopsPerWeight }),
      ...(unitAxes && { unitAxes }),
      ...units.get(spec.name),
    };
  });
  const prunable = weights.reduce((sum, weight) => sum + (weight.prunable ? weight.size : 0), 0);
  const activation = activationOf(node);
  return {
    name: node.path,
    className: node.layer.class_name,
    outputShape: node.outputs[0] ?? null,
    ...(activation === undefined ? {} : { activation }),
    ...(node.frozen && weights.length > 0 && { frozen: true as const }),
    ...(outputs.length > 1 && {
      outputs: outputs.map(({ behind, ...one }) => ({ ...one, depends: behind.has(node) })),
    }),
    weights,
    params: weights.reduce((sum, weight) => sum + weight.size, 0),
    prunable,
    flops,
    flopsPerWeight: prunable === 0 ? 0 : flops / prunable,
  };
}

/**
 * One row per layer, in the topology's order; nested models are flattened ("encoder/dense").
 * FLOPs are 2 per multiply-add of the kernels, for one sample; a shared layer counts once per call; an open size
 * (variable sequence length) counts as 1. Biases, normalisation and activations cost nothing here.
 * @param model a normalised topology, with the file's training config where it has one; `weights` (a model's own, or a manifest's specs) settle shapes that the topology leaves open.
 */
export function summarizeLayers(model: {
  readonly topology: Topology;
  readonly weights?: readonly WeightShape[];
  readonly trainingConfig?: Record<string, unknown>;
}): LayerSummary[] {
  const known = new Map((model.weights ?? []).map((weight) => [weight.name, weight.shape]));
  const graph = modelGraph(model.topology);
  const { layers } = graph;
  const units = layerUnits(model.topology, known, graph);
  const several = graph.outputLayers.length > 1;
  const outputs = graph.outputLayers.map((name, i) => ({
    name,
    ...lossInFile(model.trainingConfig, graph.outputLayers, i),
    behind: several ? graph.behind[i]!() : new Set<LayerNode>(),
  }));
  return layers.map((node) => summarizeLayer(node, known, units, outputs));
}
