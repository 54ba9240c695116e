import type { Node } from '../../../network/ir.js';
import type { Call } from '../call.js';
import { Formula } from './unary.js';

/** The functions that recurrent units name for their gates; alpha and beta are separate lists. [ONNX Operators, LSTM] */
const functions: Readonly<Record<string, (f: Formula, x: Node, alpha?: number, beta?: number) => Node>> = {
  relu: (f, x) => f.of('Relu', x),
  tanh: (f, x) => f.of('Tanh', x),
  sigmoid: (f, x) => f.of('Sigmoid', x),
  softplus: (f, x) => f.of('Softplus', x),
  softsign: (f, x) => f.div(x, f.add(f.of('Abs', x), 1)),
  affine: (f, x, alpha = 1, beta = 0) => f.add(f.mul(x, alpha), beta),
  leakyrelu: (f, x, alpha = 0.01) => f.sub(f.of('Relu', x), f.mul(f.of('Relu', f.of('Neg', x)), alpha)),
  thresholdedrelu: (f, x, alpha = 1) => f.mul(x, f.step(f.sub(x, alpha))),
  scaledtanh: (f, x, alpha = 1, beta = 1) => f.mul(f.of('Tanh', f.mul(x, beta)), alpha),
  hardsigmoid: (f, x, alpha = 0.2, beta = 0.5) => f.clip(f.add(f.mul(x, alpha), beta), 0, 1),
  elu: (f, x, alpha = 1) => f.add(f.of('Relu', x), f.mul(f.of('Expm1', f.min(x, 0)), alpha)),
};

/** The function number `index` of a unit's activations. */
export function gateActivation(call: Call, name: string, index: number): (x: Node) => Node {
  const compute = functions[name.toLowerCase()];
  if (!compute) throw call.refusal(`has the activation "${name}", which has no rule`);
  const at = (list: string) => call.floats(list, undefined)?.[index];
  return (x) => compute(new Formula(call.lowering, x.shape), x, at('activation_alpha'), at('activation_beta'));
}
