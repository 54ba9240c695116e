/** Activations as functions of one number, as in TensorFlow.js, for following constants through them. */

import { ownActivation } from '../layerClasses/activations/ownActivations.js';

/** Abramowitz and Stegun 7.1.26, the approximation TensorFlow.js uses. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;
const elu = (x: number): number => (x >= 0 ? x : Math.expm1(x));
const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

const FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clip(x, 0, 6),
  elu,
  selu: (x) => SELU_SCALE * (x >= 0 ? x : SELU_ALPHA * Math.expm1(x)),
  sigmoid,
  hardsigmoid: (x) => clip(0.2 * x + 0.5, 0, 1),
  tanh: Math.tanh,
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x * sigmoid(x),
  silu: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(softplus(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
};

/**
 * The function of an `activation` in a layer's config ("hard_sigmoid" and "hardSigmoid" are one; none is linear).
 * @returns null if it is not element-wise (softmax) or unknown.
 */
export function scalarFunction(activation: unknown): ((x: number) => number) | null {
  if (activation === undefined || activation === null) return FUNCTIONS['linear']!;
  if (typeof activation !== 'string') return null;
  const other = ownActivation(activation);
  if (other) return other.scalar ?? null;
  const name = activation.replaceAll('_', '').toLowerCase();
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]! : null;
}
