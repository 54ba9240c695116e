import { classOf } from '../layerClasses/registry.js';
import type { LayerJson } from './layerConfig.js';
import type { Shape } from './shape.js';

/**
 * The output shapes of one call of a layer that is not a container, computed from its config alone.
 * Unknown classes give [null]. @param inputs without the batch axis.
 */
export function outputShapes(layer: LayerJson, inputs: readonly (Shape | null)[]): (Shape | null)[] {
  return classOf(layer.class_name)?.shape?.(layer.config, inputs, outputShapes) ?? [null];
}
