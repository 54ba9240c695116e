/** A network that was read, beside onnxruntime on the very file and float64 on its graph. */
import { writeFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { kernelLevel, loadAddon } from '../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../daemon/engine/native/units.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { GraphModel } from '../../../daemon/model/model.js';
import type { Graph, Node } from '../../../daemon/network/ir.js';
import { recordPass } from '../../../daemon/network/recordPass.js';
import { verified } from '../../../daemon/network/verify/verified.js';
import { inInferenceMode, isInTrainingMode } from '../../../daemon/onnx/file/inferenceMode.js';
import type { OnnxNode, OnnxType } from '../../../daemon/onnx/file/onnxModel.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';
import { asFile } from '../../zoo/forward.js';
import { Interpreter } from '../engine/float64/interpreter.js';
import { judge, type Judgement } from '../engine/judge.js';
import { costOf } from '../engine/oracle.js';

/** Multiplications of a pass that is computed: float64 is slow. */
const MOST = 4e6;
/** Samples of a pass, if the file leaves their number open. */
const BATCH = 3;
/** Random roundings that may explain a difference. */
const ROUNDINGS = 20;
/** Beyond this float32 has no room left. */
const OVERFLOW = 1e30;

const addon = loadAddon();

type Found = { readonly kind: 'agree' | 'lenient' | 'uncompared' | 'overflow' | 'differ'; readonly what?: string };

/** The pass of a model and what it computes. */
export interface Pass {
  readonly batch: number;
  readonly graph: Graph;
  readonly data: readonly Float32Array[];
  readonly at: (noise?: number) => Interpreter;
}

const TENSORS: Partial<Record<OnnxType, (values: Float32Array, dims: readonly number[]) => Tensor>> = {
  float: (values, dims) => new Tensor('float32', values, dims),
  double: (values, dims) => new Tensor('float64', Float64Array.from(values), dims),
  int64: (values, dims) => new Tensor('int64', BigInt64Array.from(values, BigInt), dims),
  int32: (values, dims) => new Tensor('int32', Int32Array.from(values), dims),
  bool: (values, dims) =>
    new Tensor(
      'bool',
      Uint8Array.from(values, (v) => Number(v !== 0)),
      dims,
    ),
};

/** TensorProto.DataType: float16 and bfloat16. */
const HALVES = [10, 16];

function castsToHalf({ attributes }: OnnxNode): boolean {
  const to = attributes.get('to');
  return to?.kind === 'int' && HALVES.includes(to.value);
}

/** Records a pass. @returns the reason why it is not computed. @throws UserError of a batch that has no rule */
export function passOf({ network, file, weights }: GraphModel): Pass | string {
  const batch = network.fileBatch ?? BATCH;
  const { pass, finish } = recordPass(network, batch);
  const graph = verified(finish(pass.outputs.map((node, index) => ({ role: 'output', index, node }))));
  if (costOf(graph) > MOST) return 'too large';
  const types = file.model.graph.inputs.map(({ type }) => type);
  const strange = types.find((type) => !TENSORS[type]);
  if (strange !== undefined) return `an input of ${strange}`;
  // Such a number is computed in float32 here.
  if (file.model.graph.nodes.some(castsToHalf)) return 'a cast to 16 bits';
  const random = createRandom(7);
  const draw = (type: OnnxType) => (type.includes('int') ? random.below(4) : type === 'bool' ? random.below(2) : 2 * random.next() - 1); // prettier-ignore
  const data = network.inputs.map(({ shape }, i) => Float32Array.from({ length: batch * sizeOf(shape) }, () => draw(types[i]!))); // prettier-ignore
  const named = new Map(weights.map((weight) => [weight.name, weight.data]));
  const feeds = new Map<Node, ArrayLike<number>>();
  for (const input of graph.inputs)
    if (input.role === 'data') feeds.set(input.node, data[input.index]!);
    else if (input.role === 'parameter' || input.role === 'state') feeds.set(input.node, named.get(input.name)!);
  return { batch, graph, data, at: (noise?: number) => new Interpreter(graph, feeds, noise) };
}

/** The outputs by the native kernels; the reason if they have none for it. */
export function byKernels({ network, weights }: GraphModel, { graph, data }: Pass): Float32Array[] | string {
  if ('reason' in addon) return addon.reason;
  const named = new Map(weights.map((weight) => [weight.name, weight.data]));
  const inputs = graph.inputs.map((input) => (input.role === 'data' ? data[input.index]! : 'name' in input ? named.get(input.name)! : new Float32Array(sizeOf(input.node.shape)))); // prettier-ignore
  const outputs = graph.outputs.map(({ node }) => new Float32Array(sizeOf(node.shape)));
  try {
    const native = NativeGraph.create(addon.addon, graph, inputs, outputs, { threads: 1, level: kernelLevel(addon.addon) }); // prettier-ignore
    native.runNow();
    void native.release();
  } catch (error) {
    if (error instanceof Unsupported) return error.message;
    throw error;
  }
  return network.outputs.map((_, i) => outputs[i]!);
}

/** The outputs of onnxruntime for the file, in the file's order of axes; the reason if it refuses the file. */
async function byOnnxruntime(path: string, { network, file }: GraphModel, { data, batch }: Pass) {
  let session: InferenceSession | undefined;
  // A file in training mode normalises by the batch at hand there.
  if (isInTrainingMode(file.model)) await writeFile(path, inInferenceMode(file.bytes, file.model, path));
  try {
    session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4, graphOptimizationLevel: 'disabled' }); // prettier-ignore
    const feeds = network.inputs.map((port, i) => {
      const { name, type } = file.model.graph.inputs[i]!;
      const dims = port.fileAxes?.map((axis) => port.shape[axis]!) ?? port.shape;
      return [name, TENSORS[type]!(asFile(port, data[i]!, batch), [batch, ...dims])] as const;
    });
    const results = await session.run(Object.fromEntries(feeds.filter(([name]) => session!.inputNames.includes(name))));
    return network.outputs.map(({ name }) => results[name]!);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await session?.release();
  }
}

