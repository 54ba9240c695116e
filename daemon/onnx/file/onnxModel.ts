/**
 * An ONNX file in memory, with the structure of its protobuf messages. [onnx/onnx.proto of ONNX 1.12 and newer] Models are data, never code.
 * Names (of nodes, operators, values, attributes, sizes) have no control characters, so that any message can hold them; texts (attributes,
 * metadata) may.
 */

/** The names of TensorProto.DataType. The reader of a tensor refuses types that it cannot read. */
export type OnnxType =
  | 'float' | 'float16' | 'bfloat16' | 'double'
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64'
  | 'bool' | 'string' | 'other'; // prettier-ignore

/** A range of bytes in another file, beside the model's. */
export interface ExternalRange {
  /** Path from the model's folder, as the model gives it. */
  readonly location: string;
  readonly offset: number;
  /** null: up to the file's end, for a tensor whose type has no size. */
  readonly length: number | null;
}

/** A tensor of the file. Shape, type and count of values agree; the values are read on request. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  /** Whole, at least 0; the product is below 2^53. */
  readonly dims: readonly number[];
  /**
   * Dense, row major. Floats of 16 and 32 bits are a Float32Array (16 bits widened exactly); double, whole numbers and bool (0 or 1)
   * are a Float64Array. int64 and uint64 from 2^62 on, which mean "without end", are ±Number.MAX_SAFE_INTEGER, also in attributes.
   * It may be a view of the file's bytes, so callers must not write to it.
   * @throws UserError('model-invalid') if bytes of another file are missing, or whole numbers lie between 2^53 and 2^62;
   * UserError('model-unsupported') for text and for types that this product does not compute with.
   */
  values(): Float32Array | Float64Array;
  /** The place of the values, unless they are in the model file. */
  readonly external?: ExternalRange;
}

export type OnnxAttribute =
  | { readonly kind: 'float' | 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'floats' | 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  | { readonly kind: 'graph'; readonly value: OnnxGraph }
  /** Sparse tensors, types, and lists of tensors and graphs: an operator that needs one refuses the node. */
  | { readonly kind: 'other' };

export interface OnnxNode {
  /** May be empty, or shared with other nodes; `nameOf` gives each node a unique name. */
  readonly name: string;
  readonly op: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** Names of values; empty if an optional value is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** The declared type of a value. A dimension is a number (at least 0), a name (equal names are equal numbers), or null. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** null if the rank is not known, or the value is not a tensor. */
  readonly dims: readonly (number | string | null)[] | null;
}

export interface OnnxGraph {
  readonly name: string;
  /** Nodes in the file's order. The reader checks that it is topological. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Inputs without initializers, which older files list too. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Declared types of values between nodes; files need not have them. */
  readonly values: ReadonlyMap<string, OnnxValue>;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version by domain; "" is ONNX's own domain, and always present. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
}
