/** Padding "causal" of a convolution over a sequence: zeros in front alone, so that no step reads a later one. */
import { stringAt, tupleAt, type Json, type LayerJson } from './layerConfig.js';

export const isCausal = ({ class_name: className, config }: LayerJson): boolean =>
  className === 'Conv1D' && stringAt(config, 'padding') === 'causal';

/** How many steps of zeros: (kernel_size - 1) * dilation_rate. */
export function stepsInFront(config: Json): number {
  const [size] = tupleAt(config, 'kernel_size', 1, 1) ?? [1];
  const [rate] = tupleAt(config, 'dilation_rate', 1, 1) ?? [1];
  return (size! - 1) * rate!;
}
