/** A pruned network of dense layers as one ES module without dependencies, which computes from the kept weights alone. */
import { writeFileAtomic } from '../model/atomicWrite.js';
import { field, numberAt } from '../model/layerConfig.js';
import type { Model, WeightTensor } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { wiringOf, type Call } from '../model/wiring.js';

/** Bodies that change the vector `v` in place. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  linear: '',
  relu: 'for (let i = 0; i < v.length; i++) if (v[i] < 0) v[i] = 0;',
  relu6: 'for (let i = 0; i < v.length; i++) v[i] = Math.min(Math.max(v[i], 0), 6);',
  elu: 'for (let i = 0; i < v.length; i++) if (v[i] < 0) v[i] = Math.expm1(v[i]);',
  tanh: 'for (let i = 0; i < v.length; i++) v[i] = Math.tanh(v[i]);',
  sigmoid: 'for (let i = 0; i < v.length; i++) v[i] = 1 / (1 + Math.exp(-v[i]));',
  selu: 'for (let i = 0; i < v.length; i++) v[i] = 1.0507009873554805 * (v[i] >= 0 ? v[i] : 1.6732632423543772 * Math.expm1(v[i]));',
  softplus: 'for (let i = 0; i < v.length; i++) v[i] = Math.max(v[i], 0) + Math.log1p(Math.exp(-Math.abs(v[i])));',
  softsign: 'for (let i = 0; i < v.length; i++) v[i] /= 1 + Math.abs(v[i]);',
  swish: 'for (let i = 0; i < v.length; i++) v[i] /= 1 + Math.exp(-v[i]);',
  hardSigmoid: 'for (let i = 0; i < v.length; i++) v[i] = Math.min(Math.max(0.2 * v[i] + 0.5, 0), 1);',
  softmax: `let most = -Infinity, sum = 0;
    for (const x of v) most = Math.max(most, x);
    for (let i = 0; i < v.length; i++) sum += v[i] = Math.exp(v[i] - most);
    for (let i = 0; i < v.length; i++) v[i] /= sum;`,
};

/** Layers that leave a vector as it is. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  'InputLayer', 'Flatten', 'Dropout', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout',
]); // prettier-ignore

interface DenseLayer {
  readonly kernel: WeightTensor;
  readonly bias: Float32Array;
  readonly activations: string[];
}

const unsupported = (call: Call, why: string): UserError =>
  new UserError('model-unsupported', `layer "${call.node.path}" (${call.node.layer.class_name}) ${why}; the sparse module computes dense layers in a row`); // prettier-ignore

function activationOf(call: Call): string {
  const { class_name, config } = call.node.layer;
  if (class_name === 'ReLU' && numberAt(config, 'max_value') === null) return 'relu';
  const given = class_name === 'Softmax' ? 'softmax' : (field(config, 'activation') ?? 'linear');
  const name = given === 'hard_sigmoid' ? 'hardSigmoid' : given;
  if (typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name)) return name;
  throw unsupported(call, 'has an activation that it lacks');
}

/** The dense layers, one after the other. @throws UserError('model-unsupported') naming the layer. */
function denseLayers(model: Model): { layers: DenseLayer[]; inputs: number } {
  const { calls, inputs, outputs } = wiringOf(model.topology);
  const weights = new Map(model.weights.map((weight) => [weight.name, weight]));
  const layers: DenseLayer[] = [];
  let current = inputs[0];
  for (const call of calls) {
    if (call.inputs.length > 1 || (call.inputs[0] ?? current) !== current) throw unsupported(call, 'is not in a row with the others'); // prettier-ignore
    const { class_name } = call.node.layer;
    if (class_name === 'Dense' && call.inputs[0]!.shape?.length === 1) {
      const [kernel, bias] = call.node.weights.map(({ name }) => weights.get(name)!);
      layers.push({ kernel: kernel!, bias: bias?.data ?? new Float32Array(kernel!.shape[1]!), activations: [activationOf(call)] }); // prettier-ignore
    } else if (['Activation', 'ReLU', 'Softmax'].includes(class_name) && layers.length > 0) {
      layers.at(-1)!.activations.push(activationOf(call));
    } else if (!TRANSPARENT.has(class_name)) throw unsupported(call, 'is not dense');
    current = call.outputs[0]!;
  }
  if (layers.length === 0 || inputs.length !== 1 || outputs.length !== 1 || outputs[0] !== current)
    throw new UserError('model-unsupported', `${model.path}: the sparse module needs one input, one output and a dense layer`); // prettier-ignore
  return { layers, inputs: layers[0]!.kernel.shape[0]! };
}

