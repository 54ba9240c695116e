/** Writes a graph as the file it was read from, with other values in its initializers. */
import type { TensorChange } from '../../onnx/file/editTensor.js';
import { writeOnnxFile } from '../../onnx/file/writeOnnxFile.js';
import type { GraphModel } from '../model.js';
import { weightsInFile } from './weightsInFile.js';

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
};

/**
 * Writes the model's file with the model's present weights. What did not change stays byte for byte as it was.
 * Weights that lie in other files are written to files beside the new one.
 * @param path absolute; its folder exists.
 * @throws UserError('disk'); UserError('model-invalid') if a value does not fit its number type (above 65,504 in float16).
 */
export async function writeGraph(model: GraphModel, path: string): Promise<void> {
  const { file, thinned } = model;
  const own = new Map(
    weightsInFile(model).flatMap(({ name, shape, data }): [string, TensorChange][] => {
      const before = file.model.graph.initializers.get(name)?.values();
      return before && same(before, data) ? [] : [[name, { dims: shape, values: data }]];
    }),
  );
  const initializers = new Map([...(thinned?.changes.initializers ?? []), ...own]);
  await writeOnnxFile(file, { ...thinned?.changes, initializers }, path);
}
