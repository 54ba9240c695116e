/** A network for every layer class that TensorFlow.js can train, so small that finite differences are cheap. */
import * as tfl from '@tensorflow/tfjs-layers';
import type { Loss } from '../../../../daemon/engine/engine.js';

const L = tfl.layers;
export type Case = [name: string, inputShape: number[], layers: () => tfl.layers.Layer[], loss?: Loss];

/** Dense after any output, so that every gradient passes through the layer under test. */
export const head = (units = 4) => [L.flatten(), L.dense({ units })];
export const softmaxHead = (units = 4) => [L.flatten(), L.dense({ units, activation: 'softmax' })];
/** The default, orthogonal, needs operations that the Node build of TensorFlow.js does not chain. */
export const recurrentInitializer = 'zeros';
const activations = ['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'selu', 'relu6', 'softplus', 'softsign', 'swish', 'gelu', 'mish', 'hardSigmoid'] as const; // prettier-ignore

export const cases: readonly Case[] = [
  ['Dense, softmax cross-entropy', [7], () => [L.dense({ units: 5, activation: 'softmax' })], 'categoricalCrossentropy'],
  ['Softmax layer', [7], () => [L.dense({ units: 5 }), L.softmax()], 'categoricalCrossentropy'],
  ['Activation softmax', [7], () => [L.dense({ units: 5 }), L.activation({ activation: 'softmax' })], 'sparseCategoricalCrossentropy'],
  ['softmax under a squared error', [7], () => [L.dense({ units: 5, activation: 'softmax' })], 'meanSquaredError'],
  ['sigmoid, binary cross-entropy', [7], () => [L.dense({ units: 3, activation: 'sigmoid' })], 'binaryCrossentropy'],
  ['absolute error', [7], () => [L.dense({ units: 3 })], 'meanAbsoluteError'],
  ['Huber', [7], () => [L.dense({ units: 3 })], 'huber'],
  ['Dense without bias, three layers', [6], () => [L.dense({ units: 8, activation: 'relu', useBias: false }), L.dense({ units: 5, activation: 'tanh' }), L.dense({ units: 2 })]],
  ['Dense over sequences', [4, 3], () => [L.dense({ units: 5, activation: 'relu' }), L.dense({ units: 2, activation: 'softmax' })], 'categoricalCrossentropy'],
  ...activations.map((activation): Case => [`activation ${activation}`, [6], () => [L.dense({ units: 5 }), L.activation({ activation }), L.dense({ units: 3 })]]),
  ['ELU, LeakyReLU, PReLU, ReLU layers', [6], () => [L.dense({ units: 6 }), L.elu({ alpha: 1 }), L.dense({ units: 6 }), L.leakyReLU({ alpha: 0.2 }), L.prelu(), L.dense({ units: 6 }), L.reLU({ maxValue: 2 }), L.dense({ units: 2 })]],
  ['Conv2D valid', [6, 7, 2], () => [L.conv2d({ filters: 3, kernelSize: 3, activation: 'relu' }), ...softmaxHead()], 'categoricalCrossentropy'],
  ['Conv2D same, strides', [7, 6, 2], () => [L.conv2d({ filters: 3, kernelSize: [3, 2], strides: 2, padding: 'same' }), ...head()]],
  ['Conv2D valid, strides that skip rows', [8, 8, 2], () => [L.conv2d({ filters: 2, kernelSize: 3, strides: 2 }), L.conv2d({ filters: 3, kernelSize: 2, strides: 3 }), ...head()]],
  ['Conv2D same, even kernel, deep', [5, 5, 1], () => [L.conv2d({ filters: 4, kernelSize: 4, padding: 'same', activation: 'tanh' }), L.conv2d({ filters: 3, kernelSize: 3, padding: 'same', useBias: false, activation: 'relu' }), ...head()]],
  ['Conv2D of many channels, same, valid and 1 x 1', [7, 6, 8], () => [L.conv2d({ filters: 9, kernelSize: [3, 2], padding: 'same', activation: 'tanh' }), L.conv2d({ filters: 8, kernelSize: 2 }), L.conv2d({ filters: 10, kernelSize: 1 }), ...head()]],
  ['Conv2D 1x1 and strided 1x1', [5, 4, 3], () => [L.conv2d({ filters: 4, kernelSize: 1, activation: 'relu' }), L.conv2d({ filters: 2, kernelSize: 1, strides: 2 }), ...head()]],
  ['MaxPooling2D', [6, 6, 3], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.maxPooling2d({ poolSize: 2 }), ...head()]],
  ['MaxPooling2D, rest and same padding', [7, 5, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.maxPooling2d({ poolSize: 2 }), L.maxPooling2d({ poolSize: 2, padding: 'same' }), ...head()]],
  ['MaxPooling2D, overlapping', [7, 7, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.maxPooling2d({ poolSize: 3, strides: 2 }), ...head()]],
  ['AveragePooling2D', [6, 6, 3], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.averagePooling2d({ poolSize: 2 }), ...head()]],
  ['AveragePooling2D, overlapping', [7, 7, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.averagePooling2d({ poolSize: 3, strides: 2 }), ...head()]],
  ['GlobalAveragePooling2D', [5, 5, 2], () => [L.conv2d({ filters: 4, kernelSize: 3 }), L.globalAveragePooling2d({}), L.dense({ units: 3 })]],
  ['GlobalMaxPooling2D', [5, 5, 2], () => [L.conv2d({ filters: 4, kernelSize: 3 }), L.globalMaxPooling2d({}), L.dense({ units: 3 })]],
  ['ZeroPadding2D into MaxPooling2D', [5, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.zeroPadding2d({ padding: [[0, 2], [0, 2]] }), L.maxPooling2d({ poolSize: 3, strides: 1 }), L.dense({ units: 2 })]],
  ['ZeroPadding2D into AveragePooling2D', [5, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.zeroPadding2d({ padding: [[0, 2], [0, 2]] }), L.averagePooling2d({ poolSize: 3, strides: 1 }), L.dense({ units: 2 })]],
  ['ZeroPadding2D wider than the window of AveragePooling2D', [5, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.zeroPadding2d({ padding: [[2, 0], [0, 1]] }), L.averagePooling2d({ poolSize: 1, strides: 1 }), L.dense({ units: 2 })]],
  ['ZeroPadding2D, Cropping2D', [4, 5, 2], () => [L.zeroPadding2d({ padding: [[1, 2], [0, 1]] }), L.conv2d({ filters: 2, kernelSize: 2 }), L.cropping2D({ cropping: [[1, 0], [1, 1]] }), ...head()]],
  ['UpSampling2D bilinear', [4, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 2 }), L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }), L.conv2d({ filters: 2, kernelSize: 2 }), ...head()]],
  ['DepthwiseConv2D', [6, 6, 3], () => [L.conv2d({ filters: 3, kernelSize: 1 }), L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'relu' }), ...head()]],
  ['DepthwiseConv2D same, strides', [7, 6, 3], () => [L.conv2d({ filters: 3, kernelSize: 1 }), L.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same' }), ...head()]],
  ['SeparableConv2D', [6, 6, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.separableConv2d({ filters: 4, kernelSize: 3 }), ...head()]],
  ['Conv2DTranspose', [4, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }), ...head()]],
  ['Conv1D, MaxPooling1D', [9, 3], () => [L.conv1d({ filters: 4, kernelSize: 3, activation: 'relu' }), L.maxPooling1d({ poolSize: 2 }), L.conv1d({ filters: 2, kernelSize: 2 }), ...head()]],
  ['AveragePooling1D, GlobalAveragePooling1D', [8, 3], () => [L.conv1d({ filters: 4, kernelSize: 2 }), L.averagePooling1d({ poolSize: 2 }), L.globalAveragePooling1d(), L.dense({ units: 2 })]],
  ['BatchNormalization, rank 2', [6], () => [L.dense({ units: 5 }), L.batchNormalization(), L.activation({ activation: 'relu' }), L.dense({ units: 3 })]],
  ['BatchNormalization, rank 4', [5, 4, 2], () => [L.conv2d({ filters: 3, kernelSize: 2 }), L.batchNormalization({ momentum: 0.9 }), L.reLU(), L.conv2d({ filters: 2, kernelSize: 2 }), L.batchNormalization({ scale: true, epsilon: 0.01 }), ...softmaxHead()], 'categoricalCrossentropy'],
  ['LayerNormalization', [4, 5], () => [L.dense({ units: 6 }), L.layerNormalization(), ...head()]],
  ['Reshape, Permute', [12], () => [L.dense({ units: 12 }), L.reshape({ targetShape: [3, 4] }), L.permute({ dims: [2, 1] }), L.dense({ units: 2 }), ...head()]],
  ['RepeatVector, TimeDistributed', [5], () => [L.dense({ units: 3 }), L.repeatVector({ n: 4 }), L.timeDistributed({ layer: L.dense({ units: 2, activation: 'tanh' }) }), ...head()]],
  ['SimpleRNN', [4, 3], () => [L.simpleRNN({ units: 4, returnSequences: true, recurrentInitializer }), L.simpleRNN({ units: 3, recurrentInitializer }), L.dense({ units: 2 })]],
  ['LSTM', [4, 3], () => [L.lstm({ units: 4, returnSequences: true, recurrentInitializer }), L.lstm({ units: 3, recurrentActivation: 'sigmoid', recurrentInitializer }), L.dense({ units: 2 })]],
  ['GRU', [4, 3], () => [L.gru({ units: 4, recurrentInitializer }), L.dense({ units: 2, activation: 'softmax' })], 'categoricalCrossentropy'],
  ['Bidirectional LSTM', [4, 3], () => [L.bidirectional({ layer: L.lstm({ units: 3, returnSequences: true, recurrentInitializer }) as never, mergeMode: 'concat' }), ...head()]],
  ['ConvLSTM2D', [2, 5, 5, 2], () => [L.convLstm2d({ filters: 2, kernelSize: 3, recurrentInitializer }) as tfl.layers.Layer, ...head()]],
  ['Conv2D and pooling, channels first', [2, 6, 6], () => [L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst' }),  L.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }), ...head()]],
  ['Masking into a GRU', [4, 3], () => [L.masking({ maskValue: 0 }), L.gru({ units: 3, recurrentInitializer }), L.dense({ units: 2 })]],
  ['TimeDistributed Conv2D', [3, 4, 4, 2], () => [L.timeDistributed({ layer: L.conv2d({ filters: 2, kernelSize: 2, activation: 'relu' }) }), ...head()]],
  ['stacked cells, backwards', [4, 3], () => [L.rnn({ cell: [L.lstmCell({ units: 3, recurrentInitializer }), L.gruCell({ units: 2, recurrentInitializer })] as never, goBackwards: true }), L.dense({ units: 2 })]],
  ['SimpleRNN unrolled, ReLU', [4, 3], () => [L.simpleRNN({ units: 3, activation: 'relu', unroll: true, recurrentInitializer }), L.dense({ units: 2 })]],
  ['BatchNormalization over sequences', [5, 3], () => [L.dense({ units: 4 }), L.batchNormalization(), ...head()]],
  ['LayerNormalization over images', [4, 3, 2], () => [L.conv2d({ filters: 3, kernelSize: 2 }), L.layerNormalization({ axis: [1, 2, 3] }), ...head()]],
  ['Conv3D', [4, 5, 4, 2], () => [L.conv3d({ filters: 3, kernelSize: 2 }), L.conv3d({ filters: 2, kernelSize: [2, 3, 1], strides: 2, padding: 'same', activation: 'relu' }), ...head()]],
  ['MaxPooling3D', [4, 4, 4, 2], () => [L.conv3d({ filters: 2, kernelSize: 1 }), L.maxPooling3d({ poolSize: [2, 2, 2] }), ...head()]],
  ['MaxPooling3D, overlapping, same', [5, 4, 4, 2], () => [L.conv3d({ filters: 2, kernelSize: 1 }), L.maxPooling3d({ poolSize: [3, 3, 3], strides: [2, 2, 2], padding: 'same' }), ...head()]],
  ['AveragePooling3D', [4, 4, 5, 2], () => [L.conv3d({ filters: 2, kernelSize: 1 }), L.averagePooling3d({ poolSize: [2, 2, 3], strides: [1, 2, 2] }), ...head()]],
  ['Conv3D and pooling, channels first', [2, 3, 4, 4], () => [L.conv3d({ filters: 2, kernelSize: 2, dataFormat: 'channelsFirst' }), L.maxPooling3d({ poolSize: [2, 2, 2], dataFormat: 'channelsFirst' }), ...head()]],
  ['GlobalMaxPooling1D', [6, 3], () => [L.conv1d({ filters: 4, kernelSize: 2 }), L.globalMaxPooling1d(), L.dense({ units: 2 })]],
  ['Masking into an LSTM, and into what has no time', [4, 3], () => [L.masking({ maskValue: 0 }), L.lstm({ units: 3, recurrentInitializer, returnSequences: true }), L.dense({ units: 3 }), ...head()]],
  ['Bidirectional GRU, added', [4, 3], () => [L.bidirectional({ layer: L.gru({ units: 3, returnSequences: true, recurrentInitializer }) as never, mergeMode: 'sum' }), ...head()]],
  ['Bidirectional SimpleRNN, multiplied', [4, 3], () => [L.bidirectional({ layer: L.simpleRNN({ units: 3, recurrentInitializer }) as never, mergeMode: 'mul' }), L.dense({ units: 2 })]],
  ['LayerNormalization of an axis in the middle', [4, 3], () => [L.dense({ units: 3 }), L.layerNormalization({ axis: 1 }), ...head()]],
  ['PReLU shared over an image', [4, 4, 2], () => [L.conv2d({ filters: 3, kernelSize: 2 }), L.prelu({ sharedAxes: [1, 2] }), ...head()]],
  ['DepthwiseConv2D, three products a channel', [7, 7, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.depthwiseConv2d({ kernelSize: [3, 2], padding: 'same', depthMultiplier: 3 }), L.depthwiseConv2d({ kernelSize: 2, strides: 2, useBias: false }), ...head()]],
  ['Conv2DTranspose, channels first', [2, 4, 4], () => [L.conv2d({ filters: 2, kernelSize: 1, dataFormat: 'channelsFirst' }), L.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, dataFormat: 'channelsFirst' }), ...head()]],
  ['DepthwiseConv2D, SeparableConv2D, channels first', [2, 5, 5], () => [L.conv2d({ filters: 2, kernelSize: 1, dataFormat: 'channelsFirst' }), L.depthwiseConv2d({ kernelSize: 2, dataFormat: 'channelsFirst' }), L.separableConv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst' }), ...head()]],
  ['TimeDistributed over a chain into an LSTM', [3, 4, 4, 2], () => [L.timeDistributed({ layer: L.conv2d({ filters: 2, kernelSize: 2 }) }), L.timeDistributed({ layer: L.maxPooling2d({ poolSize: [2, 2] }) }), L.timeDistributed({ layer: L.flatten() }), L.lstm({ units: 2, recurrentInitializer }), L.dense({ units: 2 })]],
  ['Rescaling', [5], () => [L.rescaling({ scale: 0.1, offset: -1 }), L.dense({ units: 3 })]],
]; // prettier-ignore

/** TensorFlow.js's cpu backend has these gradients wrong (4.22): only finite differences show it. */
export const wrongInTensorFlow: readonly Case[] = [
  ['AveragePooling3D same', [5, 4, 4, 2], () => [L.conv3d({ filters: 2, kernelSize: 1 }), L.averagePooling3d({ poolSize: [2, 2, 2], padding: 'same' }), ...head()]],
  ['UpSampling2D nearest', [3, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 2 }), L.upSampling2d({ size: [2, 3] }), L.conv2d({ filters: 2, kernelSize: 2 }), ...head()]],
  ['AveragePooling2D same', [5, 5, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.averagePooling2d({ poolSize: 2, padding: 'same' }), L.averagePooling2d({ poolSize: 3, strides: 1, padding: 'same' }), ...head()]],
]; // prettier-ignore