const base64 = (data: Uint32Array | Uint16Array | Float32Array): string =>
  JSON.stringify(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'));

/** Kept weights unit by unit: `start[unit]..start[unit + 1]` of `input` (index) and `weight`. */
function byUnit({ data, shape }: WeightTensor): {
  start: Uint32Array;
  input: Uint16Array | Uint32Array;
  weight: Float32Array;
} {
  const [inputs, units] = shape as [number, number];
  const start = new Uint32Array(units + 1);
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) start[(i % units) + 1]!++;
  for (let unit = 0; unit < units; unit++) start[unit + 1]! += start[unit]!;
  const input = inputs <= 65_536 ? new Uint16Array(start[units]!) : new Uint32Array(start[units]!);
  const weight = new Float32Array(start[units]!);
  const next = start.slice();
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    const at = next[i % units]!++;
    input[at] = Math.floor(i / units);
    weight[at] = data[i]!;
  }
  return { start, input, weight };
}

/** The module's text. @throws UserError('model-unsupported') for anything but dense layers in a row. */
export function sparseModule(model: Model): string {
  const { layers, inputs } = denseLayers(model);
  const outputs = layers.at(-1)!.bias.length;
  const entries = layers.map(({ kernel, bias, activations }) => {
    const { start, input, weight } = byUnit(kernel);
    const index = input instanceof Uint16Array ? 'Uint16Array' : 'Uint32Array';
    return `  dense(Uint32Array, ${base64(start)}, ${index}, ${base64(input)}, ${base64(weight)}, ${base64(bias)}, [${activations.filter((name) => name !== 'linear').join(', ')}]),`;
  });
  const used = new Set(layers.flatMap(({ activations }) => activations));
  used.delete('linear');
  const functions = [...used].map((name) => `function ${name}(v) {\n  ${ACTIVATIONS[name]}\n}`);
  return `// Written by LC Prune: a pruned network that computes from its kept weights alone. No dependencies.
const decode = (Type, text) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

// Layer: for each unit the kept weights start[unit]..start[unit + 1], each with the index of its input.
function dense(Start, start, Input, input, weight, bias, activations) {
  return { start: decode(Start, start), input: decode(Input, input), weight: decode(Float32Array, weight), bias: decode(Float32Array, bias), activations };
}

${functions.join('\n')}

const layers = [
${entries.join('\n')}
];

export const inputSize = ${inputs};
export const outputSize = ${outputs};

function apply({ start, input, weight, bias, activations }, x, y) {
  for (let unit = 0, at = 0; unit < y.length; unit++) {
    let sum = bias[unit];
    for (const end = start[unit + 1]; at < end; at++) sum += weight[at] * x[input[at]];
    y[unit] = sum;
  }
  for (const activation of activations) activation(y);
}

const vectors = layers.map(({ bias }) => new Float32Array(bias.length));

/**
 * @param {Float32Array} inputs samples one after the other, inputSize values each
 * @returns {Float32Array} outputSize values per sample
 */
export function predict(inputs) {
  if (inputs.length % inputSize !== 0) throw new RangeError(\`inputs come in groups of \${inputSize}\`);
  const samples = inputs.length / inputSize;
  const outputs = new Float32Array(samples * outputSize);
  for (let s = 0; s < samples; s++) {
    let x = inputs.subarray(s * inputSize, (s + 1) * inputSize);
    for (let l = 0; l < layers.length; l++) {
      apply(layers[l], x, vectors[l]);
      x = vectors[l];
    }
    outputs.set(x, s * outputSize);
  }
  return outputs;
}
`;
}

/** @throws UserError('model-unsupported'), UserError('disk'). */
export async function writeSparseModule(model: Model, path: string): Promise<void> {
  await writeFileAtomic(path, sparseModule(model));
}
