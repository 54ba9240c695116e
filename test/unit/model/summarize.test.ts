import { describe, expect, it } from 'vitest';
import { summarizeModel } from '../../../daemon/model/summarize.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import { KNOWN_CLASSES } from '../../../daemon/model/layerClasses/registry.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import { registerOwnLayers } from '../../../daemon/engine/ownLayers/ownLayers.js';
import { tf, tfl } from './tfjs.js';

const L = tfl.layers;
type Layer = tfl.layers.Layer;
registerOwnLayers(tf, tfl);
/** A layer that TensorFlow.js builds from a file alone. */
const fromFile = (className: string, config: object): Layer => {
  const [own, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  return fromConfig(own, config as tf.serialization.ConfigDict) as unknown as Layer;
};
/** Input shapes and the layer: each class in several settings. */
const cases: Record<string, [number[] | number[][], () => Layer][]> = {
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

const functional = (shapes: number[] | number[][], layer: Layer): tfl.LayersModel => {
  const list = Array.isArray(shapes[0]) ? (shapes as number[][]) : [shapes as number[]];
  const inputs = list.map((shape) => tfl.input({ shape }));
  return tfl.model({ inputs, outputs: layer.apply(inputs.length > 1 ? inputs : inputs[0]!) as tfl.SymbolicTensor });
};

const topologyOf = (model: tfl.LayersModel): unknown => model.toJSON(null, false);

/** Exactly what TensorFlow.js says of a model it rebuilds from the topology. */
async function check(model: tfl.LayersModel): Promise<void> {
  const { topology } = normaliseTopology(topologyOf(model), 'model.json', false);
  const rebuilt = await tfl.models.modelFromJSON(topology as never);
  const graph = modelGraph(topology);
  const weights = new Map(
    rebuilt.weights.map((w) => [(w as unknown as { originalName: string }).originalName, w.shape]),
  );
  const ours = graph.layers.flatMap((node) => node.weights);
  expect(new Map(ours.map((w) => [w.name, w.shape]))).toEqual(weights);
  // What it really computes: its own outputShape is wrong for some classes and vague for others.
  const zeros = graph.inputShapes.map((shape) => tf.zeros([2, ...(shape as number[])]));
  const outputs = [rebuilt.predict(zeros)].flat();
  expect(graph.outputShapes.map((shape) => [2, ...(shape as number[])])).toEqual(outputs.map((output) => output.shape));
  tf.dispose([zeros, outputs]);
  const rows = summarizeModel({ topology });
  expect(rows.reduce((sum, row) => sum + row.params, 0)).toBe(rebuilt.countParams());
  const trainable = rows
    .flatMap((row) => row.weights)
    .filter((w) => w.trainable)
    .map((w) => w.name);
  expect(new Set(trainable)).toEqual(
    new Set(rebuilt.trainableWeights.map((w) => (w as unknown as { originalName: string }).originalName)),
  );
  tf.disposeVariables();
}

describe('shapes and weights of every layer class, against TensorFlow.js', () => {
  for (const [name, variants] of Object.entries(cases)) {
    variants.forEach(([shapes, layer], i) =>
      it(`${name} ${i + 1}`, async () => {
        await check(functional(shapes, layer()));
      }),
    );
  }

  it('covers every class with a rule, and TensorFlow.js has each of them', async () => {
    const tested = new Set(
      Object.entries(cases)
        .filter(([, list]) => list.length > 0)
        .map(([name]) => name),
    );
    // CenterCrop and Resizing are dropped or refused before TensorFlow.js sees them.
    const rest = [...KNOWN_CLASSES].filter((name) => !tested.has(name));
    // Operations have tests of their own (operations/).
    expect(rest.sort()).toEqual(['CenterCrop', 'Operation', 'Resizing']);
    const registered = tf.serialization.SerializationMap.getMap().classNameMap;
    for (const name of KNOWN_CLASSES) if (name !== 'Operation') expect(name in registered, name).toBe(true);
  });

  it('recurrent layers that return their states', async () => {
    for (const layer of [
      L.lstm({ units: 4, returnState: true, returnSequences: true }),
      L.gru({ units: 3, returnState: true }),
      L.bidirectional({ layer: L.lstm({ units: 4 }) as tfl.RNN, mergeMode: null as never }),
    ]) {
      const input = tfl.input({ shape: [6, 3] });
      await check(tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor[] }));
    }
  });

  it('a frozen layer has no trainable weights', async () => {
    await check(functional([4], L.dense({ units: 3, trainable: false })));
  });

  it('unknown sizes stay unknown and settle by the weights', () => {
    const model = tfl.sequential({
      layers: [L.embedding({ inputDim: 9, outputDim: 4 }), L.lstm({ units: 5 }) as Layer, L.dense({ units: 2 })],
    });
    const rows = summarizeModel({ topology: topologyOf(model) as never });
    expect(rows.map((row) => row.outputShape)).toEqual([[null, 4], [5], [2]]);
    expect(rows.at(-1)!.weights[0]!.shape).toEqual([5, 2]);
  });
});

