import { classOf } from '../layerClasses/registry.js';
import type { LayerJson } from './layerConfig.js';
import type { Shape } from './shape.js';

/**
 * The shapes of the outputs of one call of a layer that is no container, by arithmetic on its config alone.
 * Unknown classes give [null]. @param inputs without the batch axis.
 */
export function outputShapes(layer: LayerJson, inputs: readonly (Shape | null)[]): (Shape | null)[] {
  return classOf(layer.class_name)?.shape?.(layer.config, inputs, outputShapes) ?? [null];
}
