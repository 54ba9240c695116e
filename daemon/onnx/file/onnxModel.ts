/** An ONNX file in memory, as its protobuf messages say it. [onnx/onnx.proto of ONNX 1.12 and newer] Models are data, never code. */

/** TensorProto.DataType by its names; others are refused by the reader of a tensor that needs them. */
export type OnnxType =
  | 'float' | 'float16' | 'bfloat16' | 'double'
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64'
  | 'bool' | 'string' | 'other'; // prettier-ignore

/** Bytes of another file, beside the model's. */
export interface ExternalRange {
  /** As the model names it: a path from its own folder. */
  readonly location: string;
  readonly offset: number;
  /** null: to the file's end, of a tensor whose kind has no size. */
  readonly length: number | null;
}

/** A tensor of the file. Shape, kind and count of values fit together; the values are read when they are asked for. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  /** Whole, at least 0; the product is below 2^53. */
  readonly dims: readonly number[];
  /**
   * Dense, row major: floats of 16 and 32 bits in a Float32Array (16 bits widened, exactly), double, whole numbers and bool (0 or 1)
   * in a Float64Array. int64 and uint64 of 2^62 and more, which mean "without end", are ±Number.MAX_SAFE_INTEGER, in attributes too.
   * It may be a view of the file's bytes: never written to.
   * @throws UserError('model-invalid') where bytes of another file are missing, or whole numbers lie between 2^53 and 2^62;
   * UserError('model-unsupported') for text and kinds that are not computed with.
   */
  values(): Float32Array | Float64Array;
  /** Where the values lie, unless in the file itself. */
  readonly external?: ExternalRange;
}

export type OnnxAttribute =
  | { readonly kind: 'float' | 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'floats' | 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  | { readonly kind: 'graph'; readonly value: OnnxGraph }
  /** Sparse tensors, types, and lists of tensors and graphs: whoever needs one refuses the node. */
  | { readonly kind: 'other' };

export interface OnnxNode {
  /** May be empty or shared in the file; `nameOf` gives each node one of its own. */
  readonly name: string;
  readonly op: string;
  /** Empty: ONNX's own operators. */
  readonly domain: string;
  /** Names of values; empty where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** What is known of a value. A dimension is a number (at least 0), a name (the same name is the same number), or null. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** null: the rank is not known, or it is no tensor. */
  readonly dims: readonly (number | string | null)[] | null;
}

export interface OnnxGraph {
  readonly name: string;
  /** In the file's order, which is topological: the reader checks it. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Without those that are initializers, which older files list too. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** What the file says of values between its nodes; shape inference need not have been run. */
  readonly values: ReadonlyMap<string, OnnxValue>;
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version by domain; "" is ONNX's own, and always there. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
}
