/** A written ONNX file read back and computed by our own engines, for machines without onnxruntime. */
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openEngine } from '../engine/registry.js';
import { readModel } from '../model/files/readModel.js';
import type { Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import { concatenated } from '../lc/concatenated.js';
import { sizeOf } from '../protocol/shape.js';
import { placesInFile, reordered, type OnnxRun } from './onnxPorts.js';

/** Samples at once. */
const BATCH = 16;

/**
 * The same as `openOnnx`, by the reader of the product: it checks the bytes that were written, but not that another program reads them alike.
 *
 * @param path of a file of `model`. @param inputShapes of one sample, per input, as the product's data has them.
 * @param missing why there is no onnxruntime. @throws UserError('model-unsupported') if the file has other inputs or outputs than the model, or no
 * engine runs it here.
 */
export async function openOnOwnEngine(
  path: string,
  model: Model,
  inputShapes: readonly (readonly number[])[],
  output: number,
  missing: string,
): Promise<OnnxRun> {
  const read = await readModel(path, { workspace: await realpath(dirname(path)) });
  if (read.kind !== 'graph') throw new UserError('model-unsupported', 'it is read as another kind of model');
  const { inputs, outputs } = read.network;
  const answer = outputs[output];
  if (!answer || inputs.length !== inputShapes.length)
    throw new UserError('model-unsupported', 'it has other inputs and outputs than the model');
  if (inputs.some(({ shape }, i) => sizeOf(shape) !== sizeOf(inputShapes[i]!)))
    throw new UserError('model-unsupported', 'its inputs are of another size than the data');
  // A file of layers has its axes in the order of the data; the reader takes them for those of an exporter's file.
  const isOfLayers = model.kind === 'layers';
  const places = inputs.map((port) => (isOfLayers ? placesInFile(port) : null));
  const back = isOfLayers ? placesInFile(answer) : null;
  const session = await openEngine('auto', read, {
    // No loss is computed; each engine has this one.
    loss: 'meanSquaredError',
    batchSize: BATCH,
    purpose: 'inference',
    seed: 0,
    output: answer.name,
  }).catch((error: Error) => {
    throw new UserError('model-unsupported', `${missing}, and nothing else here computes the file: ${error.message}`);
  });
  return {
    async run(given, count) {
      const parts: Float32Array[] = [];
      for (let start = 0; start < count; start += BATCH) {
        const n = Math.min(BATCH, count - start);
        const batch = given.map((values, i) => {
          const size = sizeOf(inputShapes[i]!);
          return reordered(values.slice(start * size, (start + n) * size), places[i]!, n, true);
        });
        parts.push(reordered(await session.predict(batch, n), back, n));
      }
      return concatenated(parts);
    },
    release: () => session.dispose(),
  };
}
