import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import type { GraphBuilder } from '../../network/builder.js';
import type { OwnGradient } from '../../network/gradient/gradients.js';
import { type DType, type Node, type RandomSpec } from '../../network/ir.js';
import { imageKernelRules } from './imageKernels.js';
import { kernelRules, type KernelRule } from './kernels.js';
import { shapeKernelRules } from './shapeKernels.js';
import { volumeKernelRules } from './volumeKernels.js';

const backendName = 'lc-prune-trace';

/** A kernel of our own: random numbers of the given shape, drawn for every run by the RandomSpec `random`. */
export const draw = 'LcPruneDraw';

const rules: Readonly<Record<string, KernelRule>> = {
  [draw]: ({ graph, attrs }) =>
    graph.input(attrs['shape'] as number[], { role: 'random', random: attrs['random'] as unknown as RandomSpec }),
  ...kernelRules,
  ...shapeKernelRules,
  ...imageKernelRules,
  ...volumeKernelRules,
};

/** The state of one trace: where kernel calls go, and which layer is being called. */
export interface Recorder {
  readonly graph: GraphBuilder;
  /** Set if gradients are wanted. It collects the compositions that `tf.customGrad` was called for, by the node of their value. */
  readonly own?: Map<Node, OwnGradient>;
  /** The innermost layer being called: messages name it, and it has the parameters of its noise. */
  layer(): { name: string; className: string; config: Record<string, unknown> } | undefined;
}

/**
 * A TensorFlow.js backend that computes nothing: each kernel call becomes a node of a graph, from shapes alone. Uploaded
 * values become constants. Values drawn by TensorFlow.js's random operations become inputs of role `random`.
 */
class TracingBackend extends tf.KernelBackend {
  recorder: Recorder | undefined;
  /** Keys are tfjs-core's data ids, which are plain objects. */
  readonly #nodes = new WeakMap<object, Node>();

  node(tensor: tf.TensorInfo): Node {
    const node = this.#nodes.get(tensor.dataId);
    if (!node) throw new Error('a tensor from outside the trace');
    return node;
  }

  tensorInfo(node: Node): tf.TensorInfo {
    const dataId = {};
    this.#nodes.set(dataId, node);
    return { dataId, shape: [...node.shape], dtype: node.dtype };
  }

  /** A tensor of TensorFlow.js that stands for a node. */
  tensor(node: Node): tf.Tensor {
    const { dataId, shape, dtype } = this.tensorInfo(node);
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
  }

  override write(values: tf.backend_util.TypedArray, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    // Outside a trace (while a model is built) only the identity of a tensor matters.
    if (this.recorder) this.#nodes.set(dataId, this.#upload(this.recorder, values, shape, dtype as DType));
    return dataId;
  }

  #upload(recorder: Recorder, values: tf.backend_util.TypedArray, shape: number[], dtype: DType): Node {
    const random = randomSpec(recorder);
    if (random) return recorder.graph.input(shape, { role: 'random', random });
    if (values.length !== sizeOf(shape))
      throw new Error(`it made a tensor of shape [${shape}] of ${values.length} values`);
    const copy = dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values);
    return recorder.graph.constant(copy, shape, dtype);
  }

  override readSync(): never {
    const layer = this.recorder?.layer()?.name;
    throw new UserError(
      'model-unsupported',
      `${layer ? `layer "${layer}"` : 'the model'} needs values while it is compiled; use the TensorFlow.js engine`,
    );
  }

  override read(): never {
    return this.readSync();
  }

  override numDataIds = () => 0;
  override disposeData = () => true;
  override incRef = () => undefined;
  override refCount = () => 1;
  override memory = () => ({ unreliable: true, reasons: ['nothing is stored'] });
  override floatPrecision = () => 32 as const;
  override dispose = () => undefined;
}

/** Operations of TensorFlow.js under call, from the outermost to the one that calls a kernel. */
function openOperations(): string[] {
  const scopes = (tf.engine().state as unknown as { scopeStack: { name: string }[] }).scopeStack;
  return scopes.map((scope) => scope.name.replace(/__op$/, ''));
}

/** tfjs-core draws random numbers in JavaScript and uploads them. The operations under call show which one draws. */
function randomSpec(recorder: Recorder): RandomSpec | undefined {
  const names = new Set(openOperations());
  if (names.has('randomUniform')) return { kind: 'uniform' };
  const other = ['randomNormal', 'truncatedNormal', 'randomStandardNormal', 'randomGamma', 'multinomial', 'rand'];
  if (!other.some((name) => names.has(name))) return undefined;
  const layer = recorder.layer();
  throw new UserError(
    'model-unsupported',
    `layer "${layer?.name}" draws random numbers of a kind that cannot be compiled`,
  );
}

