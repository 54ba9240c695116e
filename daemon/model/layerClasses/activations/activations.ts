/** Activation, ELU, Softmax, Rescaling: functions of values without weights, and their settings. */
import { layer, optional, or, required } from '../../keras3/arguments.js';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { activation, axis, number, numbers } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import { axisWithoutBatch } from '../../layers/shape.js';
import type { LayerClass, Left } from '../layerClass.js';
import { unary } from '../rules/forward.js';
import { same } from '../rules/shapes.js';
import { applyActivation } from './functions.js';

/** Scale and offset of a Rescaling: one number for all channels, or one for each. */
const rescalings = (config: Json): readonly (readonly number[])[] =>
  [field(config, 'scale'), field(config, 'offset') ?? 0].map((given) => [given].flat() as number[]);

function resizeRescaling(config: Json, { output }: Left): void {
  const [scale, offset] = rescalings(config) as [readonly number[], readonly number[]];
  for (const [key, list] of Object.entries({ scale, offset }))
    if (list.length > 1) config[key] = output.at(-1)!.map((channel) => list[channel]!);
}

/** A softmax of any axis, which counts the batch. */
function softmax(op: Operations, x: Node, axis: number): Node {
  const last = x.shape.length - 1;
  const turned = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const moved = op.transpose(x, turned);
  return op.transpose(op.graph.add({ op: 'Softmax', inputs: [moved], shape: moved.shape }), turned);
}

export const ACTIVATIONS = {
  Activation: {
    shape: same,
    forward: unary((op, config, x) => applyActivation(op, field(config, 'activation'), x)),
    mask: 'pass',
    maskInTfjs: 'passes',
    sparse: 'activation',
    keras: layer({ activation: or(activation, 'linear') }),
  },
  ELU: {
    shape: same,
    forward: unary((op, config, x) => {
      const alpha = numberAt(config, 'alpha') ?? 1;
      if (alpha === 1) return op.unary('Elu', x);
      return op.add(op.unary('Relu', x), op.mul(op.unary('Elu', op.neg(op.unary('Relu', op.neg(x)))), alpha));
    }),
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ alpha: optional(number) }),
    computes: (config) => (numberAt(config, 'alpha') ?? 1) !== 1,
    compute: (tf, config, [x]) =>
      tf.add(tf.relu(x!), tf.mul(tf.elu(tf.neg(tf.relu(tf.neg(x!)))), numberAt(config, 'alpha')!)),
  },
  // It reads all channels.
  Softmax: {
    shape: same,
    // With a mask of steps it is refused.
    forward(op, config, [x], _weights, { masks }) {
      const axis = field(config, 'axis') ?? -1;
      const own = typeof axis === 'number' ? axisWithoutBatch(axis, x!.shape.length - 1) : null;
      return own === null || masks[0] ? null : softmax(op, x!, own + 1);
    },
    mask: 'pass',
    maskInTfjs: 'reads',
    asActivation: true,
    lastAxisInTfjs: true,
    sparse: 'activation',
    keras: layer({ axis: optional(axis) }),
  },
  Rescaling: {
    settings(config, refuse) {
      if ([field(config, 'scale'), field(config, 'offset') ?? 0].some((given) => numbers(given) === undefined))
        refuse('has a scale or an offset that is neither a number nor one for each channel; scale the data instead');
    },
    problem(config, input) {
      const wrong = rescalings(config).find((list) => list.length !== 1 && list.length !== input.at(-1));
      return wrong ? `rescales ${wrong.length} channels of an input of ${input.at(-1) ?? '?'}` : null;
    },
    shape: same,
    forward: unary((op, config, x) => {
      const [scale, offset] = rescalings(config).map((list) => op.graph.constant(Float32Array.from(list), [list.length])); // prettier-ignore
      return op.add(op.mul(x, scale!), offset!);
    }),
    resize: resizeRescaling,
    onInput: 'scales',
    mask: 'pass',
    keras: layer({ scale: required(numbers), offset: optional(numbers) }),
    computes: (config) => rescalings(config).some((list) => list.length > 1),
    compute(tf, config, [x]) {
      const [scale, offset] = rescalings(config).map((list) => tf.tensor1d([...list]));
      return tf.add(tf.mul(x!, scale!), offset!);
    },
  },
} satisfies Record<string, LayerClass>;
