/** Layers that are random in training and the identity in inference. */
import { BASE, DATA_FORMAT, layer, optional, or, required, SEED, type Arguments } from '../keras3/arguments.js';
import { deviation, noiseShape, positive, share, text } from '../keras3/values.js';
import { channelsFirst, type LayerJson } from '../layers/layerConfig.js';
import type { LayerClass, Note } from './layerClass.js';
import { identity } from './rules/forward.js';
import { same } from './rules/shapes.js';

/** Its constructor takes no other arguments. */
const spatialArguments = (dataFormat: Arguments): Arguments => ({
  name: required(text),
  dtype: BASE.dtype!,
  rate: or(share, 0),
  seed: optional(positive),
  ...dataFormat,
});

const random = (keras: Arguments): LayerClass => ({
  shape: same,
  forward: identity,
  mask: 'pass',
  maskInTfjs: 'passes',
  keras,
});

/** Read as a Dropout with a noise_shape, which TensorFlow.js has. */
const spatialDropout = (n: number): LayerClass => ({
  rewrite(layer: LayerJson, note: Note) {
    const { config } = layer;
    const ones = new Array<number>(n).fill(1);
    const first = channelsFirst(config);
    layer.class_name = 'Dropout';
    delete config.data_format;
    config.noise_shape = first ? [null, null, ...ones] : [null, ...ones, null];
    note('SpatialDropout became Dropout with a noise_shape');
  },
  mask: 'pass',
  keras: spatialArguments(DATA_FORMAT),
});

export const DROPOUTS = {
  Dropout: {
    ...random(layer({ rate: or(share, 0), noise_shape: optional(noiseShape), ...SEED })),
    onInput: 'moves',
    sparse: 'nothing',
  },
  SpatialDropout1D: { ...random(spatialArguments({})), onInput: 'moves' },
  SpatialDropout2D: spatialDropout(2),
  SpatialDropout3D: spatialDropout(3),
  GaussianNoise: {
    ...random(layer({ stddev: or(deviation, 0), ...SEED })),
    onInput: 'moves',
    sparse: 'nothing',
  },
  GaussianDropout: { ...random(layer({ rate: or(share, 0), ...SEED })), sparse: 'nothing' },
  AlphaDropout: {
    ...random(layer({ rate: or(share, 0), noise_shape: optional(noiseShape), ...SEED })),
    sparse: 'nothing',
  },
} satisfies Record<string, LayerClass>;