describe('whole models', () => {
  const encoder = (): tfl.LayersModel => {
    const input = tfl.input({ shape: [8, 8, 2], name: 'image' });
    const conv = L.conv2d({ filters: 3, kernelSize: 3, name: 'inner_conv' }).apply(input);
    return tfl.model({ inputs: input, outputs: L.flatten({ name: 'inner_flatten' }).apply(conv) as tfl.SymbolicTensor, name: 'encoder' });
  };

  it('nested models are flattened and shared ones counted per call', async () => {
    const shared = encoder();
    const [a, b] = [tfl.input({ shape: [8, 8, 2] }), tfl.input({ shape: [8, 8, 2] })];
    const merged = L.concatenate().apply([shared.apply(a), shared.apply(b)] as tfl.SymbolicTensor[]);
    const model = tfl.model({ inputs: [a, b], outputs: L.dense({ units: 4 }).apply(merged) as tfl.SymbolicTensor });
    await check(model);
    const rows = summarizeModel({ topology: normaliseTopology(topologyOf(model), 'm', false).topology });
    const conv = rows.find((row) => row.name === 'encoder/inner_conv')!;
    expect(conv.outputShape).toEqual([6, 6, 3]);
    // 3*3*2*3 weights, 36 positions, 2 FLOPs, two calls.
    expect(conv.flops).toBe(54 * 36 * 2 * 2);
    expect(conv.flopsPerWeight).toBe(144);
  });

  it('a Sequential inside a Sequential, and a model over time', async () => {
    const inner = tfl.sequential({ name: 'inner', layers: [L.dense({ units: 5, inputShape: [4], name: 'inner_a' }), L.dense({ units: 3, name: 'inner_b' })] });
    await check(tfl.sequential({ layers: [inner as unknown as Layer, L.dense({ units: 2 })] }));
    const over = tfl.sequential({ name: 'over', layers: [L.dense({ units: 5, inputShape: [4], name: 'over_a' })] });
    await check(tfl.sequential({ layers: [L.timeDistributed({ layer: over as unknown as Layer, inputShape: [7, 4] })] }));
  });

  it('FLOPs by hand', () => {
    const model = tfl.sequential({
      layers: [
        L.conv2d({ filters: 20, kernelSize: 5, inputShape: [28, 28, 1] }),
        L.maxPooling2d({ poolSize: 2 }),
        L.depthwiseConv2d({ kernelSize: 3 }),
        L.flatten(),
        L.dense({ units: 10 }),
      ],
    });
    const rows = summarizeModel({ topology: topologyOf(model) as never });
    expect(rows.map((row) => row.flops)).toEqual([2 * 500 * 576, 0, 2 * 180 * 100, 0, 2 * 20000]);
    expect(rows.map((row) => row.prunable)).toEqual([500, 0, 180, 0, 20000]);
    expect(rows[0]!.flopsPerWeight).toBe(2 * 24 * 24);
  });
}); // prettier-ignore
