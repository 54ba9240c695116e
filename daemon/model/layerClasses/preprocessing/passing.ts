/** Layers that are the identity in inference: on reading, each becomes a linear Activation. */
import type { LayerJson } from '../../layers/layerConfig.js';
import type { LayerClass, Note } from '../layerClass.js';

const becomesIdentity =
  (change: (className: string) => string) =>
  (layer: LayerJson, note: Note): void => {
    const { name, trainable, batch_input_shape: shape } = layer.config;
    note(change(layer.class_name));
    layer.class_name = 'Activation';
    layer.config = {
      name,
      trainable: trainable ?? true,
      activation: 'linear',
      ...(shape === undefined ? {} : { batch_input_shape: shape }),
    };
  };

/** The identity outside of training, with the same shape. */
const augmentation: LayerClass = {
  rewrite: becomesIdentity((name) => `augmentation (${name}) was replaced by the identity; use "augment" in the plan`),
};

const passing: LayerClass = { rewrite: becomesIdentity((name) => `${name} became a linear Activation`), mask: 'pass' };

export const PASSING = {
  Identity: passing,
  ActivityRegularization: passing,
  RandomFlip: augmentation,
  RandomRotation: augmentation,
  RandomZoom: augmentation,
  RandomTranslation: augmentation,
  RandomContrast: augmentation,
  RandomBrightness: augmentation,
  RandomHeight: augmentation,
  RandomWidth: augmentation,
  RandomShear: augmentation,
  RandomHue: augmentation,
  RandomSaturation: augmentation,
  RandomSharpness: augmentation,
  RandomGrayscale: augmentation,
  RandomColorDegeneration: augmentation,
  RandomColorJitter: augmentation,
  RandomGaussianBlur: augmentation,
  RandomErasing: augmentation,
  RandomInvert: augmentation,
  RandomPosterization: augmentation,
  RandomPerspective: augmentation,
  RandomElasticTransform: augmentation,
  RandomAutoContrast: augmentation,
  RandAugment: augmentation,
  AugMix: augmentation,
  CutMix: augmentation,
  MixUp: augmentation,
  Equalization: augmentation,
  Solarization: augmentation,
} satisfies Record<string, LayerClass>;
