/**
 * Repairs layers that TensorFlow.js 4.22 silently computes differently from Keras, or that fail without one of their weights. Layers that it rejects
 * in training with an error still fail on its own engines; compiled engines have a form of their own for them (engine/trace/layerRepairs.ts).
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import type { LayerClass } from '../../model/layerClasses/layerClass.js';
import { classOf, type ClassName } from '../../model/layerClasses/registry.js';
import { own } from '../../model/layers/layerConfig.js';
import { UserError } from '../../protocol/errors.js';
import { allLayers } from '../layerTree.js';
import { isComputedLayer } from '../ownLayers/computedLayers.js';
import type { TensorFlow } from './tensorflow.js';

type Layer = layers.Layer;
type Repair = (layer: Layer, core: typeof Core) => void;

const single = (inputs: Core.Tensor | Core.Tensor[]): Core.Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);

/** All steps at once, as in Keras: normalised one by one, each step would have a mean of its own. */
const timeDistributed: Repair = (layer, core) => {
  const { layer: inner } = layer as unknown as { layer: Layer };
  layer.call = (inputs, kwargs) =>
    core.tidy(() => {
      const x = single(inputs);
      const [batch, time, ...sample] = x.shape as [number, number, ...number[]];
      const y = single(inner.call(core.reshape(x, [batch * time, ...sample]), kwargs));
      return core.reshape(y, [batch, time, ...y.shape.slice(1)]);
    });
};

/** Dropped values become the limit of SELU, -1.76; TensorFlow.js has the wrong sign. (Klambauer et al. 2017, section 3) */
const alphaDropout: Repair = (layer, core) => {
  const { rate, noiseShape } = layer as unknown as { rate: number; noiseShape?: number[] };
  const call = layer.call.bind(layer);
  if (!(rate > 0 && rate < 1)) return;
  const least = -1.0507009873554805 * 1.6732632423543772;
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * least ** 2));
  layer.call = (inputs, kwargs) => {
    if (kwargs['training'] !== true) return call(inputs, kwargs);
    return core.tidy(() => {
      const x = single(inputs);
      const kept = core.cast(core.greaterEqual(core.randomUniform(noiseShape ?? x.shape), rate), 'float32');
      const mixed = core.add(core.mul(x, kept), core.mul(core.sub(1, kept), least));
      return core.add(core.mul(mixed, scale), -scale * least * rate);
    });
  };
};

interface Normalization {
  readonly gamma?: layers.Layer['weights'][number] | null;
  readonly beta?: layers.Layer['weights'][number] | null;
  readonly axis: number | readonly number[];
}

/** Without scale or centre, TensorFlow.js reads missing weights in training: they become 1 and 0. */
const unscaledOrUncentred: Repair = (layer, core) => {
  const { gamma, beta, axis } = layer as unknown as Normalization;
  if (gamma && beta) return;
  const call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) =>
    core.tidy(() => {
      const { shape } = single(inputs);
      const constant = (value: number) => ({
        read: () =>
          core.fill(
            [axis].flat().map((one) => shape.at(one)!),
            value,
          ),
      });
      Object.assign(layer, { scale: true, center: true, gamma: gamma ?? constant(1), beta: beta ?? constant(0) });
      return call(inputs, kwargs);
    });
};

interface Volumes {
  readonly dataFormat: string;
  readonly padding: string;
  readonly strides: readonly number[];
  readonly poolSize?: readonly number[];
  readonly kernelSize?: readonly number[];
  readonly dilationRate?: readonly number[];
}

/**
 * If the stride is larger than the window, "same" pads nothing and reads from the first frame on; the cpu backend counts the padding as negative.
 * Rows that no window reads are cropped, so that there is no padding to count.
 */
const strideOverWindow: Repair = (layer, core) => {
  const { dataFormat, padding, strides, poolSize, kernelSize, dilationRate } = layer as unknown as Volumes;
  if (padding !== 'same') return;
  const window = (poolSize ?? kernelSize)!.map((size, i) => (size - 1) * (dilationRate?.[i] ?? 1) + 1);
  if (window.every((size, i) => size >= strides[i]!)) return;
  const call = layer.call.bind(layer);
  const first = dataFormat === 'channelsFirst' ? 2 : 1;
  layer.call = (inputs, kwargs) =>
    core.tidy(() => {
      const x = single(inputs);
      const read = x.shape.map((n, axis) => {
        const [size, stride] = [window[axis - first], strides[axis - first]];
        return size === undefined ? n : Math.min(n, (Math.ceil(n / stride!) - 1) * stride! + size);
      });
      return call(core.slice(x, new Array<number>(x.rank).fill(0), read), kwargs);
    });
};

/** The same for a transposed convolution, whose "same" then equals "valid". */
const transposedStrideOverWindow: Repair = (layer) => {
  const { padding, strides, kernelSize } = layer as unknown as Volumes;
  if (padding !== 'same' || kernelSize!.every((size, i) => size >= strides[i]!)) return;
  if (kernelSize!.some((size, i) => size > strides[i]!))
    throw new UserError(
      'model-unsupported',
      `layer "${layer.name}" is a Conv3DTranspose with strides below its kernel along one axis and beyond it along another, which TensorFlow.js computes wrongly; use a compiled engine (native-cpu, onnx-cpu)`,
    );
  Object.assign(layer, { padding: 'valid' });
};

const REPAIRS: { readonly [C in ClassName]?: Repair } = {
  TimeDistributed: timeDistributed,
  AlphaDropout: alphaDropout,
  BatchNormalization: unscaledOrUncentred,
  LayerNormalization: unscaledOrUncentred,
};
const STRIDES: { readonly [S in NonNullable<LayerClass['skipsFramesInTfjs']>]: Repair } = {
  forwards: strideOverWindow,
  backwards: transposedStrideOverWindow,
};

/**
 * Gives the layers of a new model a `call` that computes what Keras defines. @throws UserError('model-unsupported') naming the layer if there is
 * none.
 */
export function repairLayers({ core }: TensorFlow, model: { readonly layers: readonly Layer[] }): void {
  for (const layer of new Set(allLayers(model.layers))) {
    if (isComputedLayer(layer)) continue;
    const name = layer.getClassName();
    own(REPAIRS, name)?.(layer, core);
    const skips = classOf(name)?.skipsFramesInTfjs;
    if (skips) STRIDES[skips](layer, core);
  }
}
