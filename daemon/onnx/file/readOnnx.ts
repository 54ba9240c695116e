/** Reads and checks an ONNX file's bytes. [onnx.proto; github.com/onnx/onnx/blob/main/docs/IR.md] */
import { UserError } from '../../protocol/errors.js';
import { checkGraph } from './checkGraph.js';
import type { OnnxGraph, OnnxModel, OnnxTensor } from './onnxModel.js';
import { domainOf, readGraph } from './readGraph.js';
import { addEntry, rawTensor, tensorOf, type ReadExternal, type TensorSource } from './readTensor.js';
import { atOnce, type Steps } from './steps.js';
import { IR_VERSIONS, OPSETS } from './versions.js';
import { invalid, OnnxBytes, quoted, WireReader } from './wire.js';

export interface OnnxReadOptions {
  /** The file's name, for messages. */
  readonly path: string;
  /** Returns the bytes of tensors in other files, when their values are requested. */
  readonly external?: ReadExternal;
}

/** OperatorSetIdProto. */
function readOpset(reader: WireReader): [domain: string, version: number] {
  let [domain, version] = ['', 0];
  while (reader.next())
    if (reader.field === 1) domain = domainOf(reader.name());
    else if (reader.field === 2) version = reader.int();
  return [domain, version];
}

function checkVersions(path: string, irVersion: number, opsets: ReadonlyMap<string, number>): void {
  const unsupported = (problem: string): never => {
    throw new UserError('model-unsupported', `${path}: ${problem}`, { file: path });
  };
  if (irVersion < 1) invalid(path, 'is no ONNX file: it does not say the version of its format');
  if (irVersion > IR_VERSIONS.most)
    unsupported(`its ONNX format version (IR) ${irVersion} is newer than ${IR_VERSIONS.most}, the newest that is read; export it with an older onnx`); // prettier-ignore
  const opset = opsets.get('') ?? (irVersion < IR_VERSIONS.least ? 1 : undefined);
  if (opset === undefined) return invalid(path, 'does not say the version of its operators (opset_import)');
  const { least, most } = OPSETS;
  if (opset < least || opset > most)
    unsupported(`its operators are of version (opset) ${opset}; ${least} to ${most} are read: export it with opset_version=17, or convert it with onnx.version_converter`); // prettier-ignore
}

/**
 * Reads a model from the bytes of its file. Large tensors are views of these bytes, so they must not change.
 * @throws UserError('model-invalid') if the bytes are not ONNX, are damaged, or contradict themselves (duplicate names,
 * nodes out of order, values that do not fit their shape); UserError('model-unsupported') for versions that are not read.
 */
export const readOnnx = (bytes: Uint8Array, options: OnnxReadOptions): OnnxModel => atOnce(readSteps(bytes, options));

/** Reads a model in steps. */
export function* readSteps(bytes: Uint8Array, { path, external }: OnnxReadOptions): Steps<OnnxModel> {
  const source: TensorSource = { file: new OnnxBytes(bytes, path), ...(external && { external }) };
  const reader = new WireReader(source.file);
  let [irVersion, producer, version] = [0, '', ''];
  let graph: OnnxGraph | null = null;
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) irVersion = reader.int();
    else if (field === 2) producer = reader.line();
    else if (field === 3) version = reader.line();
    else if (field === 7) {
      if (graph) invalid(path, 'holds two graphs');
      graph = yield* readGraph(reader.message(), source);
    } else if (field === 8) {
      const [domain, opset] = readOpset(reader.message());
      if ((opsets.get(domain) ?? opset) !== opset)
        invalid(path, `imports the operators ${quoted(domain || 'ai.onnx')} in two versions`);
      opsets.set(domain, opset);
    } else if (field === 14) addEntry(metadata, reader);
  }
  if (!graph) return invalid(path, 'holds no graph: it is no ONNX model, or is cut off');
  checkVersions(path, irVersion, opsets);
  yield* checkGraph(graph, path);
  return { irVersion, producer: [producer, version].filter(Boolean).join(' '), opsets, metadata, graph };
}

/** Reads a single TensorProto, as in the `.pb` files of ONNX's own test cases. @throws as readOnnx. */
export function readTensorProto(bytes: Uint8Array, path = 'tensor'): OnnxTensor {
  const source: TensorSource = { file: new OnnxBytes(bytes, path) };
  const raw = rawTensor(new WireReader(source.file));
  return tensorOf(raw, () => `tensor ${quoted(raw.name)}`, source);
}
