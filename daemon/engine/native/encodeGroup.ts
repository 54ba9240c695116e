import type { Node } from '../../network/ir.js';
import { type Broadcast, broadcastOf } from './broadcast.js';
import { parts, type step } from './layout.js';
import { operation, stepWords } from './operands.js';
import { type Context, floatBits } from './places.js';
import { roleIn, type Role } from './roles.js';
import { type Group, Unsupported } from './units.js';

/** The two numbers that a step may have. */
function settings({ attrs }: Node): { value: number; upper: number } {
  const { alpha = 0, min, max } = attrs as { alpha?: number; min?: number; max?: number };
  return min === undefined || max === undefined ? { value: alpha, upper: 0 } : { value: min, upper: max };
}

/** Steps that compute a node, but for a selection. */
type NumberStep = Exclude<keyof typeof step & Node['op'], 'Select'>;

/** An operand: a value in a register, loaded from a tensor or computed before. `spread`: one number a row, in all columns. */
interface Operand {
  readonly tensor: Node;
  readonly broadcast: Broadcast;
  readonly spread: boolean;
  /** The same for operands that are in one register. */
  readonly key: string;
  /** Of what is spread, before it is. */
  readonly source?: string;
}

function operandsOf(node: Node, role: Role, group: Group, inputs: readonly Node[]): Operand[] {
  return inputs.map((tensor, i) => {
    // Reductions read all that they reduce.
    const reader = (role === 'element' || role === 'row' ? node : node.inputs[0]!).shape;
    const broadcast = broadcastOf(tensor, node.inputs[i]!.shape, reader, group, role === 'row');
    if (!broadcast) throw new Unsupported(node, ' so broadcast');
    const { kind, repeat } = broadcast;
    const spread = kind === 'loadRow' && role !== 'row';
    const { span, period, outer } = repeat;
    const rows = kind === 'loadColumns' || kind === 'loadRow' ? ` ${kind} ${span} ${period} ${outer}` : '';
    const key = `${tensor.id}${rows}`;
    return { tensor, broadcast, spread, ...(spread ? { key: `${key} spread`, source: key } : { key }) };
  });
}

/** Columns and numbers that are filled once for many tiles: their registers are never used for something else. */
const staysFilled = ({ kind }: Broadcast): boolean => kind === 'constant' || kind === 'loadScalar' || kind === 'loadColumns'; // prettier-ignore

/** Writes a group: loads, one step a node, stores of what others read. Registers are used again after their last reader. */
export function encodeGroup(code: number[], group: Group, { place, temporary, inputsOf }: Context): void {
  const { rows, columns, nodes } = group;
  const roles = nodes.map((node) => roleIn(node, inputsOf(node), group)!);
  const operands = nodes.map((node, i) => operandsOf(node, roles[i]!, group, inputsOf(node)));
  const lastUse = new Map<string, number>();
  operands.forEach((list, i) =>
    list.forEach(({ key, source }) => {
      if (source !== undefined && !lastUse.has(key)) lastUse.set(source, i);
      lastUse.set(key, i);
    }),
  );
  const registers = new Map<string, number>();
  const free: number[] = [];
  let count = 0;
  const steps: number[][] = [];
  const take = () => free.pop() ?? count++;
  /** Where a node of the group is: under the key that its readers have for it. */
  const keyOf = (node: Node, role: Role) => (role === 'element' ? `${node.id}` : `${node.id} loadRow 1 1 1`);

  const load = (node: Node, { tensor, broadcast, key, source }: Operand): number => {
    const known = registers.get(key);
    if (known !== undefined) return known;
    const { kind, repeat } = broadcast;
    if (source !== undefined) {
      const a = load(node, { tensor, broadcast, spread: false, key: source });
      const out = take();
      registers.set(key, out);
      steps.push(stepWords('spread', { out, a, b: a }, { value: 0, upper: 0 }));
      return out;
    }
    const out = staysFilled(broadcast) ? count++ : take();
    registers.set(key, out);
    if (kind === 'constant') {
      steps.push(stepWords(kind, { out, a: 0, b: 0 }, { value: tensor.constant as number, upper: 0 }));
      return out;
    }
    const at = place(tensor);
    if (!at) throw new Unsupported(node);
    if (kind === 'loadColumns' || kind === 'loadRow') steps.push(stepWords(kind, { out, a: 0, b: 0 }, { at, repeat }));
    else steps.push(stepWords(kind, { out, a: 0, b: 0 }, { at }));
    return out;
  };

  nodes.forEach((node, i) => {
    const role = roles[i]!;
    const [a, b, third] = operands[i]!.map((operand) => load(node, operand));
    const to = place(node);
    if (role === 'columnSum') {
      if (!to) throw new Unsupported(node);
      const scale = node.op === 'Mean' ? 1 / rows : 1;
      steps.push(stepWords('sumColumns', { out: 0, a: a!, b: floatBits(scale) }, { at: to }));
    } else {
      const out = take();
      const key = keyOf(node, role);
      registers.set(key, out);
      const own = { out, a: a!, b: b ?? a! };
      if (role === 'rowReduction') {
        const value = node.op === 'Mean' ? 1 / columns : 1;
        steps.push(stepWords(node.op === 'Max' ? 'maxRow' : 'sumRow', own, { value, upper: 0 }));
      } else if (third === undefined) steps.push(stepWords(node.op as NumberStep, own, settings(node)));
      else steps.push(stepWords('Select', own, { third }));
      if (to) steps.push(stepWords('store', { out: 0, a: out, b: 0 }, { at: to }));
      if (!lastUse.has(key)) free.push(out);
    }
    const read = operands[i]!.filter(({ broadcast }) => !staysFilled(broadcast));
    for (const key of new Set(read.flatMap(({ key, source }) => [key, source ?? key]))) {
      const register = registers.get(key);
      if (register === undefined || lastUse.get(key) !== i) continue;
      registers.delete(key);
      free.push(register);
    }
  });
  const sums = roles.filter((role) => role === 'columnSum').length;
  // Sums are computed in parts.
  const partial = sums > 0 ? temporary(parts * sums * columns) : undefined;
  code.push(...operation('fused', { rows, columns, count: steps.length, partial }), ...steps.flat());
}
