import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { createRandom } from '../../lc/random.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { activate, type TensorFlow } from './tensorflow.js';

const step = 0.02;
const checked = 8;

/**
 * Checks a backend's gradients against central differences of its own loss, on a net with the kernels known to be wrong in some backend: max pooling
 * over windows that are negative throughout (tfjs-backend-wasm 4.22 drops their gradient), the weight gradient of a convolution, transposed matrix
 * products.
 * @throws UserError('engine-failed') naming the parameter whose gradient is off.
 */
export async function gradientSelfTest(tf: TensorFlow): Promise<void> {
  const { core, backend } = tf;
  activate(tf);
  const random = createRandom(1);
  const tensor = (shape: number[], scale: number, shift = 0): Tensor =>
    core.tensor(
      Float32Array.from({ length: sizeOf(shape) }, () => shift + scale * random.normal()),
      shape,
    );
  const x = tensor([2, 8, 8, 2], 1);
  const target = core.tensor([1, 0, 0, 0, 0, 1], [2, 3]);
  const parameters = {
    convolution: core.variable(tensor([3, 3, 2, 3], 0.3)),
    // So low that every pooled window is negative in one channel.
    bias: core.variable(core.tensor([0.1, -20, 0])),
    hidden: core.variable(tensor([27, 5], 0.3)),
    output: core.variable(tensor([5, 3], 0.5)),
  };
  const loss = (): Scalar => {
    const { convolution, bias, hidden, output } = parameters;
    const conv = core.add(core.conv2d(x as never, convolution as never, 1, 'valid'), bias);
    const pooled = core.maxPool(conv as never, 2, 2, 'valid');
    const features = core.tanh(core.matMul(core.mul(core.reshape(pooled, [2, 27]), 0.2), hidden as never));
    const logits = core.matMul(features as never, output as never);
    return core.neg(core.mean(core.sum(core.mul(target, core.logSoftmax(logits)), -1))) as Scalar;
  };
  const value = async (): Promise<number> => {
    activate(tf);
    const result = core.tidy(loss);
    const [number] = await result.data();
    result.dispose();
    return number!;
  };

  try {
    const { value: first, grads } = core.tidy(() => core.variableGrads(loss, Object.values(parameters)));
    first.dispose();
    for (const [name, variable] of Object.entries(parameters)) {
      const gradient = grads[variable.name]!;
      const [values, analytic] = await Promise.all([variable.data(), gradient.data()]);
      gradient.dispose();
      const original = Float32Array.from(values);
      for (let k = 0; k < checked; k++) {
        const i = random.below(variable.size);
        const losses: number[] = [];
        for (const sign of [1, -1]) {
          const moved = original.slice();
          moved[i]! += sign * step;
          activate(tf);
          core.tidy(() => variable.assign(core.tensor(moved, variable.shape)));
          losses.push(await value());
        }
        core.tidy(() => variable.assign(core.tensor(original.slice(), variable.shape)));
        const numeric = (losses[0]! - losses[1]!) / (2 * step);
        if (!(Math.abs(numeric - analytic[i]!) < 2e-3 + 0.03 * Math.abs(numeric))) {
          throw new UserError(
            'engine-failed',
            `TensorFlow.js on "${backend}" computes a wrong gradient here (${name}[${i}]: ${analytic[i]!.toFixed(5)}, by differences ${numeric.toFixed(5)}); choose another engine`,
          );
        }
      }
    }
  } finally {
    core.dispose([x, target, ...Object.values(parameters)]);
  }
}