/**
 * What TensorFlow.js loads and cannot train (or, with `instead`, not even compute: those are equal layers that it can):
 * gradients by finite differences, outputs by its inference.
 */
export const untrainableInTensorFlow: readonly [name: string, inputShape: number[], layers: () => tfl.layers.Layer[], loss?: Loss, instead?: () => tfl.layers.Layer[]][] = [
  ['ThresholdedReLU', [6], () => [L.dense({ units: 5 }), L.thresholdedReLU({ theta: 0.3 }), L.dense({ units: 2 })]],
  ['Conv3DTranspose', [3, 3, 2, 2], () => [L.conv3d({ filters: 2, kernelSize: 1 }), L.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 }) as tfl.layers.Layer, L.conv3dTranspose({ filters: 2, kernelSize: 3, padding: 'same' }) as tfl.layers.Layer, ...head()]],
  ['Conv1D, dilated', [9, 2], () => [L.conv1d({ filters: 3, kernelSize: 2, dilationRate: 2, activation: 'tanh' }), L.conv1d({ filters: 3, kernelSize: 3, dilationRate: 3, padding: 'same' }), ...head()]],
  ['Conv2D, dilated', [8, 8, 2], () => [L.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2 }), L.conv2d({ filters: 3, kernelSize: 2, dilationRate: [1, 2], padding: 'same', useBias: false }), ...head()]],
  ['Conv2D, dilated, channels first', [2, 6, 6], () => [L.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, dataFormat: 'channelsFirst', activation: 'relu' }), ...head()]],
  ['SeparableConv2D, dilated', [7, 7, 2], () => [L.separableConv2d({ filters: 3, kernelSize: 3, dilationRate: 2 }), ...head()]],
  ['BatchNormalization of the channels first', [2, 6, 6], () => [L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', padding: 'same' }), L.batchNormalization({ axis: 1 }), L.averagePooling2d({ poolSize: [2, 2], dataFormat: 'channelsFirst' }), L.globalAveragePooling2d({ dataFormat: 'channelsFirst' }), L.dense({ units: 2 })], 'meanSquaredError', () => [L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst', padding: 'same' }), L.permute({ dims: [2, 3, 1] }), L.batchNormalization(), L.averagePooling2d({ poolSize: [2, 2] }), L.globalAveragePooling2d({}), L.dense({ units: 2 })]],
  ['UpSampling2D bilinear, channels first', [2, 1, 1], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.upSampling2d({ size: [2, 2], interpolation: 'bilinear', dataFormat: 'channelsFirst' })], 'meanSquaredError', () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.permute({ dims: [2, 3, 1] }), L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }), L.permute({ dims: [3, 1, 2] })]],
  ['LSTM and ConvLSTM2D over one step', [1, 4, 3, 2], () => [L.convLstm2d({ filters: 2, kernelSize: 2, recurrentInitializer, returnSequences: true }) as tfl.layers.Layer, L.timeDistributed({ layer: L.flatten() }), L.lstm({ units: 3, recurrentInitializer }), L.dense({ units: 2 })]],
  ['Masking of what a layer computed', [4, 3], () => [L.dense({ units: 3, activation: 'relu' }), L.masking({ maskValue: 0 }), L.gru({ units: 3, recurrentInitializer }), L.dense({ units: 2 })]],
  // Strides beyond the window: TensorFlow.js takes frames 1, 3, 5 where TensorFlow, and "valid", take 0, 2, 4.
  ...(['conv3d', 'conv3dTranspose', 'maxPooling3d', 'averagePooling3d'] as const).map((kind): (typeof untrainableInTensorFlow)[number] => {
    const strided = (padding: 'same' | 'valid') => () => [
      L.conv3d({ filters: 2, kernelSize: 1 }),
      kind.startsWith('conv')
        ? (L[kind as 'conv3d']({ filters: 3, kernelSize: [1, 1, 2], strides: 2, padding }) as tfl.layers.Layer)
        : L[kind as 'maxPooling3d']({ poolSize: [1, 1, 2], strides: [2, 2, 2], padding }),
      ...head(),
    ];
    return [`${kind} same, strides beyond the window`, [4, 6, 4, 2], strided('same'), 'meanSquaredError', strided('valid')];
  }),
  ['BatchNormalization of volumes', [2, 3, 2, 2], () => [L.conv3d({ filters: 3, kernelSize: 1 }), L.batchNormalization(), ...head()], 'meanSquaredError', () => [L.conv3d({ filters: 3, kernelSize: 1 }), L.reshape({ targetShape: [12, 3] }), L.batchNormalization(), ...head()]],
  ['LayerNormalization without scale and centre', [4, 3], () => [L.dense({ units: 3 }), L.layerNormalization({ scale: false, center: false }), ...head()]],
  ['Softmax over another axis', [4, 3], () => [L.dense({ units: 3 }), L.softmax({ axis: 1 }), ...head()], 'meanSquaredError', () => [L.dense({ units: 3 }), L.permute({ dims: [2, 1] }), L.softmax({ axis: -1 }), L.permute({ dims: [2, 1] }), ...head()]],
  ['Dense over five axes', [2, 1, 2, 3, 4], () => [L.dense({ units: 3, activation: 'tanh' }), ...head()], 'meanSquaredError', () => [L.reshape({ targetShape: [12, 4] }), L.dense({ units: 3, activation: 'tanh' }), ...head()]],
  ['UpSampling2D bilinear, by unequal factors', [3, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 2 }), L.upSampling2d({ size: [2, 3], interpolation: 'bilinear' }), ...head()]],
]; // prettier-ignore

