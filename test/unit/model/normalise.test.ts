import { describe, expect, it } from 'vitest';
import { UserError } from '../../../daemon/protocol/errors.js';
import { calledInInference } from '../../../daemon/model/normalise/callModes.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import { Notes } from '../../../daemon/model/notes.js';
import { assignWeights, nameCandidates } from '../../../daemon/model/files/weightNames.js';
import { tf, tfl } from './tfjs.js';

type Json = Record<string, unknown>;
const layer = (class_name: string, config: Json = {}): Json => ({ class_name, config: { name: 'x', ...config } });
const input = (shape: (number | null)[]): Json => ({
  class_name: 'InputLayer',
  config: { name: 'in', batch_input_shape: [null, ...shape] },
});
const stack = (...layers: Json[]): Json => ({ class_name: 'Sequential', config: { name: 's', layers } });
const normalise = (topology: unknown, keras = true) => normaliseTopology(topology, 'm.json', keras);
/** The config of layer "x" after reading, and the notes. */
const read = (topology: unknown): { config: Json; className: string; notes: string } => {
  const { topology: out, notes } = normalise(topology);
  const found = modelGraph(out).layers.find((node) => node.path === 'x')!;
  return { config: found.layer.config, className: found.layer.class_name, notes: notes.join('\n') };
};
const refusal = (topology: unknown): UserError => {
  let error: unknown;
  try {
    normalise(topology);
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).not.toContain('\n');
  expect((error as UserError).message).toMatch(/^m\.json: /);
  return error as UserError;
};
const loads = async (topology: unknown): Promise<tfl.LayersModel> =>
  tfl.models.modelFromJSON(normalise(topology).topology as never);

