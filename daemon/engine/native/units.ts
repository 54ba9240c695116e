import type { Node } from '../../network/ir.js';
import type { ReadProducts } from './products.js';

/**
 * A graph cut into what the kernels run: heavy operations with what is fused into them, and groups of element-wise
 * operations over one view. In the order of execution.
 */
export type Unit =
  | {
      readonly kind: 'gemm';
      readonly node: Node;
      readonly result: Node;
      readonly bias?: Node;
      readonly relu: boolean;
      readonly products: ReadProducts;
    }
  | {
      readonly kind: 'convolution';
      readonly node: Node;
      readonly result: Node;
      readonly bias?: Node;
      readonly relu: boolean;
      /** The pooling fused into it: only pooled values are kept, and where they came from. */
      readonly pool?: Node;
    }
  | { readonly kind: 'inputGradient'; readonly node: Node }
  | {
      readonly kind: 'filterGradient';
      readonly node: Node;
      /** Sum of dy by channel. */
      readonly bias?: Node;
      /** The pooling gradient that dy is, computed on the way. */
      readonly pool?: Node;
    }
  | { readonly kind: 'maxPool' | 'maxPoolGradient' | 'averagePool' | 'averagePoolGradient'; readonly node: Node }
  | {
      readonly kind: 'depthwise' | 'depthwiseInputGradient' | 'depthwiseFilterGradient';
      readonly node: Node;
    }
  | { readonly kind: 'reduce' | 'cumulativeSum' | 'move' | 'gather' | 'segmentSum'; readonly node: Node }
  | Group;

/** Element-wise nodes, reductions of their rows and sums over them (see roles.ts). */
export interface Group {
  readonly kind: 'group';
  readonly rows: number;
  readonly columns: number;
  /** In topological order. */
  readonly nodes: Node[];
}

/** The graph has something no kernel computes; the message names it. */
export class Unsupported extends Error {
  constructor(node: Node, why = '') {
    const layer = node.layer ? ` (layer "${node.layer}")` : '';
    super(
      `no native kernel for ${node.op} of [${node.inputs.map(({ shape }) => shape.join(',')).join('] [')}]${layer}${why}`,
    );
  }
}

/** Reshapes and casts of numbers are the tensor under another name. */
export function root(node: Node): Node {
  const alias = node.op === 'Reshape' || (node.op === 'Cast' && node.dtype === 'float32');
  return alias ? root(node.inputs[0]!) : node;
}

/** The inputs a node reads, after fusions. */
export type InputsOf = (node: Node) => readonly Node[];
