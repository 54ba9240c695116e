/** A written ONNX file in onnxruntime, or without that on our own engine, as a function of samples as the product has them. */
import { concatenated } from '../lc/concatenated.js';
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import type { InferenceSession } from 'onnxruntime-node';
import { loadRuntime, runtimeMissing } from '../engine/compiled/runtime.js';
import { float16, toFloat16 } from '../files/halfPrecision.js';
import type { Model } from '../model/model.js';
import { inInferenceMode, isInTrainingMode } from '../onnx/file/inferenceMode.js';
import { UserError } from '../protocol/errors.js';
import { sizeOf } from '../protocol/shape.js';
import { placesInFile, reordered, type OnnxRun, type Port } from './onnxPorts.js';
import { openOnOwnEngine } from './runOnnxOwn.js';

/** Data of onnxruntime's types, of whole numbers where the file takes such. */
const CONVERT: Readonly<Record<string, (values: Float32Array) => Float32Array | BigInt64Array | Int32Array | Uint8Array | Uint16Array>> = {
  float32: (values) => values,
  float16: (values) => Uint16Array.from(values, toFloat16),
  int64: (values) => BigInt64Array.from(values, (x) => BigInt(Math.trunc(x))),
  int32: (values) => Int32Array.from(values),
  bool: (values) => Uint8Array.from(values, (x) => Number(x !== 0)),
}; // prettier-ignore

/**
 * Opens a written file for inference: one that was exported for training runs on its moving averages, as evaluations do.
 * @param path of a file of `model`. @throws Error of onnxruntime.
 */
export async function inferenceSession(
  path: string,
  model: Model,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const { InferenceSession } = await loadRuntime();
  if (model.kind === 'layers' || !isInTrainingMode(model.file.model)) return InferenceSession.create(path, options);
  const bytes = inInferenceMode(await readFile(path), model.file.model, path);
  const { initializers } = model.file.model.graph;
  if ([...initializers.values()].every(({ external }) => external === undefined))
    return InferenceSession.create(bytes, options);
  // Tensors in other files are found from the folder that the model lies in.
  const beside = `${path}.${randomUUID()}`;
  try {
    await writeFile(beside, bytes);
    return await InferenceSession.create(beside, options);
  } finally {
    await rm(beside, { force: true });
  }
}

/**
 * @param path of a file of `model`. @param inputShapes of one sample, per input, as the product's data has them.
 * @param output the model's output to give, by its place.
 * @throws UserError('model-unsupported') where the file has another form than the data; Error of onnxruntime; without onnxruntime the error of
 * `openOnOwnEngine`.
 */
export async function openOnnx(
  path: string,
  model: Model,
  inputShapes: readonly (readonly number[])[],
  output: number,
): Promise<OnnxRun> {
  // The next best reader of the file is the product's own, on whatever engine runs here.
  const missing = await runtimeMissing();
  if (missing) return openOnOwnEngine(path, model, inputShapes, output, missing);
  const ort = await loadRuntime();
  const ports = model.kind === 'graph' ? model.network : null;
  const session = await inferenceSession(path, model, { executionProviders: ['cpu'] });
  const refuse = async (why: string): Promise<never> => {
    await session.release();
    throw new UserError('model-unsupported', why);
  };
  const inputs: readonly Port[] = ports?.inputs ?? inputShapes.map((shape) => ({ shape }));
  const outputName = session.outputNames[output];
  if (outputName === undefined || session.inputMetadata.length !== inputs.length)
    return refuse('it has other inputs and outputs than the model');
  if (!ports && session.outputNames.length > 1) return refuse('it has several outputs');
  const kinds = session.inputMetadata.map((input) => (input.isTensor ? input : null));
  if (!kinds.every((input) => input && Object.hasOwn(CONVERT, input.type)))
    return refuse('its inputs are no tensors of numbers');
  const places = inputs.map(placesInFile);
  const back = ports ? placesInFile(ports.outputs[output]!) : null;
  // A file of a fixed batch takes no other.
  const [fixed] = kinds.map((input) => input!.shape[0]);
  const atOnce = typeof fixed === 'number' && fixed > 0 ? fixed : null;
  const runBatch = async (given: readonly Float32Array[], count: number): Promise<Float32Array> => {
    const feeds = Object.fromEntries(
      session.inputNames.map((name, i) => {
        const { shape, fileAxes } = inputs[i]!;
        const dims = [count, ...(fileAxes?.map((axis) => shape[axis]!) ?? shape)];
        const { type } = kinds[i]!;
        const data = CONVERT[type]!(reordered(given[i]!.slice(0, sizeOf(dims)), places[i]!, count));
        return [name, new ort.Tensor(type as 'float32', data as Float32Array, dims)];
      }),
    );
    const { data, type } = (await session.run(feeds))[outputName]!;
    // Without an array of such numbers in the language, they are their bits.
    const isBits = type === 'float16' && (data as unknown) instanceof Uint16Array;
    const values = data as ArrayLike<number>;
    return reordered(isBits ? Float32Array.from(values, float16) : Float32Array.from(values), back, count, true);
  };
  return {
    async run(given, count) {
      if (atOnce === null) return runBatch(given, count);
      const parts: Float32Array[] = [];
      for (let start = 0; start < count; start += atOnce) {
        const n = Math.min(atOnce, count - start);
        const part = await runBatch(
          given.map((values, i) => {
            const size = sizeOf(inputs[i]!.shape);
            const padded = new Float32Array(atOnce * size);
            padded.set(values.subarray(start * size, (start + n) * size));
            return padded;
          }),
          atOnce,
        );
        parts.push(part.subarray(0, (part.length / atOnce) * n));
      }
      return concatenated(parts);
    },
    release: () => session.release(),
  };
}
