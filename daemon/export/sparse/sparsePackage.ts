/** Writes the sparse package, a whole model in one small file; docs/sparse-format.md defines each byte. */
import { crc32 } from 'node:zlib';
import { deflateRawSync } from 'node:zlib';
import type { Model, Topology, WeightTensor } from '../../model/model.js';
import { frontEndOf } from '../../model/frontEnds/frontEndOf.js';
import { summarizeModel } from '../../model/summarize.js';
import { BitWriter } from './bitStream.js';
import { allPlaces, fixedWidth, sparsePositionCodes, type PositionCode } from './positionCodes.js';
import { float32, VALUE_CODES, type ValueCode, type ValuePlan, type Values } from './valueCodes.js';

export const MAGIC = 'LCSP';
export const VERSION = 1;
/** Magic, version, length of the header. */
export const PREFIX_BYTES = 9;
/** Tags of both codes, and the number of kept weights. */
export const SECTION_BYTES = 6;
export const CHECKSUM_BYTES = 4;

/** The header's content, as JSON under raw deflate. */
export interface PackageHeader {
  /** A topology, or the name of a graph that is made of operations: such a package holds the weights of a file, not the file. */
  readonly model: Topology;
  /** Name, shape, and the type where it is not float32. */
  readonly weights: readonly (readonly [string, readonly number[], string?])[];
  /** Indices into `weights`: the tensors of each section, written as one vector. */
  readonly sections: readonly (readonly number[])[];
}

export interface PackageOptions {
  /** Tensors to write in sparse form. Default: kernels with zeros. */
  readonly sparse?: ReadonlySet<string>;
  /**
   * 'smallest': the smallest of all codes, for each tensor by itself or all together. 'fixed': all together with positions and values of fixed width,
   * so that the size depends only on the number of weights kept (see packageBytes).
   */
  readonly code?: 'smallest' | 'fixed';
}

const kernelsWithZeros = (model: Model): Set<string> => {
  const prunable = new Set(
    summarizeModel(model).flatMap(({ weights }) => weights.filter((one) => one.prunable).map(({ name }) => name)),
  );
  return new Set(
    model.weights.filter(({ name, data }) => prunable.has(name) && data.includes(0)).map(({ name }) => name),
  );
};

function concatenated(tensors: readonly WeightTensor[]): Float32Array {
  const all = new Float32Array(tensors.reduce((n, { data }) => n + data.length, 0));
  let at = 0;
  for (const { data } of tensors) {
    all.set(data, at);
    at += data.length;
  }
  return all;
}

function cheapestValues(values: Values, codes: readonly ValueCode[]): ValuePlan {
  const plans = codes.map((code) => code.plan(values)).filter((plan) => plan !== null);
  const bits = (plan: ValuePlan) => 8 * plan.table.length + plan.bits * values.data.length;
  return plans.reduce((best, plan) => (bits(plan) < bits(best) ? plan : best));
}

interface Coded {
  readonly positions: PositionCode;
  readonly values: ValuePlan;
  readonly kept: Uint32Array;
  readonly parameter: number;
  readonly bits: number;
}

function coded(positions: PositionCode, kept: Uint32Array, size: number, plan: ValuePlan): Coded {
  const parameter = positions.parameter?.(kept, size) ?? 0;
  const bits = positions.bits(kept, size, parameter) + plan.bits * kept.length;
  return { positions, values: plan, kept, parameter, bits };
}

const bytesOf = ({ positions, values, bits }: Coded): number =>
  SECTION_BYTES + (positions.parameter ? 1 : 0) + values.table.length + Math.ceil(bits / 8);

/** Tensors written as one vector, and the candidate codes. */
interface Section {
  readonly tensors: readonly number[];
  readonly positions: readonly PositionCode[];
  readonly values: readonly ValueCode[];
}

function sectionBytes(tensors: readonly WeightTensor[], { positions, values }: Section): Uint8Array {
  const vector = concatenated(tensors);
  const ends: number[] = [];
  for (const { data } of tensors) ends.push((ends.at(-1) ?? 0) + data.length);
  const planAt = (places: Uint32Array): ValuePlan => {
    const part = new Uint16Array(places.length);
    for (let i = 0, p = 0; i < places.length; i++) {
      while (places[i]! >= ends[p]!) p++;
      part[i] = p;
    }
    const data = Float32Array.from(places, (place) => vector[place]!);
    return cheapestValues({ data, partOf: (i) => part[i]!, parts: tensors.length }, values);
  };
  const every = Uint32Array.from({ length: vector.length }, (_, i) => i);
  const kept = every.filter((i) => vector[i] !== 0);
  const sparse = positions.some((code) => code !== allPlaces) ? planAt(kept) : null;
  const options = positions.map((code) =>
    code === allPlaces ? coded(code, every, vector.length, planAt(every)) : coded(code, kept, vector.length, sparse!),
  );
  const best = options.reduce((least, one) => (bytesOf(one) < bytesOf(least) ? one : least));
  const head = new DataView(new ArrayBuffer(SECTION_BYTES));
  head.setUint8(0, best.positions.tag);
  head.setUint8(1, best.values.code.tag);
  head.setUint32(2, best.kept.length, true);
  const out = new BitWriter(best.bits);
  best.positions.write(out, best.kept, vector.length, best.parameter);
  best.values.write(out);
  const parameter = best.positions.parameter ? [Uint8Array.of(best.parameter)] : [];
  return Buffer.concat([new Uint8Array(head.buffer), ...parameter, best.values.table, out.bytes]);
}

