import type { Cuts } from './constantEdits.js';
import { below, isCut, type AxisCut, type NodeEdit } from './nodeEdit.js';

/**
 * What an operator of a file says of sizes, and what that becomes once units are gone: one rule for each that says something.
 * Operators without a rule take all sizes from what they read.
 */
export type NodeRule = (edit: NodeEdit) => void;

const cutsFor = (axes: readonly AxisCut[]): Cuts => axes.map((axis) => (isCut(axis) ? axis.kept : null));

/** Sizes of the result, written down; 0 and less say where a size comes from. The list may be of the last axes only. */
const sizesOfOutput =
  (name: string, index: number): NodeRule =>
  (edit) => {
    const [sizes, output] = [edit.list(name, index), edit.output()];
    if (!sizes || !output) return;
    const lead = output.length - sizes.length;
    edit.setList(name, index, sizes.map((n, i) => (n > 1 ? (output[i + lead]?.kept.length ?? n) : n))); // prettier-ignore
  };

const reshape: NodeRule = (edit) => {
  const [sizes, input, output] = [edit.list('shape', 1), edit.input(0), edit.output()];
  if (!sizes || !output) return;
  edit.setList('shape', 1, sizes.map((n, i) => {
    const after = output[i]?.kept.length ?? n;
    if (n > 0) return after;
    // 0 copies the size of the input's axis.
    return n === 0 && edit.int('allowzero', 0) === 0 && input?.[i] && input[i].kept.length !== after ? after : n;
  })); // prettier-ignore
};

const slice: NodeRule = (edit) => {
  const [starts, ends, input] = [edit.list('starts', 1), edit.list('ends', 2), edit.input(0)];
  if (!starts || !ends || !input) return;
  const axes = edit.list('axes', 3) ?? starts.map((_, i) => i);
  const moved = (values: readonly number[]) =>
    values.map((value, i) => {
      const axis = input[axes[i]! < 0 ? axes[i]! + input.length : axes[i]!]!;
      if (!isCut(axis) || value >= axis.before || value < -axis.before) return value;
      return below(axis, value < 0 ? value + axis.before : value);
    });
  edit.setList('starts', 1, moved(starts));
  edit.setList('ends', 2, moved(ends));
};

const split: NodeRule = (edit) => {
  const [sizes, input] = [edit.list('split', 1), edit.input(0)];
  if (!sizes || !input) return;
  const given = edit.int('axis', 0);
  const axis = input[given < 0 ? given + input.length : given]!;
  let from = 0;
  edit.setList('split', 1, sizes.map((n) => {
    const before = below(axis, from);
    from += n;
    return below(axis, from) - before;
  })); // prettier-ignore
};

const gather: NodeRule = (edit) => {
  const [indices, input] = [edit.known(1), edit.input(0)];
  const given = edit.int('axis', 0);
  const axis = input?.[given < 0 ? given + input.length : given];
  if (!indices || !axis || !isCut(axis)) return;
  indices.data.forEach((index, i) => edit.want(1, i, below(axis, index < 0 ? index + axis.before : index))); // prettier-ignore
};

/** How much stands in front of each axis of the result, and behind. */
const pad: NodeRule = (edit) => {
  const name = edit.node.attributes.has('paddings') ? 'paddings' : 'pads';
  const [sizes, output] = [edit.list(name, 1), edit.output()];
  if (!sizes || !output || !output.some(isCut)) return;
  const count = sizes.length / 2;
  const axes = edit.list('axes', 3) ?? output.map((_, i) => i);
  edit.setList(name, 1, sizes.map((n, i) => {
    const axis = output[axes[i % count]! < 0 ? axes[i % count]! + output.length : axes[i % count]!]!;
    if (!isCut(axis) || n < 0) return n;
    return i < count ? below(axis, n) : axis.kept.length - below(axis, axis.before - n);
  })); // prettier-ignore
};

/** Constants among the operands lose the indices that the result loses. */
const elementwise: NodeRule = (edit) => {
  const output = edit.output();
  if (!output) return;
  edit.node.inputs.forEach((_, index) => {
    const constant = edit.known(index);
    if (!constant) return;
    const lead = output.length - constant.dims.length;
    edit.cut(index, cutsFor(constant.dims.map((n, axis) => (n === 1 ? { before: 1, kept: [0] } : output[axis + lead]!)))); // prettier-ignore
  });
};

const concat: NodeRule = (edit) => {
  const output = edit.output();
  if (!output) return;
  const given = edit.int('axis', 1);
  const at = given < 0 ? given + output.length : given;
  let from = 0;
  edit.node.inputs.forEach((_, index) => {
    const constant = edit.known(index);
    const count = constant?.dims[at] ?? edit.input(index)?.[at]?.before ?? 0;
    const own = output[at]!.kept.filter((i) => i >= from && i < from + count).map((i) => i - from);
    if (constant) edit.cut(index, cutsFor(output.map((axis, i) => (i === at ? { before: count, kept: own } : axis)))); // prettier-ignore
    from += count;
  });
};

/** Vectors with a number for each channel, the second axis. */
const perChannel: NodeRule = (edit) => {
  const channels = edit.output()?.[1];
  if (!channels) return;
  edit.node.inputs.slice(1).forEach((_, i) => {
    if (edit.known(i + 1)?.dims.length === 1) edit.cut(i + 1, cutsFor([channels]));
  });
};

/** A depthwise convolution has as many groups as channels; in others each group loses the same. */
const groups: NodeRule = (edit) => {
  const [group, channels] = [edit.int('group', 1), edit.input(0)?.[1]];
  if (channels && group > 1 && group === channels.before) edit.attributes.set('group', channels.kept.length);
};

/** Kernels of the state are [directions, gates * units, units]; states at the start [directions, batch, units]. */
const recurrent: NodeRule = (edit) => {
  const units = edit.input(2)?.[2];
  if (!units || !isCut(units)) return;
  if (edit.node.attributes.has('hidden_size')) edit.attributes.set('hidden_size', units.kept.length);
  for (const index of [5, 6]) if (edit.known(index)?.dims.length === 3) edit.cut(index, [null, null, units.kept]);
};

const named = (names: readonly string[], rule: NodeRule) => names.map((name): [string, NodeRule] => [name, rule]);

export const NODE_RULES: ReadonlyMap<string, NodeRule> = new Map<string, NodeRule>([
  ['Reshape', reshape],
  ['Expand', sizesOfOutput('shape', 1)],
  ['Resize', sizesOfOutput('sizes', 3)],
  ['Slice', slice],
  ['Split', split],
  ['Gather', gather],
  ['Pad', pad],
  ['Concat', concat],
  ...named(['BatchNormalization', 'InstanceNormalization'], perChannel),
  ...named(['Conv', 'ConvTranspose'], groups),
  ...named(['LSTM', 'GRU', 'RNN'], recurrent),
  ...named(
    ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Max', 'Min', 'Sum', 'Mean', 'PRelu', 'Where', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor'],
    elementwise,
  ),
]); // prettier-ignore
