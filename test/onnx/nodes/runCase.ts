import { GraphBuilder } from '../../../daemon/network/builder.js';
import type { Node } from '../../../daemon/network/ir.js';
import type { OnnxModel, OnnxTensor } from '../../../daemon/onnx/file/onnxModel.js';
import { networkOfOnnx } from '../../../daemon/onnx/lower/onnxNetwork.js';
import { toFile } from '../../../daemon/onnx/lower/values/weightLayout.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { Interpreter } from '../../fuzz/engine/float64/interpreter.js';
import type { NodeCase } from './caseFiles.js';

/** `refused`: in words, by the reader or the lowering. `wrong`: other numbers, or a crash. */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'refused' | 'wrong'; readonly reason: string; readonly variant: string };

/** Which inputs are data; the others become initializers: numbers known at import, or weights. */
const variants: Readonly<Record<string, (tensor: OnnxTensor, index: number) => boolean>> = {
  'all data': () => true,
  'whole numbers known': ({ type }, i) => i === 0 || type === 'float' || type === 'double',
  'limits and whole numbers known': ({ type, dims }, i) => i === 0 || ((type === 'float' || type === 'double') && dims.length > 1), // prettier-ignore
  'first input data': (_, i) => i === 0,
  'all known': () => false,
};

function withInitializers(
  model: OnnxModel,
  inputs: readonly OnnxTensor[],
  isData: (index: number) => boolean,
): OnnxModel {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  graph.inputs.forEach(({ name }, i) => {
    if (!isData(i)) initializers.set(name, inputs[i]!);
  });
  return { ...model, graph: { ...graph, initializers, inputs: graph.inputs.filter((_, i) => isData(i)) } };
}

/** The outputs of a case's model in float64, for inputs that are data or known. @throws UserError if it is not supported */
function computed(
  { name, model, inputs }: NodeCase,
  isData: (index: number) => boolean,
): { values: ArrayLike<number>; shape: readonly number[] }[] {
  const shaped = { ...model, graph: { ...model.graph, inputs: model.graph.inputs.map((value, i) => ({ ...value, dims: inputs[i]!.dims })) } }; // prettier-ignore
  const network = networkOfOnnx(withInitializers(shaped, inputs, isData), name, { wholeShapes: true });
  const builder = new GraphBuilder();
  const feeds = new Map<Node, ArrayLike<number>>();
  const data = inputs.filter((_, i) => isData(i)).map((tensor, index) => {
    const node = builder.input(tensor.dims, { role: 'data', index });
    feeds.set(node, tensor.values());
    return node;
  }); // prettier-ignore
  const weights = new Map<string, Node>();
  const weight = (weightName: string): Node => {
    const known = weights.get(weightName);
    if (known) return known;
    const { shape, layout, tensor, values } = network.weights.find((one) => one.name === weightName)!;
    const node = builder.input(shape, { role: 'parameter', name: weightName });
    weights.set(weightName, node);
    feeds.set(node, values());
    const back = toFile(layout, values());
    if (back.some((v, i) => !Object.is(v, Math.fround(tensor.values()[i]!)) && !Number.isNaN(v)))
      throw new Error(`the weight "${weightName}" does not come back from its layout`);
    return node;
  };
  const training = model.graph.nodes.some(({ attributes }) => attributes.get('training_mode')?.kind === 'int' && (attributes.get('training_mode') as { value: number }).value === 1); // prettier-ignore
  const pass = network.pass(builder, { batch: 1, training, data, weight });
  const graph = builder.finish(pass.outputs.map((node, index) => ({ role: 'output', index, node })));
  const interpreter = new Interpreter(graph, feeds);
  return pass.outputs.map((node) => ({ values: interpreter.value(node), shape: node.shape }));
}

/** ONNX's own relative tolerance: some cases were computed with a rounded pi. */
const isClose = (a: number, b: number, relative: number): boolean =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-6 + relative * Math.abs(b);

/** The first difference from the outputs of the case; undefined if there is none. */
function difference(
  expected: OnnxTensor,
  { values, shape }: { values: ArrayLike<number>; shape: readonly number[] },
): string | undefined {
  if (String(shape) !== String(expected.dims)) return `its shape is [${shape}], not [${expected.dims}]`;
  const wanted = expected.values();
  // bfloat16 has 8 bits; it is computed in float32.
  const relative = expected.type === 'bfloat16' ? 2 ** -7 : 1e-3;
  for (let i = 0; i < wanted.length; i++)
    if (!isClose(values[i]!, wanted[i]!, relative)) return `element ${i} is ${values[i]}, not ${wanted[i]}`;
  return undefined;
}

/** Runs a case with each choice of what is data: all that are computed must be right, and one must be computed. */
export function runCase(one: NodeCase): Verdict {
  let refused: Verdict | undefined;
  let passed = false;
  const seen = new Set<string>();
  for (const [variant, choose] of Object.entries(variants)) {
    const chosen = one.inputs.map(choose);
    if (seen.has(String(chosen))) continue;
    seen.add(String(chosen));
    try {
      const results = computed(one, (i) => chosen[i]!);
      for (const [i, expected] of one.outputs.entries()) {
        const reason = difference(expected, results[i]!);
        if (reason !== undefined) return { kind: 'wrong', reason: `output ${i}: ${reason}`, variant };
      }
      passed = true;
    } catch (error) {
      if (!(error instanceof UserError)) return { kind: 'wrong', reason: (error as Error).message, variant };
      refused ??= { kind: 'refused', reason: error.message, variant };
    }
  }
  return passed ? { kind: 'passed' } : refused!;
}