describe('rewrites, each with a note', () => {
  const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'mixed_float16' }, registered_name: null };
  const cases: [string, Json, (config: Json) => void, RegExp][] = [
    ['batch_shape', layer('Dense', { units: 2, batch_shape: [null, 3] }), (c) => expect(c.batch_input_shape).toEqual([null, 3]), /batch_shape became batch_input_shape: x/],
    ['both shapes', layer('Dense', { units: 2, batch_shape: [null, 4], batch_input_shape: [null, 3] }), (c) => expect(c.batch_input_shape).toEqual([null, 3]), /differ/],
    ['a fixed batch', layer('Dense', { units: 2, batch_input_shape: [32, 3] }), (c) => expect(c.batch_input_shape).toEqual([null, 3]), /fixed batch size 32/],
    ['dtype policy', layer('Dense', { units: 2, dtype: policy, input_dim: 3 }), (c) => expect(c.dtype).toBe('float32'), /mixed_float16 became float32/],
    ['L2', layer('Dense', { units: 2, input_dim: 3, kernel_regularizer: { class_name: 'L2', config: { l2: 0.5 } } }), (c) => expect(c.kernel_regularizer).toEqual({ class_name: 'L1L2', config: { l1: 0, l2: 0.5 } }), /L2 became L1L2/],
    ['silu', layer('Dense', { units: 2, input_dim: 3, activation: 'silu' }), (c) => expect(c.activation).toBe('swish'), /silu became swish/],
    ['activation object', layer('Dense', { units: 2, input_dim: 3, activation: { class_name: 'function', config: 'relu', module: 'builtins' } }), (c) => expect(c.activation).toBe('relu'), /objects became names/],
    ['initializer', layer('Dense', { units: 2, input_dim: 3, kernel_initializer: { class_name: 'MyInit', config: {} } }), (c) => expect(c.kernel_initializer).toEqual({ class_name: 'Zeros', config: {} }), /Zeros/],
    ['LecunNormal', layer('Dense', { units: 2, input_dim: 3, kernel_initializer: { module: 'keras.initializers', class_name: 'LecunNormal', config: { seed: null } } }), (c) => expect(c.kernel_initializer).toEqual({ class_name: 'LeCunNormal', config: { seed: null } }), /^$/],
    ['negative_slope', layer('LeakyReLU', { negative_slope: 0.2, batch_input_shape: [null, 3] }), (c) => expect(c.alpha).toBe(0.2), /negative_slope became alpha/],
    ['ReLU threshold', layer('ReLU', { negative_slope: 0, max_value: null, threshold: 0.4, batch_input_shape: [null, 3] }), (c) => expect(c.theta).toBe(0.4), /ReLU with a threshold became ThresholdedReLU/],
    ['a type of tokens', layer('Embedding', { input_dim: 4, output_dim: 2, input_length: 3, dtype: 'int32' }), (c) => expect(c.dtype).toBe('float32'), /type of an Embedding became float32/],
    ['a kernel that separable convolutions lack', layer('SeparableConv2D', { filters: 2, kernel_size: 2, kernel_initializer: 'zeros', kernel_regularizer: null, batch_input_shape: [null, 4, 4, 1] }), (c) => expect(Object.keys(c).filter((key) => key.startsWith('kernel_'))).toEqual(['kernel_size']), /settings of a kernel/],
    ['ReLU slope', layer('ReLU', { negative_slope: { class_name: '__numpy__', config: { value: 0.25 } }, max_value: null, threshold: 0, batch_input_shape: [null, 3] }), (c) => expect(c.alpha).toBe(0.25), /ReLU with a negative_slope became LeakyReLU/],
    ['ndarray alpha', layer('LeakyReLU', { alpha: { type: 'ndarray', value: 0.1 }, batch_input_shape: [null, 3] }), (c) => expect(c.alpha).toBe(0.1), /^$/],
    ['axis list', layer('BatchNormalization', { axis: [1], batch_input_shape: [null, 3] }), (c) => expect(c.axis).toBe(1), /axis in a list/],
    ['RandomFlip', layer('RandomFlip', { mode: 'horizontal', batch_input_shape: [null, 4, 4, 1] }), (c) => expect(c.activation).toBe('linear'), /RandomFlip.*identity/],
    ['SpatialDropout2D', layer('SpatialDropout2D', { rate: 0.5, batch_input_shape: [null, 4, 4, 3] }), (c) => expect(c.noise_shape).toEqual([null, 1, 1, null]), /SpatialDropout became Dropout/],
    ['stateful', layer('LSTM', { units: 2, stateful: true, batch_input_shape: [8, 4, 3] }), (c) => expect(c.stateful).toBe(false), /stateful became false/],
    ['Resizing to the same size', layer('Resizing', { height: 4, width: 4, batch_input_shape: [null, 4, 4, 3] }), (c) => expect(c.activation).toBe('linear'), /Resizing to the size it has/],
    ['Flatten of what is flat', layer('Flatten', { batch_input_shape: [null, 3] }), (c) => expect(c.activation).toBe('linear'), /Flatten of what is flat/],
    ['layer as activation', layer('Activation', { activation: { class_name: 'LeakyReLU', config: { negative_slope: 0.1 } }, batch_input_shape: [null, 3] }), (c) => expect(c.alpha).toBe(0.1), /layer given as an activation/],
    ['tuples', layer('Reshape', { target_shape: { class_name: '__tuple__', items: [3, 1] }, batch_input_shape: { class_name: 'TensorShape', items: [null, 3] } }), (c) => expect(c.target_shape).toEqual([3, 1]), /^$/],
  ];
  for (const [name, entry, check, note] of cases) {
    it(name, async () => {
      const raw = stack(entry);
      const before = JSON.stringify(raw);
      const { config, notes } = read(raw);
      check(config);
      expect(notes).toMatch(note);
      expect(JSON.stringify(raw)).toBe(before);
      await loads(raw);
    });
  }

  it('keepdims of global pooling becomes a Reshape behind it', async () => {
    for (const [entry, shape] of [
      [layer('GlobalAveragePooling2D', { keepdims: true, batch_input_shape: [null, 4, 5, 3] }), [1, 1, 3]],
      [layer('GlobalMaxPooling2D', { keepdims: true, data_format: 'channels_first', batch_input_shape: [null, 3, 4, 5] }), [3, 1, 1]],
      [layer('GlobalMaxPooling1D', { keepdims: true, batch_input_shape: [null, 4, 3] }), [1, 3]],
    ] as const) {
      const raw = stack(entry);
      expect(modelGraph(normalise(raw).topology).outputShapes).toEqual([shape]);
      expect(normalise(raw).notes.join()).toMatch(/keepdims became a Reshape layer: x/);
      expect((await loads(raw)).outputs[0]!.shape).toEqual([null, ...shape]);
    }
  });

  it('the open size of a Reshape is computed, so that layers with weights can follow', async () => {
    const shapes = { target_shape: [-1, 4], batch_input_shape: [null, 6, 2] };
    const raw = { class_name: 'Sequential', config: { name: 's', layers: [layer('Reshape', shapes), layer('LSTM', { name: 'rnn', units: 2 })] } }; // prettier-ignore
    expect(normalise(raw).notes.join()).toMatch(/open size of a Reshape was computed: x/);
    const model = await loads(raw);
    expect((model.predict(tf.ones([2, 6, 2])) as tf.Tensor).shape).toEqual([2, 2]);
  });

  it('leaky_relu becomes a LeakyReLU of slope 0.2 behind the layer, also if its output is shared', async () => {
    const wired = (name: string, config: Json, ...from: string[]): Json => ({
      ...layer('Dense', { ...config, name }), name, inbound_nodes: [from.map((f) => [f, 0, 0, {}])],
    }); // prettier-ignore
    const raw = {
      class_name: 'Functional',
      config: {
        name: 'f',
        layers: [
          { ...input([3]), name: 'in', inbound_nodes: [] },
          wired('a', { units: 2, activation: 'leaky_relu', use_bias: false, kernel_initializer: 'ones' }, 'in'),
          wired('b', { units: 2, use_bias: false, kernel_initializer: 'ones' }, 'a'),
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['b', 0, 0], ['a', 0, 0]],
      },
    }; // prettier-ignore
    const model = await loads(raw);
    const [b, a] = model.predict(tf.tensor([[-1, -1, -1]])) as tf.Tensor[];
    expect(a!.dataSync()[0]).toBeCloseTo(-0.6, 6);
    expect(b!.dataSync()[0]).toBeCloseTo(-1.2, 6);
  });

  it('a Sequential without an input layer takes its build shape', async () => {
    const raw = { ...stack(layer('Dense', { units: 2 })), build_config: { input_shape: [32, 5] } };
    expect((await loads(raw)).inputs[0]!.shape).toEqual([null, 5]);
    expect(refusal(stack(layer('Dense', { units: 2 }))).message).toMatch(/"x" is the first layer and has no input shape/);
  });

  it('Keras 3 wiring: objects, flat ends, initial states in kwargs', async () => {
    const tensor = (name: string, index = 0): Json => ({ class_name: '__keras_tensor__', config: { shape: [null], dtype: 'float32', keras_history: [name, 0, index] } });
    const at = (class_name: string, name: string, config: Json, args: unknown[], kwargs: Json = {}): Json => ({
      class_name, name, config: { name, ...config }, inbound_nodes: [{ args, kwargs }],
    }); // prettier-ignore
    const raw = {
      class_name: 'Functional',
      config: {
        name: 'f',
        layers: [
          { class_name: 'InputLayer', name: 'in', config: { name: 'in', batch_shape: [null, 4, 3] }, inbound_nodes: [] },
          at('LSTM', 'l', { units: 2, return_state: true, return_sequences: true, recurrent_activation: 'sigmoid' }, [tensor('in')]),
          at('LSTM', 'm', { units: 2, recurrent_activation: 'sigmoid' }, [tensor('in')], { mask: null, training: false, initial_state: [tensor('l', 1), tensor('l', 2)] }),
          at('Add', 'sum', {}, [[tensor('m'), tensor('l', 1)]]),
        ],
        input_layers: ['in', 0, 0],
        output_layers: ['sum', 0, 0],
      },
    };
    const { topology, notes } = normalise(raw);
    expect(notes.join()).toMatch(/flat input_layers became a list/);
    expect(notes.join()).not.toMatch(/training=/);
    expect(calledInInference(topology)).toEqual(new Set(['m']));
    expect(modelGraph(topology).outputShapes).toEqual([[2]]);
    const model = await loads(raw);
    expect((model.predict(tf.ones([1, 4, 3])) as tf.Tensor).shape).toEqual([1, 2]);
  });

  it('an inbound node without its outer list', async () => {
    const raw = {
      class_name: 'Model',
      config: {
        layers: [
          { ...input([3]), name: 'in', inbound_nodes: [] },
          { ...layer('Dense', { units: 2 }), name: 'x', inbound_nodes: [['in', 0, 0, {}]] },
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['x', 0, 0]],
      },
    };
    expect((await loads(raw)).outputs[0]!.shape).toEqual([null, 2]);
  });
}); // prettier-ignore

