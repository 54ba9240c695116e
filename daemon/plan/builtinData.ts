import type { BuiltinData } from '../data/builtin.js';
import type { TrainingSetup } from '../model/trainingSetup.js';

/** The built-in data set whose images and classes are those of the model; null where none is. */
export function builtinDataFor({ inputShapes, outputShape }: TrainingSetup): BuiltinData | null {
  const [input, second] = inputShapes;
  if (!input || second || outputShape.length !== 1 || outputShape[0] !== 10) return null;
  const size = input.reduce<number>((product, extent) => product * (extent ?? 0), 1);
  return size === 28 * 28 ? 'mnist' : size === 32 * 32 * 3 ? 'cifar10' : null;
}