/** What a package of a graph's weights says of the graph. */
export const GRAPH_CLASS = 'ONNX';
const modelOf = (model: Model): Topology =>
  model.kind === 'layers' ? model.topology : { class_name: GRAPH_CLASS, config: { name: frontEndOf(model).name } };

function headerBytes(model: Model, sections: PackageHeader['sections']): Uint8Array {
  const header: PackageHeader = {
    model: modelOf(model),
    weights: model.weights.map(({ name, shape, dtype }) =>
      dtype === 'float32' ? [name, shape] : [name, shape, dtype],
    ),
    sections,
  };
  const json = deflateRawSync(JSON.stringify(header), { level: 9 });
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt8(VERSION, 4);
  prefix.writeUInt32LE(json.length, 5);
  return Buffer.concat([prefix, json]);
}

function assemble(model: Model, sections: readonly Section[]): Uint8Array {
  const used = sections.filter(({ tensors }) => tensors.length > 0);
  const members = used.map(({ tensors }) => tensors);
  const contents = used.map((section) =>
    sectionBytes(
      section.tensors.map((i) => model.weights[i]!),
      section,
    ),
  );
  const body = Buffer.concat([headerBytes(model, members), ...contents]);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32(body));
  return Buffer.concat([body, checksum]);
}

/** Tensors by kind, as indices. */
function split(model: Model, sparse: ReadonlySet<string>): { kernels: number[]; rest: number[] } {
  const indices = [...model.weights.keys()];
  return {
    kernels: indices.filter((i) => sparse.has(model.weights[i]!.name)),
    rest: indices.filter((i) => !sparse.has(model.weights[i]!.name)),
  };
}

/** Kernels that a bitmask alone makes smaller. One accidental zero in a dense kernel does not justify a section of its own. */
const worthwhile = (model: Model, kernels: ReadonlySet<string>): Set<string> => {
  const zeros = ({ data }: WeightTensor) => data.reduce((n, x) => (x === 0 ? n + 1 : n), 0);
  const sparse = model.weights.filter((weight) => kernels.has(weight.name) && 32 * zeros(weight) > weight.data.length);
  return new Set(sparse.map(({ name }) => name));
};

/** The smallest of: these kernels together in one section, each in its own. */
function smallest(model: Model, sparse: ReadonlySet<string>): Uint8Array {
  const { kernels, rest } = split(model, sparse);
  const any = { positions: [allPlaces, ...sparsePositionCodes], values: VALUE_CODES };
  const dense: Section = { tensors: rest, positions: [allPlaces], values: VALUE_CODES };
  const together = assemble(model, [{ tensors: kernels, ...any }, dense]);
  if (kernels.length < 2) return together;
  const apart = assemble(model, [...kernels.map((i) => ({ tensors: [i], ...any })), dense]);
  return apart.length < together.length ? apart : together;
}

/** The file. Exact: what is read back has the same bits (a kernel's -0 becomes 0). */
export function writeSparsePackage(model: Model, { sparse, code = 'smallest' }: PackageOptions = {}): Uint8Array {
  const chosen = sparse ?? kernelsWithZeros(model);
  if (code === 'fixed') {
    const { kernels, rest } = split(model, chosen);
    return assemble(model, [
      { tensors: kernels, positions: [fixedWidth], values: VALUE_CODES },
      // Biases continue to train: their current values must not decide.
      { tensors: rest, positions: [allPlaces], values: [float32] },
    ]);
  }
  const written = smallest(model, chosen);
  const fewer = sparse ? chosen : worthwhile(model, chosen);
  if (fewer.size === chosen.size) return written;
  const other = smallest(model, fewer);
  return other.length < written.length ? other : written;
}

/**
 * Length of the package without the sections of these kernels: header, checksum, all other tensors in full.
 * @param apart whether each kernel has a section of its own.
 */
export function emptyPackageBytes(model: Model, sparse: ReadonlySet<string>, apart: boolean): number {
  const { kernels, rest } = split(model, sparse);
  const numbers = rest.reduce((n, i) => n + model.weights[i]!.data.length, 0);
  const sections = [...(apart ? kernels.map((i) => [i]) : [kernels]), rest].filter((members) => members.length > 0);
  const others = rest.length > 0 ? SECTION_BYTES + 4 * numbers : 0;
  return headerBytes(model, sections).length + others + CHECKSUM_BYTES;
}
