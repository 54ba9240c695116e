/** An ONNX file on disk, with the files beside it. */
import { readBounded, whatElse } from '../../files/jsonText.js';
import { UserError } from '../../protocol/errors.js';
import { ExternalFiles } from './externalFiles.js';
import type { OnnxModel } from './onnxModel.js';
import { readSteps } from './readOnnx.js';
import { inTurns } from './steps.js';

/** Protocol buffers end at 2 GB; larger models keep their weights in other files. */
const MAX_BYTES = 2 ** 31 - 1;

export interface OnnxFile {
  /** Absolute, links resolved. */
  readonly path: string;
  /** The bytes of the model file, unchanged. */
  readonly bytes: Uint8Array;
  readonly model: OnnxModel;
  readonly external: ExternalFiles;
}

/**
 * Reads a model and the files that hold its tensors. It yields to other work of the process between steps.
 * @param path absolute, links resolved, inside the workspace. @param onFile is called with the path of each file beside it before the read.
 * @throws UserError: 'model-missing', 'model-invalid', 'model-unsupported', and 'path-outside-workspace' if it names a file
 * outside its own folder.
 */
export async function readOnnxFile(path: string, onFile: (path: string) => void = () => undefined): Promise<OnnxFile> {
  const bytes = await readBounded(path, MAX_BYTES);
  const other = whatElse(bytes);
  if (other !== null) throw new UserError('model-invalid', `${path} ${other}`, { file: path });
  const external = new ExternalFiles();
  const model = await inTurns(readSteps(bytes, { path, external: external.read }));
  await external.load(model.graph, path, onFile);
  return { path, bytes, model, external };
}