/** Compares a pass with onnxruntime on the file. @param native what the kernels found. @param stage called with what is done next */
export async function compare(
  path: string,
  model: GraphModel,
  pass: Pass,
  native: Float32Array[] | string,
  stage: (name: string) => void,
): Promise<Found> {
  const { network } = model;
  const exact = pass.at();
  const outputs = pass.graph.outputs.map(({ node }) => node);
  const values = outputs.map((node) => exact.value(node));
  const judgement: Judgement = { differ: [], notes: new Set() };
  const isSmall = values.every((all) => all.every((v) => Math.abs(v) < OVERFLOW));
  const noisy = (i: number) => (seed: number) => pass.at(seed).value(outputs[i]!);
  const compared = (name: string, found: Parameters<typeof judge>[0]['found'], i: number, move = (v: ArrayLike<number>) => v) => judge({ name, found, exact: move(values[i]!), noisy: (seed) => move(noisy(i)(seed)), floor: 1e-5 }, judgement, ROUNDINGS); // prettier-ignore
  if (isSmall && typeof native !== 'string') native.forEach((found, i) => compared(`native: output ${i}`, { native: found }, i)); // prettier-ignore
  if (judgement.differ.length > 0) return { kind: 'differ', what: judgement.differ.join('; ') };
  stage('onnxruntime');
  const theirs = await byOnnxruntime(path, model, pass);
  stage('comparing');
  if (typeof theirs === 'string') return { kind: 'lenient', what: theirs };
  if (!isSmall) return { kind: 'overflow' };
  for (const [i, { data, dims }] of theirs.entries()) {
    const port = network.outputs[i]!;
    const shape = [pass.batch, ...(port.fileAxes?.map((axis) => port.shape[axis]!) ?? port.shape)];
    if (String(shape) !== String(dims)) return { kind: 'differ', what: `output ${i} is of shape [${shape}], not [${dims}]` }; // prettier-ignore
    if (typeof data[0] === 'string') return { kind: 'differ', what: `output ${i} is text` };
    const found = Float32Array.from(data as ArrayLike<number | bigint>, Number);
    if (found.some((v) => !(Math.abs(v) < OVERFLOW))) return { kind: 'overflow' };
    compared(`output ${i}`, { onnx: found }, i, (v) => asFile(port, Float32Array.from(v), pass.batch));
  }
  if (judgement.differ.length > 0) return { kind: 'differ', what: judgement.differ.join('; ') };
  return typeof native === 'string' ? { kind: 'agree', what: `not on native: ${native}` } : { kind: 'agree' };
}
