/** The built-in data sets that a model may be trained on: those that match the sizes of its input and output. */
import type { BuiltinData } from '../../protocol/dataPackages.js';
import { sizeOf } from '../../protocol/shape.js';
import type { TrainingSetup } from '../../model/setup/trainingSetup.js';

/** MNIST and Fashion-MNIST have the same sizes. */
const SETS: Readonly<Record<BuiltinData, { readonly values: number; readonly about: string }>> = {
  mnist: { values: 28 * 28, about: 'built in: 60,000 + 10,000 handwritten digits of 28 x 28, 10 classes' },
  'fashion-mnist': { values: 28 * 28, about: 'built in: 60,000 + 10,000 pictures of clothes of 28 x 28, 10 classes' },
  cifar10: { values: 32 * 32 * 3, about: 'built in: 50,000 + 10,000 photographs of 32 x 32 x 3, 10 classes' },
};
const CLASSES = 10;

/** Sets that fit, with their descriptions; a fit does not show that the model was trained on it. */
export function builtinSets({
  inputShapes,
  outputShape,
}: Pick<TrainingSetup, 'inputShapes' | 'outputShape'>): { readonly name: BuiltinData; readonly about: string }[] {
  const [input, second] = inputShapes;
  if (!input || second || outputShape.length !== 1 || outputShape[0] !== CLASSES) return [];
  const size = sizeOf(input.map((extent) => extent ?? 0));
  return (Object.keys(SETS) as BuiltinData[])
    .filter((name) => SETS[name].values === size)
    .map((name) => ({ name, about: SETS[name].about }));
}
