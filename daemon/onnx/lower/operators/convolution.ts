import type { Node } from '../../../network/ir.js';
import { convolveVolume, convolveVolumeBack } from '../../../network/volumes.js';
import type { Call, Operator } from '../call.js';
import type { Lowering } from '../lowering.js';
import { dimsOf } from '../values/value.js';
import { permutedLayout, splitLayout } from '../values/weightLayout.js';
import { reachOf, refuseUneven, type Windows, windowsOf } from './windows.js';

/** Convolutions and transposed convolutions of sequences, images and volumes, with groups. */

const zip = (a: readonly number[], b: readonly number[], f: (x: number, y: number) => number) => a.map((v, i) => f(v, b[i]!)); // prettier-ignore

/** An image operation of the graph slides windows along two axes; a sequence is an image of one row. */
interface Sliding {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

const twoAxes = (list: readonly number[], fill: number): readonly number[] => (list.length === 1 ? [fill, ...list] : list); // prettier-ignore

const slidingOf = ({ strides, dilations, before, after }: Windows): Sliding => ({
  strides: twoAxes(strides, 1),
  dilations: twoAxes(dilations, 1),
  pads: [...twoAxes(before, 0), ...twoAxes(after, 0)],
});

/** [batch, length, channels] -> [batch, 1, length, channels]. */
const asImage = (lowering: Lowering, x: Node): Node =>
  x.shape.length === 3 ? lowering.reshape(x, [x.shape[0]!, 1, ...x.shape.slice(1)]) : x;

/** [length, in, out] -> [1, length, in, out]. */
const asFilter = (lowering: Lowering, filter: Node): Node =>
  filter.shape.length === 3 ? lowering.reshape(filter, [1, ...filter.shape]) : filter;

const sliced = (lowering: Lowering, x: Node, axis: number, from: number, length: number): Node =>
  lowering.add('Slice', [x], x.shape.with(axis, length), { begin: x.shape.map((_, i) => (i === axis ? from : 0)) });

/** Negative padding crops the image, [batch, ...places, channels]. */
export function cut(lowering: Lowering, x: Node, windows: Windows): { readonly x: Node; readonly windows: Windows } {
  const { before, after } = windows;
  if ([...before, ...after].every((n) => n >= 0)) return { x, windows };
  const negative = (list: readonly number[]) => list.map((n) => Math.max(0, -n));
  const [front, back] = [negative(before), negative(after)];
  const places = zip(zip(x.shape.slice(1, -1), front, (n, k) => n - k), back, (n, k) => n - k); // prettier-ignore
  const inner = lowering.add('Slice', [x], [x.shape[0]!, ...places, x.shape.at(-1)!], { begin: [0, ...front, 0] });
  const clipped = (list: readonly number[]) => list.map((n) => Math.max(0, n));
  return { x: inner, windows: { ...windows, before: clipped(before), after: clipped(after) } };
}

/** The windows along the first of three axes, and along the other two. */
function slidingVolume(
  frames: number,
  windows: Pick<Windows, 'sizes' | 'strides' | 'dilations' | 'before' | 'after' | 'counts'>,
) {
  const at = (list: readonly number[]) => list[0]!;
  const { sizes, strides, dilations, before, after, counts } = windows;
  const depth = { frames, windows: at(counts), size: at(sizes), stride: at(strides), dilation: at(dilations), before: at(before), after: at(after) }; // prettier-ignore
  const image = (list: readonly number[]) => list.slice(1);
  return { depth, attrs: { strides: image(strides), dilations: image(dilations), pads: [...image(before), ...image(after)] } }; // prettier-ignore
}

/** The convolution of [batch, ...places, channels]. */
function convolved(
  lowering: Lowering,
  op: 'Conv2D' | 'DepthwiseConv2D',
  x: Node,
  filter: Node,
  windows: Windows,
): Node {
  const channels = op === 'Conv2D' ? filter.shape.at(-1)! : filter.shape.at(-1)! * filter.shape.at(-2)!;
  const shape = [x.shape[0]!, ...windows.counts, channels];
  if (windows.sizes.length === 3) {
    const { depth, attrs } = slidingVolume(x.shape[1]!, windows);
    return convolveVolume(lowering.builder, x, filter, depth, attrs, shape);
  }
  const attrs = { ...slidingOf(windows) };
  const image = asImage(lowering, x);
  const inner = [x.shape[0]!, ...twoAxes(windows.counts, 1), channels];
  return lowering.reshape(lowering.add(op, [image, asFilter(lowering, filter)], inner, attrs), shape);
}

/** Adds the bias, an optional third input, to each channel, the last axis. */
function withBias(call: Call, x: Node): Node {
  const { lowering } = call;
  if (!call.optional(2)) return x;
  return lowering.add('Add', [x, lowering.natural(call.vector(2, x.shape.at(-1)!))], x.shape);
}

function groupsOf(call: Call): number {
  const group = call.int('group', 1);
  if (group < 1) throw call.refusal(`has ${group} groups`);
  return group;
}

/** Windows of the file's filter, [filters, channels / group, ...window]. */
function checkedRank(call: Call, what: string): number {
  const rank = call.rank(0);
  if (rank >= 3 && rank <= 5) return rank;
  throw call.refusal(`${what} an input of ${rank} axes; sequences (3), images (4) and volumes (5) have a rule`);
}

const conv: Operator = (call) => {
  const { lowering } = call;
  const rank = checkedRank(call, 'convolves');
  const given = call.shapeOfRank(1, rank);
  const [filters, channels] = [given[0]!, dimsOf(call.input(0))[1]!];
  const sizes = given.slice(2);
  const group = groupsOf(call);
  if (given[1]! * group !== channels) throw call.refusal(`has a filter for ${given[1]! * group} channels; its input has ${channels}`); // prettier-ignore
  if (filters % group !== 0) throw call.refusal(`has ${filters} filters for ${group} groups`);
  const window = sizes.map((_, i) => i + 2);
  const whole = lowering.image(call.input(0));
  const { x, windows } = cut(lowering, whole, windowsOf(call, whole.shape.slice(1, rank - 1), sizes));
  const depthwise = group === channels && group > 1 && rank < 5;
  let y: Node;
  if (depthwise) {
    const split = [channels, filters / channels, ...sizes];
    const filter = lowering.kernel(call.input(1), splitLayout(split, [...window, 0, 1]));
    y = convolved(lowering, 'DepthwiseConv2D', x, filter, windows);
  } else {
    const filter = lowering.kernel(call.input(1), permutedLayout(given, [...window, 1, 0]));
    const own = (k: number) => {
      const part = sliced(lowering, x, rank - 1, (k * channels) / group, channels / group);
      return convolved(lowering, 'Conv2D', part, sliced(lowering, filter, rank - 1, (k * filters) / group, filters / group), windows); // prettier-ignore
    };
    y = joined(call, group, own);
  }
  return lowering.ofImage(withBias(call, y));
};

/** Most groups that are no depthwise convolution: each adds a few operations to the graph. */
const mostGroups = 1024;

/** Computes each group by itself, and joins their channels. */
function joined(call: Call, count: number, own: (group: number) => Node): Node {
  if (count > mostGroups) throw call.refusal(`has ${count} groups; at most ${mostGroups} are computed, one beside the other`); // prettier-ignore
  const groups = Array.from({ length: count }, (_, k) => own(k));
  const [first] = groups as [Node];
  const axis = first.shape.length - 1;
  if (groups.length === 1) return first;
  return call.lowering.add('Concat', groups, first.shape.with(axis, first.shape[axis]! * groups.length), { axis });
}

/** Sizes of the transposed convolution's result, and its part that no window reaches at the start. */
function outputOf(call: Call, places: readonly number[], sizes: readonly number[]) {
  const each = (name: string, fill: number) => call.ints(name, undefined) ?? places.map(() => fill);
  const [strides, dilations, extra] = [each('strides', 1), each('dilations', 1), each('output_padding', 0)];
  refuseUneven(call, sizes, strides, dilations);
  if (strides.length !== places.length || dilations.length !== places.length || extra.length !== places.length) throw call.refusal(`slides windows over ${places.length} axes with strides [${strides}]`); // prettier-ignore
  const full = places.map((n, i) => strides[i]! * (n - 1) + reachOf(sizes[i]!, dilations[i]!));
  const auto = call.text('auto_pad', 'NOTSET');
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
  const asked = call.ints('output_shape', undefined)?.slice(-places.length);
  if (asked && (asked.length !== places.length || asked.some((n) => n < 1))) throw call.refusal(`makes an output of [${asked}]`); // prettier-ignore
  const wanted = asked ?? (same ? places.map((n, i) => n * strides[i]!) : undefined);
  if (!wanted) {
    const pads = call.ints('pads', undefined) ?? [...places, ...places].map(() => 0);
    if (pads.length !== 2 * places.length) throw call.refusal(`has pads of [${pads}] for ${places.length} axes`);
    const [before, after] = [pads.slice(0, places.length), pads.slice(places.length)];
    const counts = full.map((n, i) => n + extra[i]! - before[i]! - after[i]!);
    return { strides, dilations, before, counts, full };
  }
  // If the result is larger than the reach of the windows, its zeros are at the end.
  const total = full.map((n, i) => Math.max(0, n + extra[i]! - wanted[i]!));
  const before = total.map((n) => (auto === 'SAME_UPPER' ? Math.trunc(n / 2) : n - Math.trunc(n / 2)));
  return { strides, dilations, before, counts: wanted, full };
}

/** The image of the given shape whose convolution by the filter would have the gradient dy. */
function spreadImage(
  lowering: Lowering,
  dy: Node,
  filter: Node,
  windows: Parameters<typeof slidingVolume>[1],
  shape: readonly number[],
  depthwise: boolean,
): Node {
  if (shape.length === 5) {
    const { depth, attrs } = slidingVolume(shape[1]!, windows);
    return convolveVolumeBack(lowering.builder, dy, filter, depth, attrs, shape);
  }
  const { strides, dilations, before, after } = windows;
  const attrs = { strides: twoAxes(strides, 1), dilations: twoAxes(dilations, 1), pads: [...twoAxes(before, 0), ...twoAxes(after, 0)] }; // prettier-ignore
  const op = depthwise ? 'DepthwiseConv2DBackpropInput' : 'Conv2DBackpropInput';
  const inner = [shape[0]!, ...twoAxes(shape.slice(1, -1), 1), shape.at(-1)!];
  return lowering.reshape(lowering.add(op, [asImage(lowering, dy), asFilter(lowering, filter)], inner, attrs), shape);
}

/** The gradient of a convolution with respect to its image computes the transposed convolution. */
const convTranspose: Operator = (call) => {
  const { lowering } = call;
  const rank = checkedRank(call, 'convolves');
  const given = call.shapeOfRank(1, rank);
  const sizes = given.slice(2);
  const group = groupsOf(call);
  const [channels, filters] = [given[0]!, given[1]! * group];
  const x = lowering.image(call.input(0));
  if (x.shape.at(-1) !== channels) throw call.refusal(`has a filter for ${channels} channels; its input has ${x.shape.at(-1)}`); // prettier-ignore
  if (channels % group !== 0) throw call.refusal(`has ${channels} channels for ${group} groups`);
  const { strides, dilations, before, counts, full } = outputOf(call, x.shape.slice(1, rank - 1), sizes);
  const window = sizes.map((_, i) => i + 2);
  // Computes the whole result, then crops the padding, or adds rows that no window reaches.
  const spread = (dy: Node, filter: Node, depthwise: boolean): Node => {
    const out = depthwise ? channels : filter.shape.at(-2)!;
    const start = before.map((n) => Math.max(0, n));
    const end = full.map((n, i) => Math.max(0, n - start[i]! - counts[i]! - Math.min(0, before[i]!)));
    const inner = full.map((n, i) => {
      const least = n - start[i]! - end[i]!;
      // The result may be larger, up to the next step of a window.
      const more = before[i]! >= 0 ? counts[i]! - least : 0;
      return least + Math.max(0, Math.min(more, strides[i]! - 1));
    });
    const shape = [dy.shape[0]!, ...inner, out];
    const sliding = { sizes, strides, dilations, before: start, after: end, counts: dy.shape.slice(1, -1) };
    const image = spreadImage(lowering, dy, filter, sliding, shape, depthwise);
    const front = before.map((n) => Math.max(0, -n));
    const back = counts.map((n, i) => n - inner[i]! - front[i]!);
    if ([...front, ...back].every((n) => n === 0)) return image;
    const whole = [dy.shape[0]!, ...counts, out];
    return lowering.add('Pad', [image], whole, { before: [0, ...front, 0], after: [0, ...back, 0], value: 0 });
  };
  const depthwise = group === channels && group > 1 && given[1] === 1 && rank < 5;
  if (depthwise) {
    const filter = lowering.kernel(call.input(1), permutedLayout(given, [...window, 0, 1]));
    return lowering.ofImage(withBias(call, spread(x, filter, true)));
  }
  const filter = lowering.kernel(call.input(1), permutedLayout(given, [...window, 1, 0]));
  const own = (k: number) => {
    const [from, length] = [(k * channels) / group, channels / group];
    return spread(sliced(lowering, x, rank - 1, from, length), sliced(lowering, filter, rank - 1, from, length), false);
  };
  const y = joined(call, group, own);
  if (y.shape.at(-1) !== filters) throw call.refusal('has groups that do not fit its filter');
  return lowering.ofImage(withBias(call, y));
};

export const convolutionOperators: Readonly<Record<string, Operator>> = { Conv: conv, ConvTranspose: convTranspose };
