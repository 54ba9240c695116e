/**
 * Plain float64 loops for the few layers the conformance nets use: forward pass, loss, batch statistics. Gradients are
 * central differences of its loss. Nothing here shares code with an engine.
 */
import type { Loss } from '../../../daemon/engine/engine.js';
import type { LayersModel } from '../../../daemon/model/model.js';

/** A batch of feature maps, row-major, channels last; dims without the batch axis. */
interface Activations {
  readonly values: Float64Array;
  readonly dims: readonly number[];
}

type Weights = ReadonlyMap<string, Float64Array>;
interface Layer {
  readonly class_name: string;
  readonly config: Record<string, unknown> & { readonly name: string };
  readonly inbound_nodes?: readonly (readonly (readonly [string, ...unknown[]])[])[];
}

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const pair = (value: unknown): [number, number] => (Array.isArray(value) ? (value as [number, number]) : [1, 1]);

function activation(name: unknown, { values, dims }: Activations): Activations {
  const out = values.slice();
  if (name === 'relu') out.forEach((x, i) => (out[i] = Math.max(x, 0)));
  else if (name === 'tanh') out.forEach((x, i) => (out[i] = Math.tanh(x)));
  else if (name === 'sigmoid') out.forEach((x, i) => (out[i] = 1 / (1 + Math.exp(-x))));
  else if (name === 'softmax') {
    const n = dims.at(-1)!;
    for (let at = 0; at < out.length; at += n) {
      const row = out.subarray(at, at + n);
      const max = Math.max(...row);
      const total = row.reduce((sum, x) => sum + Math.exp(x - max), 0);
      row.forEach((x, i) => (row[i] = Math.exp(x - max) / total));
    }
  } else if (name !== undefined && name !== 'linear') throw new Error(`oracle: activation ${String(name)}`);
  return { values: out, dims };
}

function dense({ values, dims }: Activations, kernel: Float64Array, bias: Float64Array | undefined): Activations {
  const n = dims.at(-1)!;
  const units = kernel.length / n;
  const rows = values.length / n;
  const out = new Float64Array(rows * units);
  for (let r = 0; r < rows; r++)
    for (let u = 0; u < units; u++) {
      let sum = bias?.[u] ?? 0;
      for (let i = 0; i < n; i++) sum += values[r * n + i]! * kernel[i * units + u]!;
      out[r * units + u] = sum;
    }
  return { values: out, dims: [...dims.slice(0, -1), units] };
}

/** Visits every (output position, window position) of a sliding window, TensorFlow's "same" and "valid". */
function slide(
  [h, w]: readonly number[],
  [kh, kw]: readonly number[],
  [sh, sw]: readonly number[],
  same: boolean,
  visit: (oy: number, ox: number, ky: number, kx: number, y: number, x: number) => void,
): [number, number] {
  const size = (n: number, k: number, s: number) => (same ? Math.ceil(n / s) : Math.ceil((n - k + 1) / s));
  const oh = size(h!, kh!, sh!);
  const ow = size(w!, kw!, sw!);
  const pad = (n: number, o: number, k: number, s: number) =>
    same ? Math.floor(Math.max((o - 1) * s + k - n, 0) / 2) : 0;
  const top = pad(h!, oh, kh!, sh!);
  const left = pad(w!, ow, kw!, sw!);
  for (let oy = 0; oy < oh; oy++)
    for (let ox = 0; ox < ow; ox++)
      for (let ky = 0; ky < kh!; ky++)
        for (let kx = 0; kx < kw!; kx++) {
          const y = oy * sh! + ky - top;
          const x = ox * sw! + kx - left;
          if (y >= 0 && y < h! && x >= 0 && x < w!) visit(oy, ox, ky, kx, y, x);
        }
  return [oh, ow];
}

