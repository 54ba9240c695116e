/** A graph written as the file it was read from, with other values in its initializers. */
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { replaceInitializers } from '../../onnx/file/replaceTensors.js';
import type { GraphModel } from '../model.js';
import { weightsInFile } from './weightsInFile.js';

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
};

/**
 * The file's bytes with the model's weights in place of its own; what did not change stays byte for byte as it was.
 * @throws UserError('model-invalid') where a value does not fit its kind of numbers (above 65,504 in float16).
 */
export function graphFile(model: GraphModel): Uint8Array {
  const { file } = model;
  const changes = new Map(
    weightsInFile(model).flatMap(({ name, shape, data }) => {
      const before = file.model.graph.initializers.get(name)?.values();
      return before && same(before, data) ? [] : [[name, { dims: shape, values: data }] as const];
    }),
  );
  return changes.size === 0 ? file.bytes : replaceInitializers(file.bytes, changes, file.path);
}

/** @throws UserError('disk'), and as `graphFile`. */
export const writeGraph = (model: GraphModel, path: string): Promise<void> => writeFileAtomic(path, graphFile(model));
