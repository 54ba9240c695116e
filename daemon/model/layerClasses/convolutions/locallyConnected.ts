/**
 * LocallyConnected1D and LocallyConnected2D of Keras 2 (keras/layers/local.py, implementation 1): a convolution with a kernel of its own for each
 * output position. Keras 3 dropped both.
 */
import { channelsFirst, numberAt, stringAt, tupleAt, type Json } from '../../layers/layerConfig.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { LayerClass } from '../layerClass.js';
import { channelsLast, completed, MOST_PARTS, resizes } from '../rules/forward.js';
import { again } from '../rules/settings.js';
import { convolved, filters } from '../rules/shapes.js';
import { channelsIn, kernel, kernelSize, positionsOf, product, usesBias, vector } from '../rules/weights.js';
import { finished, overChannelsLast } from './computed.js';

const places = (sizes: readonly number[]): number[][] =>
  sizes.reduce<number[][]>((all, n) => all.flatMap((at) => Array.from({ length: n }, (_, i) => [...at, i])), [[]]);

/** Sizes and strides. */
const windowsOf = (config: Json, n: number): [number[], number[]] =>
  ['kernel_size', 'strides'].map((key) => tupleAt(config, key, n, 1)!) as [number[], number[]];

const locallyConnected = (n: number): LayerClass => {
  const shape = convolved(n, filters);
  const spaceOf = (config: Json, output: readonly (number | null)[] | null | undefined): (number | null)[] =>
    output ? [...(channelsFirst(config) ? output.slice(1) : output.slice(0, -1))] : new Array<null>(n).fill(null);
  return {
    settings(config, refuse) {
      if ((numberAt(config, 'implementation') ?? 1) !== 1)
        refuse(`has implementation ${numberAt(config, 'implementation')}, whose weights are stored otherwise; use implementation 1 and save again`); // prettier-ignore
      if ((stringAt(config, 'padding') ?? 'valid').toLowerCase() !== 'valid') refuse(`has padding other than valid; ${again}`); // prettier-ignore
    },
    shape,
    weights(config, input) {
      const [output] = shape(config, [input], () => []);
      const space = spaceOf(config, output);
      const read = product(...kernelSize(config, n), channelsIn(config, input));
      return [
        kernel('kernel', [output ? sizeOf(space as number[]) : null, read, filters(config)], 1),
        ...(usesBias(config) ? [vector('bias', ...space, filters(config))] : []),
      ];
    },
    problem: (config, input) =>
      positionsOf(config, input) > 0 && !input.includes(null) ? null : 'needs an input of a fixed size',
    forward: (op, config, [given], { kernel: weight, bias }) =>
      channelsLast(op, config, given!, (x) => {
        const [sizes, strides] = windowsOf(config, n);
        const space = x.shape.slice(1, -1).map((length, i) => Math.floor((length - sizes[i]!) / strides[i]!) + 1);
        const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
        if (places(sizes).length > MOST_PARTS) return null;
        const taps = places(sizes).map((at) => {
          const seen = at.reduce((part, from, i) => op.every(part, i + 1, from, space[i]!, strides[i]!), x);
          return op.reshape(seen, [batch, sizeOf(space), channels]);
        });
        const rows = op.transpose(op.concat(taps, 2), [1, 0, 2]);
        const y = op.transpose(op.matMul(rows, weight!), [1, 0, 2]);
        return completed(op, config, op.reshape(y, [batch, ...space, filters(config)!]), bias);
      }),
    resize: resizes('filters'),
    compute: (tf, config, [given], { kernel: weight, bias }) =>
      overChannelsLast(tf, config, given!, (x) => {
        const [sizes, strides] = windowsOf(config, n);
        const space = x.shape.slice(1, -1).map((length, i) => Math.floor((length - sizes[i]!) / strides[i]!) + 1);
        const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
        const taps = places(sizes).map((at) => {
          const end = at.map((from, i) => from + (space[i]! - 1) * strides[i]! + 1);
          const begin = [0, ...at, 0];
          // The engines of TensorFlow.js differentiate slices without steps alone.
          const seen = strides.every((step) => step === 1)
            ? tf.slice(x, begin, [batch, ...space, channels])
            : tf.stridedSlice(x, begin, [batch, ...end, channels], [1, ...strides, 1]);
          return tf.reshape(seen, [batch, sizeOf(space), channels]);
        });
        const rows = tf.transpose(tf.concat(taps, 2), [1, 0, 2]);
        const y = tf.transpose(tf.matMul(rows, weight!), [1, 0, 2]);
        return finished(tf, config, tf.reshape(y, [batch, ...space, filters(config)!]), bias);
      }),
  };
};

export const LOCALLY_CONNECTED = {
  LocallyConnected1D: locallyConnected(1),
  LocallyConnected2D: locallyConnected(2),
} satisfies Record<string, LayerClass>;
