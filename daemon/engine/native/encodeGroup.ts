import type { Node } from '../graph/ir.js';
import { sizeOf } from '../graph/ir.js';
import type { Context, Place } from './encode.js';
import { floatBits } from './encode.js';
import { program as op, step } from './opcodes.js';
import { type Group, sumsRows, Unsupported } from './units.js';

type Operand = 'load' | 'loadColumns' | 'loadRows' | 'loadScalar' | 'constant';

/** How a group's view reads a tensor given in some shape (of a reshape's, perhaps); span: rows that share one row of columns. */
function operandOf(
  tensor: Node,
  given: readonly number[],
  reader: Node,
  { rows, columns }: Group,
): { kind: Operand; span: number } {
  if (tensor.op === 'Constant' && typeof tensor.constant === 'number') return { kind: 'constant', span: 0 };
  const size = sizeOf(given);
  if (size === rows * columns) return { kind: 'load', span: 0 };
  if (size === 1) return { kind: 'loadScalar', span: 0 };
  // Aligned to the right with the reader's shape, as NumPy broadcasts.
  const shape = [...new Array<number>(Math.max(0, reader.shape.length - given.length)).fill(1), ...given];
  const matches = (axis: number) => shape[axis] === reader.shape[axis];
  const last = reader.shape.length - 1;
  if (shape[last] === columns) {
    // Leading axes that match, then axes of 1, then the columns.
    let lead = 0;
    while (lead < last && matches(lead)) lead++;
    const ones = shape.slice(lead, last).every((n) => n === 1);
    if (ones) return { kind: 'loadColumns', span: rows / sizeOf(reader.shape.slice(0, lead)) };
  }
  if (size === rows && shape[last] === 1 && shape.every((_, axis) => axis === last || matches(axis)))
    return { kind: 'loadRows', span: 0 };
  throw new Unsupported(reader, ' so broadcast');
}

/** The two words of numbers that a step may have. */
function settings({ attrs }: Node): [number, number] {
  const { alpha = 0, min, max } = attrs as { alpha?: number; min?: number; max?: number };
  return min === undefined || max === undefined ? [floatBits(alpha), 0] : [floatBits(min), floatBits(max)];
}

/** Writes a group: loads, one step a node, stores of what others read. Registers are used again after their last reader. */
export function encodeGroup(
  code: number[],
  group: Group,
  { place, temporary, inputsOf }: Context,
  words: (place: Place | undefined) => number[],
): void {
  const { rows, columns, nodes } = group;
  const own = new Set(nodes);
  const inputs = new Map(nodes.map((node) => [node, inputsOf(node)]));
  const lastUse = new Map<Node, number>();
  nodes.forEach((node, i) => inputs.get(node)!.forEach((input) => lastUse.set(input, i)));
  const registers = new Map<string, number>();
  const free: number[] = [];
  let count = 0;
  const steps: number[][] = [];

  nodes.forEach((node, i) => {
    const summing = sumsRows(node);
    const operands = inputs.get(node)!.map((tensor, k) => {
      const given = node.inputs[k]!.shape;
      const { kind, span } = operandOf(tensor, given, summing ? node.inputs[0]! : node, group);
      const key = kind === 'load' ? `${tensor.id}` : `${tensor.id} ${kind} ${span}`;
      const known = registers.get(key);
      if (known !== undefined) return known;
      // Columns and numbers are filled once for many tiles: their registers are never used for something else.
      const register = kind === 'load' || kind === 'loadRows' ? (free.pop() ?? count++) : count++;
      registers.set(key, register);
      if (kind === 'constant') steps.push([step.constant, register, 0, 0, floatBits(tensor.constant as number), 0]);
      else {
        const from = place(tensor);
        if (!from) throw new Unsupported(node);
        steps.push([step[kind], register, 0, span, ...words(from)]);
      }
      return register;
    });
    const [a, b, third] = operands;
    if (summing) {
      const scale = node.op === 'Mean' ? 1 / rows : 1;
      steps.push([step.sumColumns, 0, a!, floatBits(scale), ...words(place(node))]);
    } else {
      const register = free.pop() ?? count++;
      registers.set(`${node.id}`, register);
      steps.push([
        step[node.op as keyof typeof step],
        register,
        a!,
        b ?? a!,
        ...(third === undefined ? settings(node) : [third, 0]),
      ]);
      const to = place(node);
      if (to) steps.push([step.store, 0, register, 0, ...words(to)]);
      if (!lastUse.has(node)) free.push(register);
    }
    for (const tensor of new Set(inputs.get(node)!)) {
      const register = registers.get(`${tensor.id}`);
      if (register !== undefined && lastUse.get(tensor) === i) free.push(register);
    }
  });
  for (const node of own) if (sumsRows(node) && !place(node)) throw new Unsupported(node);
  // Sums are computed in parts.
  const partial = nodes.some(sumsRows) ? temporary(16 * steps.length * columns) : undefined;
  code.push(op.fused, rows, columns, steps.length, ...words(partial), ...steps.flat());
}
