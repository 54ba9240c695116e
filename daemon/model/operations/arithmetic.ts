/** Operations on two numbers, of tensors or of a tensor and a number, in either order. */
import type * as Core from '@tensorflow/tfjs-core';
import type { Dim, Shape } from '../layers/shape.js';
import { noSettings, onlyTensors, type Operation, type OperationConfig } from './operation.js';

/** NumPy's broadcasting, of samples: sizes from the right, 1 stretches. */
export function broadcast(a: Shape, b: Shape): Shape | null {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const lead = long.length - short.length;
  const shape: Dim[] = [];
  for (const [i, n] of long.entries()) {
    const m = i < lead ? 1 : short[i - lead]!;
    if (n !== null && m !== null && n !== m && n !== 1 && m !== 1) return null;
    shape.push(n === 1 ? m : m === 1 ? n : (n ?? m));
  }
  return shape;
}

const same = (inputs: readonly Shape[]): boolean => inputs.every((shape) => String(shape) === String(inputs[0]));

/** scale * x + offset. */
const rescaling = ({ name }: OperationConfig, scale: number, offset: number) => ({
  class_name: 'Rescaling',
  config: { name, trainable: true, scale, offset },
});

interface Rule {
  readonly className: string;
  readonly alsoKeras?: readonly string[];
  readonly tensorflow: readonly string[];
  readonly compute: (tf: typeof Core, a: Core.Tensor, b: Core.Tensor) => Core.Tensor;
  /** The layer for two tensors of one shape. */
  readonly layer?: string;
  /** x (operation) n and n (operation) x as scale * x + offset. */
  readonly right?: (n: number) => readonly [scale: number, offset: number] | null;
  readonly left?: (n: number) => readonly [scale: number, offset: number] | null;
}

const binary = ({ className, alsoKeras, tensorflow, compute, layer, right, left }: Rule): Operation => ({
  keras: { module: 'numpy', className },
  ...(alsoKeras && { alsoKeras }),
  tensorflow,
  arity: 2,
  settings: noSettings,
  shape([a = null, b = null], config) {
    if (a === null) return null;
    // Tensors of fewer axes would broadcast against the other's batch.
    return onlyTensors(config) ? (b === null || a.length !== b.length ? null : broadcast(a, b)) : a;
  },
  compute: (tf, [a, b]) => compute(tf, a!, b!),
  asLayer(config, inputs) {
    const [a, b] = config.operands as [number | null, number | null];
    if (a === null && b === null)
      return layer !== undefined && same(inputs)
        ? { class_name: layer, config: { name: config.name, trainable: true } }
        : null;
    const map = b === null ? left?.(a!) : right?.(b);
    return map ? rescaling(config, ...map) : null;
  },
});

export const ARITHMETIC: Readonly<Record<string, Operation>> = {
  add: binary({
    className: 'Add',
    tensorflow: ['add', 'add_v2'],
    compute: (tf, a, b) => tf.add(a, b),
    layer: 'Add',
    right: (n) => [1, n],
    left: (n) => [1, n],
  }),
  subtract: binary({
    className: 'Subtract',
    tensorflow: ['subtract', 'sub'],
    compute: (tf, a, b) => tf.sub(a, b),
    right: (n) => [1, -n],
    left: (n) => [-1, n],
  }),
  multiply: binary({
    className: 'Multiply',
    tensorflow: ['multiply', 'mul'],
    compute: (tf, a, b) => tf.mul(a, b),
    layer: 'Multiply',
    right: (n) => [n, 0],
    left: (n) => [n, 0],
  }),
  divide: binary({
    className: 'Divide',
    alsoKeras: ['TrueDivide'],
    tensorflow: ['truediv', 'divide', 'div', 'realdiv'],
    compute: (tf, a, b) => tf.div(a, b),
    right: (n) => (n === 0 ? null : [1 / n, 0]),
  }),
  power: binary({
    className: 'Power',
    tensorflow: ['pow'],
    compute: (tf, a, b) => tf.pow(a, b),
  }),
  maximum: binary({
    className: 'Maximum',
    tensorflow: ['maximum'],
    compute: (tf, a, b) => tf.maximum(a, b),
    layer: 'Maximum',
  }),
  minimum: binary({
    className: 'Minimum',
    tensorflow: ['minimum'],
    compute: (tf, a, b) => tf.minimum(a, b),
    layer: 'Minimum',
  }),
};