describe('refusals by layer name', () => {
  const image = { batch_input_shape: [null, 8, 8, 4] };
  const series = { batch_input_shape: [null, 5, 3] };
  const cases: [string, Json, RegExp][] = [
    ['Lambda', layer('Lambda', { function: ['4wEAAAA='], ...image }), /"x" is a Lambda layer/],
    ['CuDNNGRU', layer('CuDNNGRU', { units: 2, ...series }), /"x" is a CuDNNGRU layer; .* into a GRU with reset_after=True/],
    ['TextVectorization', layer('TextVectorization', image), /"x" is a TextVectorization/],
    ['StringLookup', layer('StringLookup', image), /"x" is a StringLookup/],
    ['attention in a row', layer('MultiHeadAttention', { num_heads: 2, key_dim: 2, ...series }), /"x" needs a query, a value/],
    ['Normalization of the batch', layer('Normalization', { axis: 0, ...image }), /"x" normalises along no axis of a sample/],
    ['Normalization by half', layer('Normalization', { axis: -1, mean: 3, variance: null, ...image }), /"x" has no readable mean and variance/],
    ['an own class', layer('MyLayer', image), /"x" is of class MyLayer/],
    ['Keras 1 Dense', layer('Dense', { output_dim: 3, init: 'uniform', input_dim: 4 }), /"x" was written by Keras 1/],
    ['Keras 1 Convolution2D', layer('Convolution2D', { nb_filter: 3, ...image }), /"x" was written by Keras 1/],
    ['keepdims', layer('MaxPooling2D', { keepdims: true, ...image }), /"x" has keepdims/],
    ['groups that do not divide', layer('Conv2D', { filters: 4, kernel_size: [3, 3], groups: 3, ...image }), /"x" has 3 groups of 4 channels and 4 filters/],
    ['groups of a separable convolution', layer('SeparableConv2D', { filters: 4, kernel_size: [3, 3], groups: 2, ...image }), /"x" has groups/],
    ['causal', layer('Conv2D', { filters: 2, kernel_size: 3, padding: 'causal', ...image }), /"x" has causal padding/],
    ['Rescaling of other channels', layer('Rescaling', { scale: [1, 2, 3], ...image }), /"x" rescales 3 channels of an input of 4/],
    ['renorm', layer('BatchNormalization', { renorm: true, ...image }), /"x" has renorm/],
    ['interpolation', layer('UpSampling2D', { interpolation: 'lanczos3', ...image }), /"x" has interpolation lanczos3/],
    ['unknown activation', layer('Dense', { units: 2, activation: 'step', ...image }), /"x" uses the activation "step"/],
    ['glu', layer('Dense', { units: 2, activation: 'glu', ...image }), /"x" uses the activation glu, which halves/],
    ['activation in an RNN', layer('LSTM', { units: 2, activation: 'leaky_relu', ...series }), /"x" uses LeakyReLU inside/],
    ['Resizing', layer('Resizing', { height: 2, width: 2, ...image }), /"x" changes the image size/],
    ['strings', layer('InputLayer', { dtype: 'string', batch_shape: [null, 1] }), /"x" has dtype "string"/],
    ['nested', { class_name: 'Sequential', config: { name: 'outer', layers: [input([3]), layer('Lambda', {})] } }, /"outer\/x" is a Lambda/],
  ];
  for (const [name, entry, message] of cases) {
    it(name, () => {
      const error = refusal(stack(entry));
      expect(error.code).toBe('model-unsupported');
      expect(error.message).toMatch(message);
    });
  }

  it('names that every object has are names like others', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(refusal(stack(layer(name, image))).message).toContain(`is of class ${name}`);
      expect(refusal(stack(layer('Dense', { units: 2, dtype: name, ...image }))).message).toContain(`has dtype "${name}"`);
    }
  });

  it('broken wiring is an error, never a hang', () => {
    const wired = (name: string, from: string): Json => ({ ...layer('Dense', { name, units: 2 }), name, inbound_nodes: [[[from, 0, 0, {}]]] });
    const model = (...layers: Json[]): Json => ({
      class_name: 'Model',
      config: { layers: [{ ...input([3]), name: 'in', inbound_nodes: [] }, ...layers], input_layers: [['in', 0, 0]], output_layers: [['a', 0, 0]] },
    });
    expect(refusal(model(wired('a', 'gone'))).message).toMatch(/"a" takes its input from "gone"/);
    expect(refusal(model(wired('a', 'b'), wired('b', 'a'))).message).toMatch(/"a" is never reached: its inputs form a cycle/);
    expect(refusal(model(wired('a', 'in'), wired('a', 'in'))).message).toMatch(/two layers named "a"/);
    expect(refusal({ class_name: 'Sequential', config: { layers: [] } }).message).toMatch(/has no layers/);
    expect(refusal({ class_name: 'Sequential', config: { layers: [{ class_name: 'Dense' }] } }).message).toMatch(/layers\[0\] is not a layer/);
    expect(refusal({ class_name: 'MyNet', config: {} }).message).toMatch(/class MyNet, a subclassed model/);
  });
}); // prettier-ignore

