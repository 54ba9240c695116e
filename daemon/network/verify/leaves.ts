import type { DType, Node } from '../ir.js';
import { allTypes, demand, hasType, type Rule } from './rule.js';
import { sizeOf } from '../../protocol/shape.js';

/** Rules of the leaves, which have no inputs. */

const holds: Record<DType, (value: number) => boolean> = {
  float32: () => true,
  int32: (value) => value === (value | 0),
  bool: (value) => value === 0 || value === 1,
};

function valuesOf({ constant, dtype, shape }: Node): void {
  if (constant === undefined) return demand(false, () => 'it must have values, or one for all elements');
  if (typeof constant === 'number')
    return demand(holds[dtype](constant), () => `its value must be one of ${dtype}; it is ${constant}`);
  const array = dtype === 'float32' ? Float32Array : Int32Array;
  demand(constant instanceof array, () => `its values must be a ${array.name}, as those of ${dtype} are`);
  demand(constant.length === sizeOf(shape), () => `it must have ${sizeOf(shape)} values; it has ${constant.length}`);
  if (dtype === 'bool') demand(constant.every(holds.bool), () => 'its values must be 0 or 1');
}

const shapeOf = (node: Node): readonly number[] => node.shape;

export const leafRules = {
  Input: { arity: 0, attrs: {}, types: ({ dtype }) => hasType(dtype, ['float32']), shape: shapeOf },
  Constant: {
    arity: 0,
    attrs: {},
    types: (node) => {
      hasType(node.dtype, allTypes);
      valuesOf(node);
    },
    shape: shapeOf,
  },
} satisfies Record<string, Rule>;
