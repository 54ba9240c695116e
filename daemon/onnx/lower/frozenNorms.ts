import type { OnnxGraph, OnnxNode } from '../file/onnxModel.js';
import { mayBeWeight } from './weights.js';

/**
 * Finds BatchNormalization with fixed statistics that an exporter wrote as arithmetic: a convolution without a bias, times one number per
 * channel, plus one per channel. The framework of the file trains neither (torchvision's FrozenBatchNorm2d, inference graphs of
 * TensorFlow).
 *
 * @returns the initializers of scales and shifts
 */
export function frozenNorms({ initializers }: OnnxGraph, nodes: readonly OnnxNode[]): ReadonlySet<string> {
  const producer = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const readers = new Map<string, number>();
  for (const { inputs } of nodes) for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  /** The initializer, of one number per channel, that a node applies to the result of another node. */
  const applied = (node: OnnxNode | undefined, op: string) => {
    if (node?.op !== op || node.inputs.length !== 2) return undefined;
    const at = node.inputs.findIndex((name) => {
      const tensor = initializers.get(name);
      // [C, 1, 1] or [1, C, 1, 1]: along the channels of an image.
      return tensor !== undefined && mayBeWeight(tensor) && tensor.dims.length >= 3 && tensor.dims.at(-3)! > 1 && tensor.dims.at(-1) === 1; // prettier-ignore
    });
    if (at < 0) return undefined;
    const from = node.inputs[1 - at]!;
    return { name: node.inputs[at]!, from: readers.get(from) === 1 ? producer.get(from) : undefined };
  };
  const found = new Set<string>();
  for (const node of nodes) {
    const shift = applied(node, 'Add');
    const scale = applied(shift?.from, 'Mul');
    const source = scale?.from;
    if (!shift || !scale || source?.op !== 'Conv' || (source.inputs[2] ?? '') !== '') continue;
    found.add(shift.name).add(scale.name);
  }
  return found;
}
