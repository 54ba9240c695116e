/**
 * All known layer classes, by their names in Keras. All code that depends on a layer's class looks it up here; a table elsewhere that concerns
 * engines or exports alone has keys of type `ClassName`.
 */
import { own } from '../layers/layerConfig.js';
import { ACTIVATIONS } from './activations/activations.js';
import { PRELU } from './activations/prelu.js';
import { RELUS } from './activations/relu.js';
import { ATTENTION } from './attention/attention.js';
import { MULTI_HEAD } from './attention/multiHead.js';
import { FLATTEN } from './arrangement/flatten.js';
import { ARRANGEMENT } from './arrangement/reshape.js';
import { CONVOLUTIONS } from './convolutions/convolution.js';
import { DEPTHWISE } from './convolutions/depthwise.js';
import { SEPARABLE } from './convolutions/separable.js';
import { LOCALLY_CONNECTED } from './convolutions/locallyConnected.js';
import { TRANSPOSED } from './convolutions/transposed.js';
import { DENSE } from './dense.js';
import { DROPOUTS } from './dropouts.js';
import { EINSUM_DENSE } from './einsumDense.js';
import { EMBEDDING } from './embedding.js';
import { INPUT } from './input.js';
import type { LayerClass } from './layerClass.js';
import { MASKING } from './masking.js';
import { CONCATENATE } from './merging/concatenate.js';
import { DOT } from './merging/dot.js';
import { MERGES } from './merging/elementwise.js';
import { BATCH_NORMALIZATION } from './normalisation/batchNormalization.js';
import { GROUP_NORMALIZATION } from './normalisation/groupNormalization.js';
import { LAYER_NORMALIZATION } from './normalisation/layerNormalization.js';
import { NORMALIZATION } from './normalisation/normalization.js';
import { UNIT_NORMALIZATION } from './normalisation/unitNormalization.js';
import { OPERATIONS } from './operation.js';
import { ADAPTIVE_POOLING } from './pooling/adaptivePooling.js';
import { GLOBAL_POOLING } from './pooling/globalPooling.js';
import { POOLING } from './pooling/pooling.js';
import { PASSING } from './preprocessing/passing.js';
import { REFUSED } from './preprocessing/refused.js';
import { SIZE_CHANGING } from './preprocessing/sizeChanging.js';
import { CONV_LSTM } from './recurrent/convLstm.js';
import { CELLS, GATED_LAYERS } from './recurrent/gated.js';
import { RNN_LAYERS } from './recurrent/rnn.js';
import { CROPPING } from './space/cropping.js';
import { UP_SAMPLING } from './space/upSampling.js';
import { ZERO_PADDING } from './space/zeroPadding.js';
import { BIDIRECTIONAL } from './wrappers/bidirectional.js';
import { SPECTRAL_NORMALIZATION } from './wrappers/spectralNormalization.js';
import { TIME_DISTRIBUTED } from './wrappers/timeDistributed.js';

const CLASSES = {
  ...INPUT,
  ...DENSE,
  ...EINSUM_DENSE,
  ...EMBEDDING,
  ...CONVOLUTIONS,
  ...TRANSPOSED,
  ...DEPTHWISE,
  ...SEPARABLE,
  ...LOCALLY_CONNECTED,
  ...GATED_LAYERS,
  ...CELLS,
  ...RNN_LAYERS,
  ...CONV_LSTM,
  ...ATTENTION,
  ...MULTI_HEAD,
  ...SPECTRAL_NORMALIZATION,
  ...TIME_DISTRIBUTED,
  ...BIDIRECTIONAL,
  ...POOLING,
  ...GLOBAL_POOLING,
  ...ADAPTIVE_POOLING,
  ...ZERO_PADDING,
  ...CROPPING,
  ...UP_SAMPLING,
  ...FLATTEN,
  ...ARRANGEMENT,
  ...MERGES,
  ...CONCATENATE,
  ...DOT,
  ...ACTIVATIONS,
  ...RELUS,
  ...PRELU,
  ...BATCH_NORMALIZATION,
  ...LAYER_NORMALIZATION,
  ...GROUP_NORMALIZATION,
  ...UNIT_NORMALIZATION,
  ...NORMALIZATION,
  ...DROPOUTS,
  ...MASKING,
  ...OPERATIONS,
  ...SIZE_CHANGING,
  ...PASSING,
  ...REFUSED,
};

export type ClassName = keyof typeof CLASSES;

export const LAYER_CLASSES: Readonly<Record<ClassName, LayerClass>> = CLASSES;

/** The record of a class; undefined: the class is unknown. */
export const classOf = (className: string): LayerClass | undefined =>
  own(LAYER_CLASSES as Readonly<Record<string, LayerClass>>, className);

const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries(LAYER_CLASSES).flatMap(([name, { aliases = [] }]) => aliases.map((alias) => [alias, name] as const)),
);

/** Keras's present name of a class with an older name in a file; undefined: there is none. */
export const presentName = (className: string): string | undefined => ALIASES.get(className);

/** Classes that a topology may contain as layers of their own. */
export const KNOWN_CLASSES: ReadonlySet<string> = new Set(
  Object.entries(LAYER_CLASSES).flatMap(([name, { shape }]) => (shape ? [name] : [])),
);
