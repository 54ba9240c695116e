/** Bilinear UpSampling2D as in Keras. Does not import TensorFlow.js, because there may be several instances of it. */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { halfPixelLayers } from '../model/normalise/bilinearUpSampling.js';
import type { Topology } from '../model/model.js';
import { resizeWeights } from '../network/resizeWeights.js';
import { allLayers } from './layerTree.js';

type Layer = layers.Layer;
export type Resize = (core: typeof Core, images: Core.Tensor4D, size: [number, number]) => Core.Tensor4D;

/** One operation, for backends whose gradient of it uses its settings. */
export const byKernel: Resize = (core, images, size) => core.image.resizeBilinear(images, size, false, true);

/** Products with the weights of each pixel in each output: on the cpu backend, the gradient of resizeBilinear ignores half-pixel centres. */
export const byProducts: Resize = (core, images, [height, width]) => {
  const [batch, h, w, channels] = images.shape;
  const weights = (from: number, to: number) =>
    core.tensor2d(resizeWeights({ alignCorners: false, halfPixelCenters: true }, from, to, true), [to, from]);
  const along = (x: Core.Tensor, from: number, to: number, rest: number) =>
    core.matMul(core.tile(core.expandDims(weights(from, to)), [x.size / (from * rest), 1, 1]), core.reshape(x, [-1, from, rest])); // prettier-ignore
  const tall = along(images, h, height, w * channels);
  return core.reshape(along(tall, w, width, channels), [batch, height, width, channels]);
}; // prettier-ignore

/** Gives the layers that the topology marks (model/normalise/bilinearUpSampling.ts) a `call` that interpolates between pixels' centres. */
export function useHalfPixelCentres(
  core: typeof Core,
  resize: Resize,
  model: { readonly layers: readonly Layer[] },
  topology: Topology,
): void {
  const names = halfPixelLayers(topology);
  for (const layer of new Set(allLayers(model.layers))) {
    if (!names.has(layer.name) || layer.getClassName() !== 'UpSampling2D') continue;
    const { size, dataFormat } = layer as unknown as { size: [number, number]; dataFormat: string };
    const first = dataFormat === 'channelsFirst';
    layer.call = (inputs) =>
      core.tidy(() => {
        const given = (Array.isArray(inputs) ? inputs[0] : inputs) as Core.Tensor4D;
        const x = first ? core.transpose(given, [0, 2, 3, 1]) : given;
        const y = resize(core, x, [size[0] * x.shape[1], size[1] * x.shape[2]]);
        return first ? core.transpose(y, [0, 3, 1, 2]) : y;
      });
  }
}
