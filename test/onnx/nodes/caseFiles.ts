/** ONNX's conformance cases: a model of one node (or a few), with inputs and the required outputs. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOnnx, readTensorProto } from '../../../daemon/onnx/file/readOnnx.js';
import { bfloat16 } from '../../../daemon/files/halfPrecision.js';
import type { OnnxModel, OnnxTensor, OnnxType } from '../../../daemon/onnx/file/onnxModel.js';

export interface NodeCase {
  readonly name: string;
  readonly model: OnnxModel;
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
}

/** The folder of the cases, generated from ONNX's sources by Debian's Python into `cache`. undefined: that Python has no ONNX. */
export function caseFolder(cache: string): string | undefined {
  const folder = join(cache, 'node');
  if (existsSync(folder)) return folder;
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import onnx'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mkdirSync(cache, { recursive: true });
  execFileSync('/usr/bin/python3', [join('test', 'onnx', 'nodes', 'generate.py'), cache], { stdio: 'ignore' });
  return folder;
}

const numbered = (folder: string, kind: string): OnnxTensor[] =>
  readdirSync(folder)
    .filter((file) => file.startsWith(`${kind}_`))
    .sort((a, b) => Number(/\d+/.exec(a)![0]) - Number(/\d+/.exec(b)![0]))
    .map((file) => readTensorProto(readFileSync(join(folder, file)), file));

/** Names of all cases in a folder. */
export const caseNames = (folder: string): string[] => readdirSync(folder).sort();

/** The first set of data of a case. @throws UserError of a file that is not read: sequences, optional values */
export function readCase(folder: string, name: string): NodeCase {
  const own = join(folder, name);
  const model = readOnnx(readFileSync(join(own, 'model.onnx')), { path: name, external: () => new Uint8Array() });
  const data = join(own, 'test_data_set_0');
  const { inputs, outputs } = model.graph;
  return {
    name,
    model,
    inputs: numbered(data, 'input').map((tensor, i) => asDeclared(tensor, inputs[i]!.type)),
    outputs: numbered(data, 'output').map((tensor, i) => asDeclared(tensor, outputs[i]!.type)),
  };
}

/** The cases write bfloat16 as the whole number of its bits. */
function asDeclared(tensor: OnnxTensor, type: OnnxType): OnnxTensor {
  if (type !== 'bfloat16' || tensor.type === 'bfloat16') return tensor;
  return { ...tensor, type, values: () => Float32Array.from(tensor.values(), bfloat16) };
}
