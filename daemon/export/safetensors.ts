/** SafeTensors (github.com/huggingface/safetensors, format of version 0.4): 8 bytes of header length, JSON, then the tensors. */
import { otherNames, weightsInFile } from '../model/graph/weightsInFile.js';
import { writeFileAtomic } from '../files/atomicWrite.js';
import type { Model, WeightTensor } from '../model/model.js';

const DTYPES = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const;

function bytesOf({ dtype, data }: WeightTensor): Uint8Array {
  if (dtype === 'float32') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return dtype === 'int32'
    ? new Uint8Array(Int32Array.from(data).buffer)
    : Uint8Array.from(data, (x) => Number(x !== 0));
}

/** For whom the names and layouts are: of layers TensorFlow's, of an ONNX file its own, which are PyTorch's where that wrote it. */
const metadataOf = (model: Model): Record<string, string> =>
  model.kind === 'layers' ? { format: 'tf', topology: JSON.stringify(model.topology) } : { format: 'pt' };

/** The tensors of a model under all the names that its file has for them. */
function named(model: Model): readonly WeightTensor[] {
  const weights = weightsInFile(model);
  if (model.kind === 'layers') return weights;
  const others = otherNames(model);
  return weights.flatMap((weight) => [weight, ...(others.get(weight.name) ?? []).map((name) => ({ ...weight, name }))]);
}

/** Tensors by their names; the topology of layers as JSON under `__metadata__.topology`. Of a graph they lie as in its file. */
export function safetensorsFile(model: Model): Uint8Array {
  const weights = named(model);
  const contents = weights.map(bytesOf);
  let at = 0;
  const tensors = weights.map(({ name, shape, dtype }, i) => {
    const begin = at;
    at += contents[i]!.byteLength;
    return [name, { dtype: DTYPES[dtype], shape, data_offsets: [begin, at] }] as const;
  });
  const header = {
    __metadata__: metadataOf(model),
    ...Object.fromEntries(tensors),
  };
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  // The data begins at a multiple of 8; the header may be padded with spaces.
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...contents]);
}

/** @throws UserError('disk'). */
export async function writeSafetensors(model: Model, path: string): Promise<void> {
  await writeFileAtomic(path, safetensorsFile(model));
}
