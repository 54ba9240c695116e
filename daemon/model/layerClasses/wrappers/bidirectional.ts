import { INNER, layer } from '../../keras3/arguments.js';
import { oneOf } from '../../keras3/values.js';
import { joined } from '../../files/groupNames.js';
import { field, isLayerJson } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';

/** A recurrent layer in both directions of time. */
export const BIDIRECTIONAL = {
  Bidirectional: {
    takesStates: true,
    shape(config, [input], of) {
      if (!input || !isLayerJson(config.layer)) return [null];
      const [output, ...states] = of(config.layer, [input]);
      const mode = field(config, 'merge_mode');
      const both = states.length > 0 ? [...states, ...states] : [];
      if (!output) return [null];
      if (mode === null) return [output, output, ...both];
      if (mode !== undefined && mode !== 'concat') return [output, ...both];
      // TensorFlow.js always doubles the last axis.
      return [[...output.slice(0, -1), output.at(-1) == null ? null : output.at(-1)! * 2], ...both];
    },
    weights(config, input, of) {
      const { layer: inner } = config;
      if (!isLayerJson(inner)) return [];
      const name = typeof inner.config.name === 'string' ? inner.config.name : '';
      return ['forward', 'backward'].flatMap((way) =>
        of(inner, input).map((part) => ({ ...part, name: `${way}_${name}/${part.name}` })),
      );
    },
    owners: ({ config }) => [config.layer, config.layer].filter(isLayerJson),
    mask: 'steps',
    maskInTfjs: 'steps',
    keras: layer({
      layer: INNER,
      merge_mode: { kind: oneOf('concat', 'sum', 'mul', 'ave'), nullable: true },
    }),
    groups({ config }, of) {
      const { layer: inner } = config;
      if (!isLayerJson(inner)) return [''];
      return ['forward_layer', 'backward_layer'].flatMap((way) => of(inner).map((group) => joined(way, group)));
    },
  },
} satisfies Record<string, LayerClass>;
