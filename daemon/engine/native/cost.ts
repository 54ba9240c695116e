import { type Node } from '../../network/ir.js';
import { movesOf } from './moves.js';
import { countOf } from './products.js';
import { unfoldedSteps, unfolding } from './unfolded.js';
import type { Unit } from './units.js';
import { sizeOf } from '../../protocol/shape.js';

/** An operation of a program, for profiles. */
export interface Operation {
  readonly words: string;
  /** Multiplications and additions of products; 0 for what only moves through memory. */
  readonly flops: number;
  /** Of the tensors it reads and writes, each once. */
  readonly bytes: number;
}

/** The operations that a unit becomes. @param tensors what it reads and writes. */
export function operationsOf(unit: Unit, tensors: readonly Node[]): Operation[] {
  if (unit.kind === 'move')
    return movesOf(unit.node).map(({ shape, fill }) => ({
      words: `${unit.node.op} ${by(unit.node.inputs[0]!.shape)} -> ${by(unit.node.shape)}`,
      flops: 0,
      bytes: 4 * (fill + 2 * sizeOf(shape)),
    }));
  const product = { ...productOf(unit), bytes: 4 * tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0) };
  const unfolded = unfolding(unit);
  if (!unfolded) return [product];
  // Copies are counted with the product that reads them.
  return unfoldedSteps(unfolded, 'bias' in unit && unit.bias !== undefined).map((step) =>
    step === 'product' ? product : { words: `${product.words}: ${step}`, flops: 0, bytes: 0 },
  );
}

const by = (shape: readonly number[]): string => shape.join('x');

function productOf(unit: Unit): { words: string; flops: number } {
  if (unit.kind === 'group') {
    const ops = [...new Set(unit.nodes.map(({ op }) => op))];
    const named = ops.slice(0, 4).join(' ') + (ops.length > 4 ? '...' : '');
    return { words: `${unit.rows}x${unit.columns}: ${named}`, flops: 0 };
  }
  const { node } = unit;
  const [first, second] = node.inputs as [Node, Node];
  switch (unit.kind) {
    case 'gemm': {
      const { m, n, k, transposeA, transposeB } = unit.products.sizes;
      const count = countOf(unit.products.sizes);
      const each = `product ${m}x${k}${transposeA ? "'" : ''} * ${k}x${n}${transposeB ? "'" : ''}`;
      return { words: count > 1 ? `${each}, ${count} at once` : each, flops: 2 * count * m * n * k };
    }
    case 'convolution':
      return {
        words: `convolution ${by(first.shape)} * ${by(second.shape)}${unit.pool ? ', pooled' : ''}`,
        flops: (2 * sizeOf(node.shape) * sizeOf(second.shape)) / node.shape.at(-1)!,
      };
    case 'inputGradient':
      return {
        words: `its input gradient ${by(first.shape)} * ${by(second.shape)}`,
        flops: (2 * sizeOf(first.shape) * sizeOf(second.shape)) / first.shape.at(-1)!,
      };
    case 'filterGradient':
      return {
        words: `its filter gradient ${by(first.shape)} -> ${by(node.shape)}${unit.pool ? ', unpooled' : ''}`,
        flops: (2 * sizeOf(second.shape) * sizeOf(node.shape)) / second.shape.at(-1)!,
      };
    default:
      return { words: `${unit.kind} ${by(first.shape)} -> ${by(node.shape)}`, flops: 0 };
  }
}
