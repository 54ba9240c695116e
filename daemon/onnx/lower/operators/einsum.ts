import { sizeOf } from '../../../protocol/shape.js';
import type { Call, Operator } from '../call.js';
import { dimsOf, naturalAxes, type Value } from '../values/value.js';
import { gathered } from './moving.js';
import { reshape } from './reshaping.js';

/** Sums of products by Einstein's convention; each pair of operands is one matrix product. */

/** A value with a label for each axis, each label once. */
interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

/** Labels of "...ij"; the dots get as many labels as the rank leaves. */
function labelsOf(call: Call, term: string, rank: number): string[] {
  const [front, back, more] = term.split('...');
  if (back === undefined) {
    if (front!.length !== rank) throw call.refusal(`has a term "${term}" for an input of ${rank} axes`);
    return [...front!];
  }
  const dots = rank - front!.length - back.length;
  if (more !== undefined || dots < 0) throw call.refusal(`has a term "${term}" for an input of ${rank} axes`);
  // The dots of all operands are aligned at their last axis, as in broadcasting.
  const names = Array.from({ length: dots }, (_, i) => `.${dots - i}`);
  return [...front!, ...names, ...back];
}

/** Takes the diagonal of axes with one label. */
function withoutRepeats(call: Call, { value, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { value, labels };
  const first = labels.indexOf(labels[second]!);
  const dims = dimsOf(value);
  const n = dims[first]!;
  const rest = naturalAxes(dims.length).filter((axis) => axis !== first && axis !== second);
  const node = call.lowering.inOrder(value, [...rest, first, second]);
  const kept = rest.map((axis) => dims[axis]!);
  const rows = call.lowering.value(call.lowering.reshape(node, [...kept, n * n]));
  const diagonal = gathered(call, rows, kept.length, naturalAxes(n).map((i) => i * (n + 1))); // prettier-ignore
  return withoutRepeats(call, { value: diagonal, labels: [...rest.map((axis) => labels[axis]!), labels[first]!] });
}

/** Sums over the labels that no other operand has. */
function summedTo(call: Call, { value, labels }: Labelled, kept: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
  if (axes.length === 0) return { value, labels };
  const node = call.lowering.natural(value);
  const shape = node.shape.filter((_, axis) => !axes.includes(axis));
  const sum = call.lowering.add('Sum', [node], shape, { axes, keepDims: false });
  return { value: call.lowering.value(sum), labels: labels.filter((label) => kept.has(label)) };
}

/** The product of two operands, summed over labels that both have and that are not kept. */
function product(call: Call, a: Labelled, b: Labelled, kept: ReadonlySet<string>): Labelled {
  const { lowering } = call;
  const p = summedTo(call, a, new Set([...b.labels, ...kept]));
  const q = summedTo(call, b, new Set([...a.labels, ...kept]));
  const shared = p.labels.filter((label) => q.labels.includes(label));
  const batch = shared.filter((label) => kept.has(label));
  const inner = shared.filter((label) => !kept.has(label));
  const [left, right] = [p.labels, q.labels].map((labels) => labels.filter((label) => !shared.includes(label)));
  const sizes = new Map([p, q].flatMap(({ value, labels }) => labels.map((label, i) => [label, dimsOf(value)[i]!] as const)).sort((x, y) => x[1] - y[1])); // prettier-ignore
  const size = (labels: readonly string[]) => labels.map((label) => sizes.get(label)!);
  // Axes of length 1 may broadcast along a batch, where the product does it.
  const as = ({ value, labels }: Labelled, rows: readonly string[], columns: readonly string[]) => {
    const node = lowering.inOrder(value, [...batch, ...rows, ...columns].map((label) => labels.indexOf(label))); // prettier-ignore
    const own = node.shape.slice(0, batch.length);
    return lowering.reshape(node, [...own, sizeOf(size(rows)), sizeOf(size(columns))]);
  };
  const y = lowering.matMul(as(p, left!, inner), as(q, inner, right!));
  const labels = [...batch, ...left!, ...right!];
  return { value: reshape(call, lowering.value(y), size(labels)), labels };
}

const einsum: Operator = (call) => {
  const equation = call.text('equation', '').replaceAll(' ', '');
  const [given, wanted] = equation.split('->') as [string, string | undefined];
  const terms = given.split(',');
  if (terms.length !== call.inputs.length) throw call.refusal(`has ${call.inputs.length} inputs for "${equation}"`);
  const operands = terms.map((term, i) => withoutRepeats(call, { value: call.input(i), labels: labelsOf(call, term, call.rank(i)) })); // prettier-ignore
  const all = terms.flatMap((term, i) => labelsOf(call, term, call.rank(i)));
  const dots = [...new Set(all.filter((label) => label.startsWith('.')))].sort((a, b) => Number(b.slice(1)) - Number(a.slice(1))); // prettier-ignore
  // Without an arrow the result has the dots, then every label that occurs once, in alphabetical order.
  const single = [...new Set(all)].filter((label) => !label.startsWith('.') && all.filter((other) => other === label).length === 1).sort(); // prettier-ignore
  const result = wanted === undefined ? [...dots, ...single] : labelsOf(call, wanted, wanted.replace('...', '').length + (wanted.includes('...') ? dots.length : 0)); // prettier-ignore
  const unknown = result.find((label, i) => !all.includes(label) || result.indexOf(label) < i);
  if (unknown !== undefined) throw call.refusal(`has a result "${wanted}" with "${unknown}" twice, or from no input`);
  let total = operands[0]!;
  for (const [i, next] of operands.entries())
    if (i > 0) total = product(call, total, next, new Set([...result, ...operands.slice(i + 1).flatMap(({ labels }) => labels)])); // prettier-ignore
  const { value, labels } = summedTo(call, total, new Set(result));
  const node = call.lowering.inOrder(value, result.map((label) => labels.indexOf(label))); // prettier-ignore
  return call.lowering.value(node);
};

export const einsumOperators: Readonly<Record<string, Operator>> = { Einsum: einsum };
