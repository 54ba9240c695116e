/** Each layer class in several settings. */
import { registerOwnLayers } from '../../../../daemon/engine/ownLayers/ownLayers.js';
import { tf, tfl } from '../tfjs.js';

const L = tfl.layers;
type Layer = tfl.layers.Layer;
registerOwnLayers(tf, tfl);

/** A layer that TensorFlow.js builds from a file alone. */
const fromFile = (className: string, config: object): Layer => {
  const [own, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  return fromConfig(own, config as tf.serialization.ConfigDict) as unknown as Layer;
};

/** By class: the shapes of the inputs, and the layer. */
export const layerCases: Record<string, [number[] | number[][], () => Layer][]> = {
  Dense: [
    [[5], () => L.dense({ units: 3 })],
    [[4, 5], () => L.dense({ units: 3, useBias: false })],
  ],
  Conv1D: [
    [[12, 3], () => L.conv1d({ filters: 4, kernelSize: 5 })],
    [[12, 3], () => L.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', useBias: false })],
    [[12, 3], () => L.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2 })],
    [[12, 3], () => fromFile('Conv1D', { name: 'causal', filters: 4, kernelSize: 3, dilationRate: 2, padding: 'causal' })],
  ],
  Conv2D: [
    [[9, 8, 3], () => L.conv2d({ filters: 4, kernelSize: [3, 2] })],
    [[9, 8, 3], () => L.conv2d({ filters: 4, kernelSize: 3, strides: [2, 3], padding: 'same' })],
    [[9, 8, 3], () => L.conv2d({ filters: 4, kernelSize: 3, dilationRate: [2, 2], useBias: false })],
    [[3, 9, 8], () => L.conv2d({ filters: 4, kernelSize: 3, dataFormat: 'channelsFirst' })],
  ],
  Conv3D: [[[5, 6, 7, 2], () => L.conv3d({ filters: 3, kernelSize: [2, 3, 3], strides: [1, 2, 1] })]],
  Conv2DTranspose: [
    [[5, 6, 3], () => L.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2 })],
    [[5, 6, 3], () => L.conv2dTranspose({ filters: 4, kernelSize: [2, 5], strides: [3, 2], padding: 'same' })],
  ],
  Conv3DTranspose: [[[3, 4, 5, 2], () => L.conv3dTranspose({ filters: 3, kernelSize: 3, strides: 2 })]],
  DepthwiseConv2D: [
    [[9, 8, 3], () => L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: [2, 2] })],
    [[9, 8, 3], () => L.depthwiseConv2d({ kernelSize: [3, 3], padding: 'same', useBias: false })],
  ],
  SeparableConv2D: [
    [[9, 8, 3], () => L.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 })],
    [[9, 8, 3], () => L.separableConv2d({ filters: 5, kernelSize: 3, padding: 'same', useBias: false })],
  ],
  MaxPooling1D: [[[11, 3], () => L.maxPooling1d({ poolSize: 3, strides: 2 })]],
  AveragePooling1D: [[[11, 3], () => L.averagePooling1d({ poolSize: 2, padding: 'same' })]],
  MaxPooling2D: [
    [[9, 7, 3], () => L.maxPooling2d({ poolSize: [2, 3] })],
    [[9, 7, 3], () => L.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })],
  ],
  AveragePooling2D: [[[9, 7, 3], () => L.averagePooling2d({ poolSize: 1, strides: 2 })]],
  MaxPooling3D: [[[6, 7, 8, 2], () => L.maxPooling3d({ poolSize: [2, 2, 3] })]],
  AveragePooling3D: [[[6, 7, 8, 2], () => L.averagePooling3d({ poolSize: 2, strides: [1, 2, 3] })]],
  GlobalAveragePooling1D: [[[7, 3], () => L.globalAveragePooling1d()]],
  GlobalMaxPooling1D: [[[7, 3], () => L.globalMaxPooling1d()]],
  GlobalAveragePooling2D: [
    [[7, 6, 3], () => L.globalAveragePooling2d({})],
    [[3, 7, 6], () => L.globalAveragePooling2d({ dataFormat: 'channelsFirst' })],
  ],
  GlobalMaxPooling2D: [[[7, 6, 3], () => L.globalMaxPooling2d({})]],
  ZeroPadding2D: [
    [[7, 6, 3], () => L.zeroPadding2d({ padding: [[1, 2], [3, 0]] })],
    [[7, 6, 3], () => L.zeroPadding2d({ padding: [2, 1] })],
    [[3, 7, 6], () => L.zeroPadding2d({ padding: 1, dataFormat: 'channelsFirst' })],
  ], // prettier-ignore
  Cropping2D: [
    [[7, 6, 3], () => L.cropping2D({ cropping: [[1, 2], [0, 3]] })],
    [[7, 6, 3], () => L.cropping2D({ cropping: 1 })],
  ], // prettier-ignore
  UpSampling2D: [[[4, 5, 3], () => L.upSampling2d({ size: [2, 3] })]],
  Rescaling: [[[4, 5, 3], () => L.rescaling({ scale: 0.5, offset: 1 })]],
  Flatten: [[[4, 5, 3], () => L.flatten()]],
  Reshape: [
    [[4, 6], () => L.reshape({ targetShape: [3, 8] })],
    [[4, 6], () => L.reshape({ targetShape: [2, -1, 3] })],
  ],
  Permute: [[[4, 5, 3], () => L.permute({ dims: [3, 1, 2] })]],
  RepeatVector: [[[4], () => L.repeatVector({ n: 3 })]],
  Embedding: [
    [[7], () => L.embedding({ inputDim: 20, outputDim: 4 })],
    [[7], () => L.embedding({ inputDim: 20, outputDim: 4, inputLength: 7, maskZero: true })],
  ],
  Masking: [[[7, 2], () => L.masking({ maskValue: 0 })]],
  Add: [[[[4, 3], [4, 3]], () => L.add()]],
  Multiply: [[[[4, 3], [4, 1]], () => L.multiply()]],
  Average: [[[[4, 3], [4, 3], [4, 3]], () => L.average()]],
  Maximum: [[[[4, 3], [4, 3]], () => L.maximum()]],
  Minimum: [[[[5], [5]], () => L.minimum()]],
  Concatenate: [
    [[[4, 3], [4, 2]], () => L.concatenate()],
    [[[4, 3], [5, 3]], () => L.concatenate({ axis: 1 })],
  ],
  Dot: [
    [[[4], [4]], () => L.dot({ axes: -1 })],
    [[[4, 3], [3, 5]], () => L.dot({ axes: [2, 1] })],
  ],
  SimpleRNN: [
    [[6, 3], () => L.simpleRNN({ units: 4 }) as Layer],
    [[6, 3], () => L.simpleRNN({ units: 4, returnSequences: true, useBias: false }) as Layer],
  ],
  GRU: [
    [[6, 3], () => L.gru({ units: 4, returnSequences: true }) as Layer],
    [[6, 3], () => fromFile('GRU', { name: 'after', units: 4, resetAfter: true })],
    [[6, 3], () => fromFile('GRU', { name: 'after', units: 4, resetAfter: true, useBias: false })],
  ],
  Conv1DTranspose: [
    [[6, 3], () => fromFile('Conv1DTranspose', { name: 'c', filters: 4, kernel_size: [3], strides: [2] })],
    [[6, 3], () => fromFile('Conv1DTranspose', { name: 'c', filters: 4, kernel_size: [3], padding: 'same', strides: [2], output_padding: [1] })],
  ],
  DepthwiseConv1D: [[[6, 3], () => fromFile('DepthwiseConv1D', { name: 'c', kernel_size: [3], depth_multiplier: 2 })]],
  SeparableConv1D: [[[6, 3], () => fromFile('SeparableConv1D', { name: 'c', filters: 4, kernel_size: [3], padding: 'same' })]],
  LocallyConnected1D: [[[6, 3], () => fromFile('LocallyConnected1D', { name: 'c', filters: 4, kernel_size: [3] })]],
  LocallyConnected2D: [[[6, 5, 3], () => fromFile('LocallyConnected2D', { name: 'c', filters: 4, kernel_size: [3, 2], strides: [2, 1] })]],
  AdaptiveAveragePooling1D: [[[6, 3], () => fromFile('AdaptiveAveragePooling1D', { name: 'p', output_size: [4] })]],
  AdaptiveAveragePooling2D: [[[6, 5, 3], () => fromFile('AdaptiveAveragePooling2D', { name: 'p', output_size: [4, 2] })]],
  AdaptiveAveragePooling3D: [[[6, 5, 4, 3], () => fromFile('AdaptiveAveragePooling3D', { name: 'p', output_size: [4, 2, 1] })]],
  AdaptiveMaxPooling1D: [[[3, 6], () => fromFile('AdaptiveMaxPooling1D', { name: 'p', output_size: [4], data_format: 'channels_first' })]],
  AdaptiveMaxPooling2D: [[[6, 5, 3], () => fromFile('AdaptiveMaxPooling2D', { name: 'p', output_size: [4, 2] })]],
  AdaptiveMaxPooling3D: [[[6, 5, 4, 3], () => fromFile('AdaptiveMaxPooling3D', { name: 'p', output_size: [4, 2, 1] })]],
  GlobalAveragePooling3D: [[[6, 5, 4, 3], () => fromFile('GlobalAveragePooling3D', { name: 'p' })]],
  GlobalMaxPooling3D: [[[6, 5, 4, 3], () => fromFile('GlobalMaxPooling3D', { name: 'p' })]],
  UpSampling1D: [[[4, 3], () => fromFile('UpSampling1D', { name: 'u', size: 3 })]],
  UpSampling3D: [[[4, 3, 2, 2], () => fromFile('UpSampling3D', { name: 'u', size: [1, 2, 3] })]],
  UnitNormalization: [[[4, 3], () => fromFile('UnitNormalization', { name: 'n' })]],
  RMSNormalization: [[[4, 3], () => fromFile('RMSNormalization', { name: 'n', axis: [1, 2] })]],
  EinsumDense: [[[4, 3], () => fromFile('EinsumDense', { name: 'e', equation: 'abc,cde->abde', output_shape: [null, 2, 5], bias_axes: 'e' })]],
  GroupNormalization: [
    [[4, 6], () => fromFile('GroupNormalization', { name: 'g', groups: 3 })],
    [[6, 4, 3], () => fromFile('GroupNormalization', { name: 'g', groups: -1, axis: 1, scale: false })],
  ],
  ZeroPadding1D: [
    [[4, 3], () => fromFile('ZeroPadding1D', { name: 'p' })],
    [[4, 3], () => fromFile('ZeroPadding1D', { name: 'p', padding: [0, 2] })],
  ],
  ZeroPadding3D: [
    [[4, 3, 2, 2], () => fromFile('ZeroPadding3D', { name: 'p' })],
    [[2, 4, 3, 2], () => fromFile('ZeroPadding3D', { name: 'p', padding: [[1, 0], 2, [0, 3]], dataFormat: 'channelsFirst' })],
  ],
  Cropping1D: [
    [[4, 3], () => fromFile('Cropping1D', { name: 'c' })],
    [[4, 3], () => fromFile('Cropping1D', { name: 'c', cropping: [0, 2] })],
  ],
  Cropping3D: [
    [[4, 3, 5, 2], () => fromFile('Cropping3D', { name: 'c' })],
    [[2, 4, 6, 5], () => fromFile('Cropping3D', { name: 'c', cropping: [[1, 0], 2, [0, 3]], dataFormat: 'channelsFirst' })],
  ],
  Normalization: [
    [[4, 3], () => fromFile('Normalization', { name: 'n' })],
    [[4, 3], () => fromFile('Normalization', { name: 'n', axis: [2, 1] })],
    [[4, 3], () => fromFile('Normalization', { name: 'n', axis: null, invert: true })],
    [[4, 3], () => fromFile('Normalization', { name: 'n', axis: 1, mean: [1, 2, 3, 4], variance: [1, 1, 2, 2] })],
  ],
  LSTM: [
    [[6, 3], () => L.lstm({ units: 4 }) as Layer],
    [[6, 3], () => L.lstm({ units: 4, returnSequences: true, useBias: false }) as Layer],
  ],
  RNN: [
    [[6, 3], () => L.rnn({ cell: L.lstmCell({ units: 4 }) }) as Layer],
    [[6, 3], () => L.rnn({ cell: [L.gruCell({ units: 5 }), L.lstmCell({ units: 4 })] as never, returnSequences: true }) as Layer],
  ],
  ConvLSTM2D: [
    [[4, 8, 9, 2], () => L.convLstm2d({ filters: 3, kernelSize: 3 }) as Layer],
    [[4, 8, 9, 2], () => L.convLstm2d({ filters: 3, kernelSize: [2, 3], padding: 'same', returnSequences: true }) as Layer],
  ],
  TimeDistributed: [
    [[5, 4], () => L.timeDistributed({ layer: L.dense({ units: 3 }) })],
    [[5, 8, 8, 2], () => L.timeDistributed({ layer: L.conv2d({ filters: 3, kernelSize: 3 }) })],
  ],
  Bidirectional: [
    [[6, 3], () => L.bidirectional({ layer: L.lstm({ units: 4 }) as tfl.RNN, mergeMode: 'concat' })],
    [[6, 3], () => L.bidirectional({ layer: L.gru({ units: 4, returnSequences: true }) as tfl.RNN, mergeMode: 'sum' })],
  ],
  BatchNormalization: [
    [[7, 6, 3], () => L.batchNormalization()],
    [[7, 6, 3], () => L.batchNormalization({ axis: 1, scale: false })],
    [[5], () => L.batchNormalization({ center: false })],
  ],
  LayerNormalization: [
    [[6, 3], () => L.layerNormalization()],
    [[6, 3], () => L.layerNormalization({ axis: [1, 2], center: false })],
  ],
  PReLU: [
    [[6, 3], () => L.prelu()],
    [[6, 5, 3], () => L.prelu({ sharedAxes: [1, 2] })],
  ],
  ReLU: [[[4], () => L.reLU({ maxValue: 6 })]],
  LeakyReLU: [[[4], () => L.leakyReLU({ alpha: 0.1 })]],
  ELU: [[[4], () => L.elu()]],
  ThresholdedReLU: [[[4], () => L.thresholdedReLU({ theta: 0.5 })]],
  Softmax: [[[4], () => L.softmax()]],
  Activation: [[[4, 2], () => L.activation({ activation: 'hardSigmoid' })]],
  Dropout: [[[4, 2], () => L.dropout({ rate: 0.5 })]],
  SpatialDropout1D: [[[4, 2], () => L.spatialDropout1d({ rate: 0.5 })]],
  GaussianNoise: [[[4], () => L.gaussianNoise({ stddev: 0.1 })]],
  GaussianDropout: [[[4], () => L.gaussianDropout({ rate: 0.1 })]],
  AlphaDropout: [[[4], () => L.alphaDropout({ rate: 0.1 })]],
  InputLayer: [[[4, 3], () => L.dense({ units: 2 })]],
}; // prettier-ignore
