import type { Node } from '../../network/ir.js';
import { broadcastOf } from './broadcast.js';
import { parts, type step } from './layout.js';
import { operation, stepWords } from './operationWords.js';
import { type Context, floatBits } from './places.js';
import { type Group, sumsRows, Unsupported } from './units.js';

/** The two numbers that a step may have. */
function settings({ attrs }: Node): { value: number; upper: number } {
  const { alpha = 0, min, max } = attrs as { alpha?: number; min?: number; max?: number };
  return min === undefined || max === undefined ? { value: alpha, upper: 0 } : { value: min, upper: max };
}

/** Steps that compute a node, but for a selection. */
type NumberStep = Exclude<keyof typeof step & Node['op'], 'Select'>;

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
      if (kind === 'constant') {
        const value = tensor.constant as number;
        steps.push(stepWords(kind, { out: register, a: 0, b: 0 }, { value, upper: 0 }));
      } else {
        const from = place(tensor);
        if (!from) throw new Unsupported(node);
        steps.push(stepWords(kind, { out: register, a: 0, b: span }, { at: from }));
      }
      return register;
    });
    const [a, b, third] = operands;
    if (summing) {
      const scale = node.op === 'Mean' ? 1 / rows : 1;
      steps.push(stepWords('sumColumns', { out: 0, a: a!, b: floatBits(scale) }, { at: place(node) }));
    } else {
      const register = free.pop() ?? count++;
      registers.set(`${node.id}`, register);
      const own = { out: register, a: a!, b: b ?? a! };
      steps.push(
        third === undefined
          ? stepWords(node.op as NumberStep, own, settings(node))
          : stepWords('Select', own, { third, unused: 0 }),
      );
      const to = place(node);
      if (to) steps.push(stepWords('store', { out: 0, a: register, b: 0 }, { at: to }));
      if (!lastUse.has(node)) free.push(register);
    }
    for (const tensor of new Set(inputs.get(node)!)) {
      const register = registers.get(`${tensor.id}`);
      if (register !== undefined && lastUse.get(tensor) === i) free.push(register);
    }
  });
  for (const node of own) if (sumsRows(node) && !place(node)) throw new Unsupported(node);
  // Sums are computed in parts.
  const partial = nodes.some(sumsRows) ? temporary(parts * steps.length * columns) : undefined;
  code.push(...operation('fused', { rows, columns, count: steps.length, partial }), ...steps.flat());
}
