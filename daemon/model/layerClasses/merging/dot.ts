import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { layer, optional, required } from '../../keras3/arguments.js';
import { axis, flag } from '../../keras3/values.js';
import { field, type Json } from '../../layers/layerConfig.js';
import { axisWithoutBatch, type Shape } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';

/** The axes that are summed over, in shapes without the batch; null: an input lacks its own. */
function summedAxes(config: Json, a: Shape, b: Shape): [number, number] | null {
  const axes = field(config, 'axes');
  const [axisA, axisB] = Array.isArray(axes) ? (axes as unknown[]) : [axes, axes];
  if (typeof axisA !== 'number' || typeof axisB !== 'number') return null;
  const [i, j] = [axisWithoutBatch(axisA, a.length), axisWithoutBatch(axisB, b.length)];
  return i === null || j === null ? null : [i, j];
}

/** [batch, rows, summed], of unit length along the last axis if that is asked for (epsilon of tfjs-layers 4.22, `l2Normalize`). */
function rows(op: Operations, x: Node, summed: number, isNormalized: boolean): Node {
  const [batch, length] = [x.shape[0]!, x.shape[1]!];
  const matrix =
    x.shape.length === 2 ? op.reshape(x, [batch, 1, length]) : summed === 0 ? op.transpose(x, [0, 2, 1]) : x;
  if (!isNormalized) return matrix;
  const square = op.reduce('Sum', op.unary('Square', matrix), [2], true);
  return op.mul(matrix, op.unary('Rsqrt', op.binary('Maximum', square, 1e-7)));
}

export const DOT = {
  Dot: {
    shape(config, [a, b]) {
      if (!a || !b || a.length > 2 || b.length > 2) return [null];
      const axes = summedAxes(config, a, b);
      if (!axes) return [null];
      const rest = [...a.filter((_dim, k) => k !== axes[0]), ...b.filter((_dim, k) => k !== axes[1])];
      return [rest.length === 0 ? [1] : rest];
    },
    forward(op, config, [a, b], _weights, { shape }) {
      const [i, j] = summedAxes(config, a!.shape.slice(1), b!.shape.slice(1))!;
      const isNormalized = field(config, 'normalize') === true;
      const [left, right] = [rows(op, a!, i, isNormalized), rows(op, b!, j, isNormalized)];
      if (left.shape[2] !== right.shape[2]) return null;
      return op.reshape(op.matMul(left, right, false, true), [a!.shape[0]!, ...shape]);
    },
    keras: layer({ axes: required(axis), normalize: optional(flag) }),
  },
} satisfies Record<string, LayerClass>;