function runKernel(backend: TracingBackend, name: string, call: Parameters<tf.KernelFunc>[0]) {
  const rule = rules[name];
  const { recorder } = backend;
  if (!recorder) throw new Error(`kernel ${name} outside a trace`);
  const inputs = Object.fromEntries(
    Object.entries(call.inputs)
      .filter(([, tensor]) => tensor !== undefined && tensor !== null)
      .map(([key, tensor]) => [key, backend.node(tensor as tf.TensorInfo)]),
  );
  const layer = recorder.layer()?.name;
  recorder.graph.layer = layer;
  const at = layer ?? Object.values(inputs).find((node) => node.layer)?.layer;
  const unsupported = (detail: string) =>
    new UserError('model-unsupported', `${at ? `layer "${at}"` : 'the model'} cannot be compiled: ${detail}`);
  if (!rule) throw unsupported(`kernel ${name} has no rule`);
  let nodes: Node | Node[];
  try {
    nodes = rule({ graph: recorder.graph, inputs, attrs: (call.attrs ?? {}) as Record<string, unknown> });
  } catch (error) {
    throw error instanceof RangeError ? unsupported(error.message) : error;
  }
  return Array.isArray(nodes) ? nodes.map((node) => backend.tensorInfo(node)) : backend.tensorInfo(nodes);
}

/**
 * Replaces `tf.customGrad` during a trace. It records the composition as it is called, and its gradient for `gradients`, because
 * TensorFlow.js differentiates nothing here and so keeps none.
 */
function recordOwnGradient(backend: TracingBackend, own: Map<Node, OwnGradient>, f: CustomGradient) {
  const tensor = (node: Node) => tf.engine().makeTensorFromTensorInfo(backend.tensorInfo(node));
  return (...inputs: tf.Tensor[]): tf.Tensor => {
    const saved: Node[] = [];
    const save = (tensors: tf.Tensor[]) => saved.push(...tensors.map((one) => backend.node(one)));
    const { value, gradFunc } = f(...inputs, save);
    const [node, sources] = [backend.node(value), inputs.map((input) => backend.node(input))];
    // Fused operations have rules for their parts. A value that is older than its inputs was simplified to another node.
    const fused = openOperations().some((name) => name.startsWith('fused'));
    if (!fused && sources.every(({ id }) => id < node.id))
      own.set(node, {
        inputs: sources,
        rule: (dy) => [gradFunc(tensor(dy), saved.map(tensor))].flat().map((one) => backend.node(one)),
      });
    return value;
  };
}

type CustomGradient = (...args: (tf.Tensor | ((tensors: tf.Tensor[]) => void))[]) => {
  value: tf.Tensor;
  gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
};

let registered: TracingBackend | undefined;

function tracingBackend(): TracingBackend {
  if (registered) return registered;
  const backend = new TracingBackend();
  // Priority 0, so that TensorFlow.js never chooses this backend by itself.
  tf.registerBackend(backendName, () => backend, 0);
  // Kernels without a rule are registered too, so that the error can name them and the layer.
  const names = Object.values(tf as object).filter((value) => typeof value === 'string' && /^_?[A-Z]\w+$/.test(value));
  for (const kernelName of new Set<string>([...(names as string[]), ...Object.keys(rules)]))
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: (call) => runKernel(backend, kernelName, call),
    });
  return (registered = backend);
}

/**
 * Runs `body`, which must be synchronous, on the tracing backend, and then restores the backend that was active before.
 * Without a recorder kernels fail and uploads are forgotten (for building models).
 */
export function withTracing<T>(recorder: Recorder | undefined, body: (backend: TracingBackend) => T): T {
  const backend = tracingBackend();
  const engine = tf.engine();
  const previous = engine.backendName as string | undefined;
  void tf.setBackend(backendName);
  backend.recorder = recorder;
  const { customGrad } = engine;
  const own = recorder?.own;
  if (own) Object.assign(engine, { customGrad: (f: CustomGradient) => recordOwnGradient(backend, own, f) });
  try {
    return body(backend);
  } finally {
    backend.recorder = undefined;
    Object.assign(engine, { customGrad });
    if (previous && previous !== backendName) void tf.setBackend(previous);
    else Object.assign(engine, { backendName: undefined, backendInstance: null });
  }
}
