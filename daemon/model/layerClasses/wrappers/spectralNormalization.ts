/**
 * SpectralNormalization (Miyato et al. 2018; keras/src/layers/normalization/spectral_normalization.py): in training, Keras divides the kernel of the
 * layer inside by its largest singular value and stores it so; in inference the layer inside is all there is. On reading it becomes that layer.
 */
import { joined } from '../../files/groupNames.js';
import { isLayerJson } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';

export const SPECTRAL_NORMALIZATION = {
  SpectralNormalization: {
    rewrite(layer, note) {
      const { layer: inner, name, batch_input_shape: shape } = layer.config;
      if (!isLayerJson(inner)) return;
      note('SpectralNormalization became the layer inside it, whose stored kernel is normalised: training does not normalise it again'); // prettier-ignore
      layer.class_name = inner.class_name;
      layer.config = { ...inner.config, ...(shape === undefined ? {} : { batch_input_shape: shape }), name };
    },
    weights: ({ layer }, input, of) => (isLayerJson(layer) ? of(layer, input) : []),
    groups: ({ config }, of) =>
      isLayerJson(config.layer) ? of(config.layer).map((group) => joined('layer', group)) : ['layer'],
  },
} satisfies Record<string, LayerClass>;
