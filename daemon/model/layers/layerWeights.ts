/** A layer's weights, computed from the config alone, with the FLOPs of each kernel: see the record of its class. */
import { classOf } from '../layerClasses/registry.js';
import type { WeightPart } from '../layerClasses/layerClass.js';
import { isLayerJson, type LayerJson } from './layerConfig.js';
import type { Shape } from './shape.js';

export interface WeightSpec {
  /** Within the model, as TensorFlow.js names it when it loads the topology: "dense_1/kernel". */
  readonly name: string;
  /** null sizes depend on an input shape that the topology leaves open. */
  readonly shape: Shape;
  /** Kernels and embeddings: the weights that pruning may remove. */
  readonly prunable: boolean;
  readonly trainable: boolean;
  /** A moving average, or a statistic of the data: never trained, whatever the layer's setting. */
  readonly statistic?: true;
  /** Number of multiply-adds per weight and sample: Hout*Wout for a convolution, 1 for Dense. */
  readonly uses: number;
  /**
   * Axes [from, to) of a prunable weight that hold its units, if not the last one: the others hold a unit's inputs. A unit of an embedding is an
   * entry of its vocabulary.
   */
  readonly unitAxes?: readonly [from: number, to: number];
}

const parts = (layer: LayerJson, input: Shape | null, inputs?: readonly (Shape | null)[]): WeightPart[] =>
  classOf(layer.class_name)?.weights?.(layer.config, input, parts, inputs) ?? [];

/** The layers and cells inside a wrapper. */
export const wrappedLayers = ({ config }: LayerJson): LayerJson[] =>
  [config.layer, config.cell, ...(Array.isArray(config.cells) ? (config.cells as unknown[]) : [])].filter(isLayerJson);

/** Whether a file freezes a layer, or a layer inside it: trainable is false. */
export const isFrozen = (layer: LayerJson): boolean =>
  layer.config.trainable === false || wrappedLayers(layer).some(isFrozen);

/**
 * @param scope the layer's name; weights are named "scope/kernel".
 * @param frozen whether an enclosing model is frozen. Default: the layer's own setting.
 * @param inputs all inputs of its first call, if they are known.
 */
export function layerWeights(
  layer: LayerJson,
  scope: string,
  input: Shape | null,
  frozen = isFrozen(layer),
  inputs?: readonly (Shape | null)[],
): WeightSpec[] {
  return parts(layer, input, inputs).map((part) => ({
    ...part,
    name: `${scope}/${part.name}`,
    trainable: !frozen && part.statistic !== true,
  }));
}
