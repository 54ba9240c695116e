/** Reading the sparse package (docs/sparse-format.md). Nothing in the file is trusted. */
import { crc32, inflateRawSync } from 'node:zlib';
import { isObject } from '../../model/layers/layerConfig.js';
import type { GraphModel, LayersModel, Model, Topology, WeightTensor } from '../../model/model.js';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { BitReader } from './bitStream.js';
import { allPlaces, POSITION_CODES } from './positionCodes.js';
import {
  CHECKSUM_BYTES,
  GRAPH_CLASS,
  MAGIC,
  PREFIX_BYTES,
  SECTION_BYTES,
  VERSION,
  type PackageHeader,
} from './sparsePackage.js';
import { VALUE_CODES } from './valueCodes.js';

/** A small file may describe a large model, but not one that does not fit into memory: 1 GB of weights. */
const MAX_WEIGHTS = 2 ** 28;
const MAX_HEADER = 2 ** 26;
const DTYPES: ReadonlySet<unknown> = new Set(['float32', 'int32', 'bool']);

class Damage extends Error {}
const refuse = (why: string): never => {
  throw new Damage(why);
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function tensorSpec(value: unknown): Omit<WeightTensor, 'data'> & { size: number } {
  const [name, shape, dtype = 'float32'] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof name !== 'string' || !Array.isArray(shape) || !shape.every(isCount) || !DTYPES.has(dtype))
    return refuse('a tensor of the header has no name, shape and type');
  const size = sizeOf(shape as number[]);
  if (size > MAX_WEIGHTS) return refuse(`tensor "${name.slice(0, 80)}" would have ${size} values`);
  return { name, shape: shape as number[], dtype: dtype as WeightTensor['dtype'], size };
}

function parseHeader(json: Uint8Array): {
  topology: Topology;
  specs: ReturnType<typeof tensorSpec>[];
  sections: number[][];
} {
  const header = JSON.parse(Buffer.from(json).toString('utf8')) as Partial<Record<keyof PackageHeader, unknown>> | null;
  if (!isObject(header) || !isObject(header.model) || typeof header.model['class_name'] !== 'string')
    return refuse('the header has no model');
  if (!Array.isArray(header.weights) || !Array.isArray(header.sections)) return refuse('the header lists no tensors');
  const specs = (header.weights as unknown[]).map(tensorSpec);
  if (specs.reduce((n, { size }) => n + size, 0) > MAX_WEIGHTS) return refuse('the model would not fit into memory');
  const sections = (header.sections as unknown[]).map((one) => (Array.isArray(one) ? (one as number[]) : []));
  const listed = sections.flat().sort((a, b) => a - b);
  if (listed.length !== specs.length || listed.some((index, i) => index !== i))
    return refuse('the sections do not hold every tensor once');
  return { topology: header.model as unknown as Topology, specs, sections };
}

function readSection(bytes: Uint8Array, sizes: readonly number[]): { vector: Float32Array; length: number } {
  const size = sizes.reduce((n, one) => n + one, 0);
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const positions =
    POSITION_CODES.find(({ tag }) => tag === head.getUint8(0)) ?? refuse('a section has an unknown code');
  const values =
    VALUE_CODES.find(({ tag }) => tag === head.getUint8(1)) ?? refuse('a section has an unknown value code');
  const count = head.getUint32(2, true);
  if (count > size || (positions === allPlaces && count !== size)) return refuse('a section keeps more than there is');
  let at = SECTION_BYTES;
  const parameter = positions.parameter ? head.getUint8(at++) : 0;
  const opened = values.open((length) => {
    if (at + length > bytes.length) throw new RangeError('a table ends too early');
    at += length;
    return new DataView(bytes.buffer, bytes.byteOffset + at - length, length);
  }, sizes.length);
  // Checked before anything of this size is allocated.
  if (count * opened.bits > 8 * (bytes.length - at)) return refuse('a section ends too early');
  const bits = new BitReader(bytes.subarray(at));
  const kept = positions === allPlaces ? null : positions.read(bits, count, size, parameter);
  const vector = new Float32Array(size);
  let [part, end] = [0, sizes[0] ?? 0];
  for (let i = 0; i < count; i++) {
    const place = kept ? kept[i]! : i;
    while (place >= end) end += sizes[++part]!;
    vector[place] = opened.read(bits, part);
  }
  return { vector, length: at + bits.bytesRead };
}

function parse(bytes: Uint8Array): { readonly topology: Topology; readonly weights: readonly WeightTensor[] } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < PREFIX_BYTES + CHECKSUM_BYTES || buffer.toString('latin1', 0, 4) !== MAGIC)
    return refuse('it does not begin with "LCSP"');
  if (buffer[4] !== VERSION) return refuse(`version ${buffer[4]} is not known (1 is)`);
  const end = buffer.length - CHECKSUM_BYTES;
  if (crc32(buffer.subarray(0, end)) !== buffer.readUInt32LE(end))
    return refuse('its checksum is wrong; copy it again');
  const headerEnd = PREFIX_BYTES + buffer.readUInt32LE(5);
  if (headerEnd > end) return refuse('the header ends too early');
  const json = inflateRawSync(buffer.subarray(PREFIX_BYTES, headerEnd), { maxOutputLength: MAX_HEADER });
  const { topology, specs, sections } = parseHeader(json);
  const weights: WeightTensor[] = [];
  let at = headerEnd;
  for (const members of sections) {
    const { vector, length } = readSection(
      buffer.subarray(at, end),
      members.map((i) => specs[i]!.size),
    );
    at += length;
    let from = 0;
    for (const i of members) {
      const { size, ...spec } = specs[i]!;
      weights[i] = { ...spec, data: vector.slice(from, from + size) };
      from += size;
    }
  }
  if (at !== end) return refuse('there are bytes after the last section');
  return { topology, weights };
}

/** The graph with a package's weights. */
function ofGraph(graph: Model | undefined, weights: readonly WeightTensor[], path: string): GraphModel {
  if (graph?.kind !== 'graph')
    return refuse('it holds the weights of an ONNX file, not its operations: name that file, or the run');
  const found = new Map(weights.map((weight) => [weight.name, weight]));
  const same = graph.weights.every(({ name, data }) => found.get(name)?.data.length === data.length);
  if (!same || weights.length !== graph.weights.length) return refuse('its weights are not those of the ONNX file');
  return { ...graph, path, weights: graph.weights.map(({ name }) => found.get(name)!) };
}

/**
 * The model of a sparse package.
 * @param file for messages and as the model's path. @param graph whose weights they are, where the package is of an ONNX file.
 * @throws UserError('model-invalid') saying what is wrong.
 */
export function readSparsePackage(bytes: Uint8Array, file: string): LayersModel;
export function readSparsePackage(bytes: Uint8Array, file: string, graph: Model): Model;
export function readSparsePackage(bytes: Uint8Array, file: string, graph?: Model): Model {
  try {
    const { topology, weights } = parse(bytes);
    if (topology.class_name === GRAPH_CLASS) return ofGraph(graph, weights, file);
    return { kind: 'layers', format: 'tfjs-layers', path: file, notes: [], topology, weights };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError('model-invalid', `${file} is no sparse package that can be read: ${why}`, { file });
  }
}
