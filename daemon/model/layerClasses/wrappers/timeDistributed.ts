import { INNER, layer } from '../../keras3/arguments.js';
import { joined } from '../../files/groupNames.js';
import { isLayerJson } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';

/** Applies a layer, or a whole model, to each step separately. */
export const TIME_DISTRIBUTED = {
  TimeDistributed: {
    shape(config, [input], of) {
      if (!input || input.length === 0 || !isLayerJson(config.layer)) return [null];
      const [inner] = of(config.layer, [input.slice(1)]);
      return [inner ? [input[0]!, ...inner] : null];
    },
    weights: (config, input, of) =>
      isLayerJson(config.layer)
        ? of(config.layer, input?.slice(1) ?? null).map((part) => ({ ...part, uses: part.uses * (input?.[0] ?? 1) }))
        : [],
    forward(op, { layer: inner }, [x], weights, { of }) {
      if (!isLayerJson(inner)) return null;
      const [batch, steps, ...frame] = x!.shape as [number, number, ...number[]];
      const [y] = of(inner, [op.reshape(x!, [batch * steps, ...frame])], weights, [null]) ?? [];
      return y ? op.reshape(y, [batch, steps, ...y.shape.slice(1)]) : null;
    },
    resize({ layer: inner }, { output, input, weights, of }) {
      if (isLayerJson(inner)) of(inner, { output: output.slice(1), input: input.slice(1), weights });
    },
    owners: ({ config }) => [config.layer].filter(isLayerJson),
    mask: 'pass',
    maskInTfjs: 'reads',
    keras: layer({ layer: INNER }),
    groups({ config }, of) {
      return isLayerJson(config.layer) ? of(config.layer).map((group) => joined('layer', group)) : ['layer'];
    },
  },
} satisfies Record<string, LayerClass>;