function conv2d(
  input: Activations,
  batch: number,
  config: Layer['config'],
  kernel: Float64Array,
  bias?: Float64Array,
): Activations {
  const [h, w, c] = input.dims as [number, number, number];
  const filters = config['filters'] as number;
  const window = pair(config['kernel_size']);
  const strides = pair(config['strides']);
  const same = config['padding'] === 'same';
  const [oh, ow] = slide([h, w], window, strides, same, () => {});
  const out = new Float64Array(batch * oh * ow * filters);
  out.forEach((_, i) => (out[i] = bias?.[i % filters] ?? 0));
  for (let b = 0; b < batch; b++)
    slide([h, w], window, strides, same, (oy, ox, ky, kx, y, x) => {
      for (let f = 0; f < filters; f++)
        for (let i = 0; i < c; i++)
          out[((b * oh + oy) * ow + ox) * filters + f]! +=
            input.values[((b * h + y) * w + x) * c + i]! * kernel[((ky * window[1] + kx) * c + i) * filters + f]!;
    });
  return { values: out, dims: [oh, ow, filters] };
}

function pool(input: Activations, batch: number, config: Layer['config'], max: boolean): Activations {
  const [h, w, c] = input.dims as [number, number, number];
  const window = pair(config['pool_size']);
  const strides = pair(config['strides'] ?? window);
  const same = config['padding'] === 'same';
  const [oh, ow] = slide([h, w], window, strides, same, () => {});
  const out = new Float64Array(batch * oh * ow * c).fill(max ? -Infinity : 0);
  const counts = new Float64Array(oh * ow);
  for (let b = 0; b < batch; b++)
    slide([h, w], window, strides, same, (oy, ox, _ky, _kx, y, x) => {
      if (b === 0) counts[oy * ow + ox]!++;
      for (let i = 0; i < c; i++) {
        const at = ((b * oh + oy) * ow + ox) * c + i;
        const value = input.values[((b * h + y) * w + x) * c + i]!;
        out[at] = max ? Math.max(out[at]!, value) : out[at]! + value;
      }
    });
  if (!max) out.forEach((x, i) => (out[i] = x / counts[Math.floor(i / c) % (oh * ow)]!));
  return { values: out, dims: [oh, ow, c] };
}

export interface Forward {
  readonly output: Float64Array;
  /** Moving averages after one training step, by weight name. Empty when not training. */
  readonly nextState: ReadonlyMap<string, Float64Array>;
}

/** Runs a Sequential or single-output functional model on `batch` samples. Dropout is refused in training. */
export function forward(
  model: LayersModel,
  weights: Weights,
  inputs: readonly Float64Array[],
  batch: number,
  training: boolean,
): Forward {
  const config = model.topology.config as { layers: Layer[]; input_layers?: [string][]; output_layers?: [string][] };
  const sequential = model.topology.class_name === 'Sequential';
  const values = new Map<string, Activations>();
  const nextState = new Map<string, Float64Array>();
  let last: Activations | undefined;
  for (const layer of config.layers) {
    const { name } = layer.config;
    const sources = sequential ? [last] : (layer.inbound_nodes?.[0] ?? []).map(([from]) => values.get(from));
    let x = sources[0];
    if (!x) {
      const shape = layer.config['batch_input_shape'] as (number | null)[];
      const index = sequential ? 0 : config.input_layers!.findIndex(([input]) => input === name);
      x = { values: inputs[index]!, dims: shape.slice(1) as number[] };
    }
    const weight = (key: string) => weights.get(`${name}/${key}`);
    switch (layer.class_name) {
      case 'InputLayer':
        break;
      case 'Dense':
        x = activation(layer.config['activation'], dense(x, weight('kernel')!, weight('bias')));
        break;
      case 'Conv2D':
        x = activation(layer.config['activation'], conv2d(x, batch, layer.config, weight('kernel')!, weight('bias')));
        break;
      case 'MaxPooling2D':
      case 'AveragePooling2D':
        x = pool(x, batch, layer.config, layer.class_name === 'MaxPooling2D');
        break;
      case 'Activation':
        x = activation(layer.config['activation'], x);
        break;
      case 'Flatten':
        x = { values: x.values, dims: [product(x.dims)] };
        break;
      case 'Reshape':
        x = { values: x.values, dims: layer.config['target_shape'] as number[] };
        break;
      case 'Add': {
        const sum = x.values.slice();
        for (const other of sources.slice(1)) other!.values.forEach((v, i) => (sum[i]! += v));
        x = { values: sum, dims: x.dims };
        break;
      }
      case 'Dropout':
        if (training) throw new Error('oracle: dropout masks are the engine’s');
        break;
      case 'BatchNormalization': {
        const c = x.dims.at(-1)!;
        const mean = Float64Array.from(weight('moving_mean')!);
        const variance = Float64Array.from(weight('moving_variance')!);
        if (training) {
          const rows = x.values.length / c;
          const momentum = layer.config['momentum'] as number;
          for (let i = 0; i < c; i++) {
            const column = x.values.filter((_, at) => at % c === i);
            mean[i] = column.reduce((a, b) => a + b, 0) / rows;
            variance[i] = column.reduce((a, b) => a + (b - mean[i]!) ** 2, 0) / rows;
          }
          const moved = (key: string, now: Float64Array) =>
            weight(key)!.map((old, i) => momentum * old + (1 - momentum) * now[i]!);
          nextState.set(`${name}/moving_mean`, moved('moving_mean', mean));
          nextState.set(`${name}/moving_variance`, moved('moving_variance', variance));
        }
        const [gamma, beta] = [weight('gamma')!, weight('beta')!];
        const epsilon = layer.config['epsilon'] as number;
        const out = x.values.map(
          (v, at) => ((v - mean[at % c]!) / Math.sqrt(variance[at % c]! + epsilon)) * gamma[at % c]! + beta[at % c]!,
        );
        x = { values: out, dims: x.dims };
        break;
      }
      default:
        throw new Error(`oracle: layer ${layer.class_name}`);
    }
    values.set(name, x);
    last = x;
  }
  const output = sequential ? last! : values.get(config.output_layers![0]![0])!;
  return { output: output.values, nextState };
}

