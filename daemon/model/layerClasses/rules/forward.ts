/** Parts of the forward rules of several classes. */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { channelsFirst, field, type Json } from '../../layers/layerConfig.js';
import { applyActivation } from '../activations/functions.js';
import type { ForwardRule, Left } from '../layerClass.js';

/** A layer that does nothing in inference. */
export const identity: ForwardRule = (_op, _config, [x]) => x!;

/** A function of values, without weights. */
export const unary =
  (f: (op: Operations, config: Json, x: Node) => Node | null): ForwardRule =>
  (op, config, [x]) =>
    f(op, config, x!);

/** Adds the bias along the last axis, and applies the config's activation. */
export const completed = (op: Operations, config: Json, y: Node, bias: Node | undefined): Node | null =>
  applyActivation(op, field(config, 'activation'), bias ? op.add(y, bias) : y);

/** Applies `body` to x with its channels last, whose result gets the order of axes that the config asks for. */
export function channelsLast(
  op: Operations,
  config: Json,
  x: Node,
  body: (x: Node) => Node | null | undefined,
): Node | null {
  if (!channelsFirst(config)) return body(x) ?? null;
  const space = x.shape.slice(2).map((_, i) => i);
  const y = body(op.transpose(x, [0, ...space.map((i) => i + 2), 1]));
  return y ? op.transpose(y, [0, y.shape.length - 1, ...space.map((i) => i + 1)]) : null;
}

/** Most operations that one call may become: more would take longer than they are worth, and units around such a layer stay. */
export const MOST_PARTS = 1024;

/** Repeats the rows and columns of [batch, height, width, channels], which is none of the units. */
export const stretched = (op: Operations, x: Node, height: number, width: number): Node =>
  op.graph.add({
    op: 'ResizeNearest',
    inputs: [x],
    attrs: { alignCorners: false, halfPixelCenters: false },
    shape: [x.shape[0]!, height, width, x.shape[3]!],
  });

/** Values that lie along some axes of x (ascending, the batch counted), in a shape that broadcasts to it. */
export const placed = (op: Operations, values: Node, x: Node, axes: readonly number[]): Node =>
  op.reshape(values, x.shape.flatMap((n, axis) => (axes.includes(axis) ? [n] : axis > axes[0]! ? [1] : []))); // prettier-ignore

/** Scales and shifts x along some of its axes, ascending: the last step of a normalisation. */
export function scaledAndCentred(op: Operations, x: Node, axes: readonly number[], gamma: Node | undefined, beta: Node | undefined): Node {
  const scaled = gamma ? op.mul(x, placed(op, gamma, x, axes)) : x;
  return beta ? op.add(scaled, placed(op, beta, x, axes)) : scaled;
} // prettier-ignore

/** Sets a number under the config's spelling of the key. */
export function setNumber(config: Json, key: string, value: number): void {
  const camel = key.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  config[config[key] === undefined && config[camel] !== undefined ? camel : key] = value;
}

/** The number of channels of the output is a setting of that name. */
export const resizes =
  (key: string) =>
  (config: Json, { output }: Left): void =>
    setNumber(config, key, output.at(channelsFirst(config) ? 0 : -1)!.length);

/** Those whose names begin with `prefix`, by what follows: the weights of an inner layer. */
export const within = <T>(weights: Readonly<Record<string, T>>, prefix: string): Record<string, T> =>
  Object.fromEntries(
    Object.entries(weights).flatMap(([name, weight]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), weight] as const] : [],
    ),
  );
