import { UserError } from '../../protocol/errors.js';
import type { OnnxNode } from '../file/onnxModel.js';
import { OPERATORS } from './registry.js';

/** Collects the operators without a rule of a model in one message, with a way out for each kind. */

interface Kind {
  readonly what: string;
  readonly wayOut: string;
  readonly has: (node: OnnxNode) => boolean;
}

const named = (pattern: RegExp) => ({ op, domain }: OnnxNode) => domain === '' && pattern.test(op); // prettier-ignore

const KINDS: readonly Kind[] = [
  {
    what: 'control flow',
    wayOut:
      'export a model whose forward pass does not depend on its data (torch.onnx.export by tracing, with fixed sizes)',
    has: named(/^(If|Loop|Scan)$/),
  },
  {
    what: 'quantisation',
    wayOut:
      'open the model from before it was quantised (the float ONNX file, or export with quantisation off), prune that, and quantise afterwards',
    has: ({ op }) =>
      /^(QLinear|Quantize|Dequantize|DynamicQuantize|ConvInteger|MatMulInteger|QGemm|QAttention)/.test(op),
  },
  {
    what: 'sequences and optional values',
    wayOut: 'export a model that takes and gives tensors only',
    has: named(/^(Sequence|SplitToSequence|ConcatFromSequence|Optional|Reverse_?Sequence)/),
  },
  {
    what: 'text',
    wayOut: 'leave text to the program around the model, and export from the first tensor of numbers on',
    has: named(/^(String|Regex|TfIdf|LabelEncoder|CategoryMapper)/),
  },
  {
    what: 'random numbers',
    wayOut: 'export for evaluation, or draw them outside of the model',
    has: named(/^(Random|Bernoulli|Multinomial)/),
  },
  {
    what: "onnxruntime's own operators",
    wayOut: 'open the file from before onnxruntime optimised it, or export without fusions',
    has: ({ domain }) => domain.startsWith('com.microsoft'),
  },
  {
    what: 'operators of other domains',
    wayOut: 'export with operators of ONNX itself',
    has: ({ domain }) => domain !== '',
  },
  { what: 'operators without a rule', wayOut: 'export with other operators, or without that part of the model', has: () => true }, // prettier-ignore
];

/** Whether the operator has a rule. */
export const isSupported = ({ op, domain }: OnnxNode): boolean => domain === '' && OPERATORS.has(op);

const nameOf = ({ op, domain }: OnnxNode): string => (domain === '' ? op : `${domain}.${op}`);

/** "Loop (2), If" */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => (n > 1 ? `${name} (${n})` : name)).join(', ');
}

/** Sentences about the nodes without a rule, one per kind. */
export function problemsOf(nodes: readonly OnnxNode[]): string[] {
  let rest = nodes.filter((node) => !isSupported(node));
  return KINDS.flatMap(({ what, wayOut, has }) => {
    const own = rest.filter(has);
    rest = rest.filter((node) => !has(node));
    return own.length === 0 ? [] : [`${what}: ${counted(own.map(nameOf))}; ${wayOut}`];
  });
}

/**
 * @param refusals sentences about nodes whose operator has a rule that does not cover them
 * @returns one error with all of it
 */
export function unsupported(path: string, nodes: readonly OnnxNode[], refusals: readonly string[]): UserError {
  const some = refusals.slice(0, 5);
  const more = refusals.length - some.length;
  const all = [...problemsOf(nodes), ...some, ...(more > 0 ? [`and ${more} more like these`] : [])];
  return new UserError('model-unsupported', `${path} cannot be computed: ${all.join('. ')}`, { file: path });
}