/** Mean over samples of the loss of outputs p against targets t, both [batch, n]. */
export function loss(kind: Loss, output: Float64Array, target: Float64Array, batch: number): number {
  let sum = 0;
  output.forEach((p, i) => {
    const t = target[i]!;
    if (kind === 'categoricalCrossentropy' || kind === 'sparseCategoricalCrossentropy')
      sum -= t === 0 ? 0 : t * Math.log(p);
    else {
      const e = Math.abs(p - t);
      const n = output.length / batch;
      if (kind === 'binaryCrossentropy') sum -= (t * Math.log(p) + (1 - t) * Math.log(1 - p)) / n;
      else if (kind === 'meanSquaredError') sum += (e * e) / n;
      else if (kind === 'meanAbsoluteError') sum += e / n;
      else sum += (e <= 1 ? (e * e) / 2 : e - 0.5) / n;
    }
  });
  return sum / batch;
}

/** Share of wrong answers: argmax, or the side of 1/2 for binary targets. */
export function errorRate(kind: Loss, output: Float64Array, target: Float64Array, batch: number): number {
  const n = output.length / batch;
  if (kind === 'binaryCrossentropy') {
    return output.reduce((wrong, p, i) => wrong + Number(p > 0.5 !== target[i]! > 0.5), 0) / output.length;
  }
  const argmax = (row: Float64Array) => row.indexOf(Math.max(...row));
  let wrong = 0;
  for (let b = 0; b < batch; b++) {
    const [p, t] = [output.subarray(b * n, b * n + n), target.subarray(b * n, b * n + n)];
    if (argmax(p) !== argmax(t)) wrong++;
  }
  return wrong / batch;
}

/** 1 - R^2 over all outputs together. */
export function unexplained(output: Float64Array, target: Float64Array, width: number): number {
  const rows = target.length / width;
  const means = Array.from({ length: width }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += target[i * width + j]!;
    return sum / rows;
  });
  let [left, all] = [0, 0];
  target.forEach((y, i) => {
    left += (output[i]! - y) ** 2;
    all += (y - means[i % width]!) ** 2;
  });
  return left / all;
}

/** Central differences of f at x. */
export function differences(f: (x: Float64Array) => number, x: Float64Array, h = 1e-6): Float64Array {
  const at = x.slice();
  return x.map((value, i) => {
    at[i] = value + h;
    const above = f(at);
    at[i] = value - h;
    const below = f(at);
    at[i] = value;
    return (above - below) / (2 * h);
  });
}
