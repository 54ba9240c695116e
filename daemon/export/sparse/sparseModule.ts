/** Generates one ES module without dependencies for a pruned network of dense layers; it computes with the kept weights only. */
import { wasmBase64 } from '../../engine/kernels/sparse.wasm.js';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { classOf } from '../../model/layerClasses/registry.js';
import { field, numberAt } from '../../model/layers/layerConfig.js';
import type { LayersModel, WeightTensor } from '../../model/model.js';
import { UserError } from '../../protocol/errors.js';
import { wiringOf, type Call } from '../../model/normalise/wiring.js';

/** Function bodies that change the vector `v`, of `lanes` samples side by side, in place. */
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
  softmax: `for (let s = 0; s < lanes; s++) {
    let most = -Infinity, sum = 0;
    for (let i = s; i < v.length; i += lanes) most = Math.max(most, v[i]);
    for (let i = s; i < v.length; i += lanes) sum += v[i] = Math.exp(v[i] - most);
    for (let i = s; i < v.length; i += lanes) v[i] /= sum;
  }`,
};

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
function denseLayers(model: LayersModel): { layers: DenseLayer[]; inputs: number } {
  const { calls, inputs, outputs } = wiringOf(model.topology);
  const weights = new Map(model.weights.map((weight) => [weight.name, weight]));
  const layers: DenseLayer[] = [];
  let current = inputs[0];
  for (const call of calls) {
    if (call.inputs.length > 1 || (call.inputs[0] ?? current) !== current) throw unsupported(call, 'is not in a row with the others'); // prettier-ignore
    const role = classOf(call.node.layer.class_name)?.sparse;
    if (role === 'product' && call.inputs[0]!.shape?.length === 1) {
      const [kernel, bias] = call.node.weights.map(({ name }) => weights.get(name)!);
      layers.push({ kernel: kernel!, bias: bias?.data ?? new Float32Array(kernel!.shape[1]!), activations: [activationOf(call)] }); // prettier-ignore
    } else if (role === 'activation' && layers.length > 0) {
      layers.at(-1)!.activations.push(activationOf(call));
    } else if (role !== 'nothing') throw unsupported(call, 'is not dense');
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

/** The module's code for its layers. Plain JavaScript loops run where WebAssembly is missing or forbidden. */
const RUNTIME = `
const LANES = 16;
// From this many samples on, 16 at once cost less than one after the other.
const MANY = 4;
const align = (bytes) => (bytes + 15) & ~15;

// The inputs that the first layer reads, and their places in that order.
const read = [...new Set(layers[0].input)].sort((a, b) => a - b);
const placeOf = new Map(read.map((input, place) => [input, place]));
layers[0].input = layers[0].input.map((input) => placeOf.get(input));

const widths = [read.length, ...layers.map(({ bias }) => bias.length)];
const tables = layers.flatMap(({ start, input, weight, bias }) => [start, input, weight, bias]);
const sizes = [...tables.map((table) => 4 * table.length), ...widths.map((width) => 4 * LANES * width)];
const pages = Math.ceil(sizes.reduce((sum, size) => sum + align(size), 0) / 65536);

function load() {
  try {
    const memory = new WebAssembly.Memory({ initial: pages });
    return { memory, ...new WebAssembly.Instance(new WebAssembly.Module(decode(Uint8Array, WASM)), { env: { memory } }).exports };
  } catch {
    return null;
  }
}
const kernels = load();
const memory = kernels ? kernels.memory.buffer : new ArrayBuffer(65536 * pages);
const [words, floats] = [new Int32Array(memory), new Float32Array(memory)];

let top = 0;
const places = sizes.map((size) => {
  const place = top;
  top += align(size);
  return place;
});
tables.forEach((table, i) => (table instanceof Float32Array ? floats : words).set(table, places[i] / 4));
const vectors = places.slice(tables.length);

const loops = (lanes) => (x, y, units, start, input, weight, bias, relu) => {
  [x, y, start, input, weight, bias] = [x, y, start, input, weight, bias].map((place) => place / 4);
  for (let unit = 0; unit < units; unit++, y += lanes) {
    floats.fill(floats[bias + unit], y, y + lanes);
    for (let k = words[start + unit]; k < words[start + unit + 1]; k++) {
      const from = x + lanes * words[input + k];
      const w = floats[weight + k];
      for (let s = 0; s < lanes; s++) floats[y + s] += w * floats[from + s];
    }
    if (relu) for (let s = 0; s < lanes; s++) if (floats[y + s] < 0) floats[y + s] = 0;
  }
};
const [one, block] = kernels ? [kernels.one, kernels.block] : [loops(1), loops(LANES)];

/**
 * @param {Float32Array} inputs samples one after the other, inputSize values each
 * @returns {Float32Array} outputSize values per sample
 */
export function predict(inputs) {
  if (inputs.length % inputSize !== 0) throw new RangeError(\`inputs come in groups of \${inputSize}\`);
  const samples = inputs.length / inputSize;
  const outputs = new Float32Array(samples * outputSize);
  for (let from = 0, count; from < samples; from += count) {
    const lanes = samples - from < MANY ? 1 : LANES;
    count = Math.min(lanes, samples - from);
    for (let s = 0; s < count; s++) {
      const sample = (from + s) * inputSize;
      for (let k = 0, at = vectors[0] / 4 + s; k < read.length; k++, at += lanes) floats[at] = inputs[sample + read[k]];
    }
    layers.forEach(({ relu, activations }, l) => {
      const [start, input, weight, bias] = places.slice(4 * l, 4 * l + 4);
      (lanes === 1 ? one : block)(vectors[l], vectors[l + 1], widths[l + 1], start, input, weight, bias, relu);
      const v = floats.subarray(vectors[l + 1] / 4, vectors[l + 1] / 4 + lanes * widths[l + 1]);
      for (const activation of activations) activation(v, lanes);
    });
    for (let unit = 0, at = vectors[layers.length] / 4; unit < outputSize; unit++, at += lanes)
      for (let s = 0; s < count; s++) outputs[(from + s) * outputSize + unit] = floats[at + s];
  }
  return outputs;
}
`;

/** The module's text. @throws UserError('model-unsupported') for anything but dense layers in a row. */
export function sparseModule(model: LayersModel): string {
  const { layers, inputs } = denseLayers(model);
  const outputs = layers.at(-1)!.bias.length;
  const used = new Set<string>();
  const entries = layers.map(({ kernel, bias, activations }) => {
    const { start, input, weight } = byUnit(kernel);
    const index = input instanceof Uint16Array ? 'Uint16Array' : 'Uint32Array';
    const named = activations.filter((name) => name !== 'linear');
    // ReLU is part of the kernel's own code.
    const relu = named[0] === 'relu';
    const rest = relu ? named.slice(1) : named;
    for (const name of rest) used.add(name);
    return `  dense(${base64(start)}, ${index}, ${base64(input)}, ${base64(weight)}, ${base64(bias)}, ${Number(relu)}, [${rest.join(', ')}]),`;
  });
  const functions = [...used].map((name) => `function ${name}(v, lanes) {\n  ${ACTIVATIONS[name]}\n}`);
  return `// Written by LC Prune: a pruned network that computes from its kept weights alone. No dependencies.
const decode = (Type, text) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

// Layer: for each unit the kept weights start[unit]..start[unit + 1], each with the index of its input.
function dense(start, Index, input, weight, bias, relu, activations) {
  return { start: decode(Uint32Array, start), input: Uint32Array.from(decode(Index, input)), weight: decode(Float32Array, weight), bias: decode(Float32Array, bias), relu, activations };
}

${functions.join('\n')}

export const inputSize = ${inputs};
export const outputSize = ${outputs};

const layers = [
${entries.join('\n')}
];
// WebAssembly of one layer: one sample, or 16 at once.
const WASM = '${wasmBase64}';
${RUNTIME}`;
}

/** @throws UserError('model-unsupported'), UserError('disk'). */
export async function writeSparseModule(model: LayersModel, path: string): Promise<void> {
  await writeFileAtomic(path, sparseModule(model));
}
