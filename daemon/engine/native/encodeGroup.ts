import type { Node } from '../graph/ir.js';
import { broadcastOf } from './broadcast.js';
import { program as op, step } from './opcodes.js';
import { type Context, floatBits, words } from './places.js';
import { type Group, sumsRows, Unsupported } from './units.js';

/** The two words of numbers that a step may have. */
function settings({ attrs }: Node): [number, number] {
  const { alpha = 0, min, max } = attrs as { alpha?: number; min?: number; max?: number };
  return min === undefined || max === undefined ? [floatBits(alpha), 0] : [floatBits(min), floatBits(max)];
}

/** Writes a group: loads, one step a node, stores of what others read. Registers are used again after their last reader. */
export function encodeGroup(code: number[], group: Group, { place, temporary, inputsOf }: Context): void {
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
      const broadcast = broadcastOf(tensor, given, (summing ? node.inputs[0]! : node).shape, group);
      if (!broadcast) throw new Unsupported(node, ' so broadcast');
      const { kind, span } = broadcast;
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
