/** Layers that were inserted when a file was read are merged again in one pass, however many layers there are. */
import { expect, test } from 'vitest';
import type { LayerJson } from '../../../../daemon/model/layers/layerConfig.js';
import { mergeHalfPixelLayers } from '../../../../daemon/model/normalise/bilinearUpSampling.js';
import { mergeCausalLayers } from '../../../../daemon/model/normalise/causalPadding.js';

const LAYERS = 500;

/** A chain of layers that counts how often a config is read. */
function counted(className: string, config: (i: number) => object) {
  let reads = 0;
  const layers = Array.from({ length: LAYERS }, (_, i) => {
    const own = { name: `layer_${i}`, ...config(i) };
    const inbound_nodes = i === 0 ? [] : [[[`layer_${i - 1}`, 0, 0, {}]]];
    const layer = { class_name: className, inbound_nodes, get config() { reads++; return own; } }; // prettier-ignore
    return layer as unknown as LayerJson;
  });
  const ends = { input_layers: [['layer_0', 0, 0]], output_layers: [[`layer_${LAYERS - 1}`, 0, 0]] };
  return { container: { class_name: 'Functional', config: { layers, ...ends } } as unknown as LayerJson, reads: () => reads };
} // prettier-ignore

test.each([
  ['pooling layers', 'AveragePooling2D', { pool_size: [2, 2] }, mergeHalfPixelLayers],
  ['convolutions', 'Conv1D', { padding: 'valid', kernel_size: [3] }, mergeCausalLayers],
])('%s: each layer is looked at a few times, not once for every other layer', (_, className, config, merge) => {
  const { container, reads } = counted(className, () => config);
  expect(merge(container)).toEqual([]);
  expect(reads()).toBeGreaterThan(0);
  expect(reads()).toBeLessThan(20 * LAYERS);
});
