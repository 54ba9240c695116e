/** The element-wise operations on numbers of which some are not known: NaN stays NaN. */
import type { Node } from '../ir.js';
import { binaryFunctions, truth, unaryFunctions } from '../scalarFunctions.js';

type Scalar = (...args: number[]) => number;

const withSettings: Record<string, (node: Node) => Scalar> = {
  LeakyRelu:
    ({ attrs }) =>
    (x) =>
      x! > 0 ? x! : Number(attrs['alpha']) * x!,
  Step:
    ({ attrs }) =>
    (x) =>
      x! > 0 ? 1 : Number(attrs['alpha']),
  ClipByValue:
    ({ attrs }) =>
    (x) =>
      Math.min(Math.max(x!, Number(attrs['min'])), Number(attrs['max'])),
  Cast:
    ({ dtype }) =>
    (x) =>
      dtype === 'int32' ? Math.trunc(x!) : dtype === 'bool' ? truth(x !== 0) : x!,
  Prelu: () => (x, alpha) => (x! >= 0 ? x! : alpha! * x!),
  EluGrad: () => (dy, y) => dy! * (y! >= 0 ? 1 : y! + 1),
};

/** The element-wise function of a node; null if its operation has none. Results that are not finite become NaN. */
export function scalarOf(node: Node): Scalar | null {
  if (node.op === 'Select')
    return (condition, yes, no) => (Number.isNaN(condition!) ? (yes === no ? yes! : NaN) : condition ? yes! : no!);
  if (node.op === 'Multiply') return (a, b) => (a === 0 || b === 0 ? 0 : a! * b!);
  const f: Scalar | undefined =
    (unaryFunctions as Record<string, Scalar>)[node.op] ??
    (binaryFunctions as Record<string, Scalar>)[node.op] ??
    withSettings[node.op]?.(node);
  if (!f) return null;
  return (...args) => {
    for (const arg of args) if (Number.isNaN(arg)) return NaN;
    const y = f(...args);
    return Number.isFinite(y) ? y : NaN;
  };
}