describe('weight names', () => {
  const graph = (...layers: Json[]) => modelGraph(normalise(stack(...layers)).topology);
  const assign = (g: ReturnType<typeof graph>, tensors: { name: string; shape: number[] }[]) => {
    const notes = new Notes();
    return { names: assignWeights(g, tensors, new Map(), 'm.json', notes).map((t) => t.name), notes: notes.list().join() };
  };
  const dense = (name: string, units: number, more: Json = {}): Json => layer('Dense', { name, units, ...more });

  it('strips leading scopes, cells, and knows depthwise kernels', () => {
    expect(nameCandidates('net/lstm/lstm_cell/kernel:0')).toContain('lstm/kernel');
    const g = graph(input([8, 8, 2]), layer('DepthwiseConv2D', { name: 'dw', kernel_size: [3, 3] }), layer('Flatten', { name: 'f' }), dense('d', 4));
    const result = assign(g, [
      { name: 'sequential/d/bias', shape: [4] },
      { name: 'sequential/dw/kernel', shape: [3, 3, 2, 1] },
      { name: 'sequential/d/kernel', shape: [72, 4] },
      { name: 'sequential/dw/bias', shape: [2] },
    ]);
    expect(result.names).toEqual(['dw/depthwise_kernel', 'dw/bias', 'd/kernel', 'd/bias']);
    expect(result.notes).toMatch(/matched by the end of their names: sequential\/d\/bias to d\/bias.* and 1 more/);
  });

  it('never matches by order: wrong names, shapes, gaps and ties are errors', () => {
    const g = graph(input([3]), dense('a', 3), dense('b', 3));
    const tensors = (names: string[], shapes: number[][] = [[3, 3], [3], [3, 3], [3]]) => names.map((name, i) => ({ name, shape: shapes[i]! }));
    expect(() => assign(g, tensors(['p/kernel', 'p/bias', 'q/kernel', 'q/bias']))).toThrow(/no weight for "a\/kernel" \(4 of 4/);
    expect(() => assign(g, tensors(['a/kernel', 'a/bias', 'b/kernel']))).toThrow(/no weight for "b\/bias"/);
    expect(() => assign(g, tensors(['a/kernel', 'a/bias', 'b/kernel', 'b/bias'], [[3, 3], [3], [3, 4], [3]]))).toThrow(/"b\/kernel" is \[3, 4\] where "b\/kernel" needs \[3, 3\]/);
    const all = tensors(['a/kernel', 'a/bias', 'b/kernel', 'b/bias']);
    expect(() => assign(g, [...all, { name: 'other/a/kernel', shape: [3, 3] }])).toThrow(/could both be "a\/kernel"/);
    expect(assign(g, [...all, { name: 'Adam/a/kernel', shape: [3, 3] }]).names).toHaveLength(4);
    expect(assign(g, [...all, { name: 'dropout/seed', shape: [2] }]).notes).toMatch(/weights of no layer were left out/);
  });
}); // prettier-ignore