/** Layers that draw random numbers while they train. */
export const noisy: readonly Case[] = [
  ['Dropout', [6], () => [L.dense({ units: 8 }), L.dropout({ rate: 0.4 }), L.dense({ units: 2 })]],
  ['Dropout of whole rows', [4, 3], () => [L.dense({ units: 5 }), L.dropout({ rate: 0.4, noiseShape: [null as never, 1, 5] }), ...head()]],
  ['SpatialDropout1D', [4, 3], () => [L.dense({ units: 5 }), L.spatialDropout1d({ rate: 0.4 }), ...head()]],
  ['GaussianNoise', [6], () => [L.dense({ units: 5 }), L.gaussianNoise({ stddev: 0.4 }), L.dense({ units: 2 })]],
  ['GaussianDropout', [6], () => [L.dense({ units: 5 }), L.gaussianDropout({ rate: 0.4 }), L.dense({ units: 2 })]],
  ['AlphaDropout', [6], () => [L.dense({ units: 8, activation: 'selu' }), L.alphaDropout({ rate: 0.4 }), L.dense({ units: 2 })]],
  ['LSTM with dropout', [4, 3], () => [L.lstm({ units: 3, recurrentInitializer, dropout: 0.3, recurrentDropout: 0.2 }), L.dense({ units: 2 })]],
  ['GRU with dropout', [4, 3], () => [L.gru({ units: 3, recurrentInitializer, dropout: 0.3, recurrentDropout: 0.2 }), L.dense({ units: 2 })]],
]; // prettier-ignore

export const chain = (inputShape: number[], layers: tfl.layers.Layer[]) => {
  const input = tfl.input({ shape: inputShape });
  return tfl.model({
    inputs: input,
    outputs: layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input),
  });
};
