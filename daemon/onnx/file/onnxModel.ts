/** An ONNX file in memory, as its protobuf messages say it. [onnx/onnx.proto of ONNX 1.12 and newer] Models are data, never code. */

/** TensorProto.DataType by its names; others are refused by the reader of a tensor that needs them. */
export type OnnxType =
  | 'float' | 'float16' | 'bfloat16' | 'double'
  | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64'
  | 'bool' | 'string' | 'other'; // prettier-ignore

/** A tensor of the file. Its values are read when they are asked for: float kinds widened to float32, whole numbers as numbers. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Dense, row major. @throws UserError('model-invalid') where bytes are missing, or whole numbers are beyond 2^53. */
  values(): Float32Array | Float64Array;
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

/** What is known of a value. A dimension is a number, a name (the same name is the same number), or null. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** null: the rank is not known. */
  readonly dims: readonly (number | string | null)[] | null;
}

export interface OnnxGraph {
  readonly name: string;
  /** In the file's order, which is topological in a valid file: the reader checks it. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** Without those that are initializers, which older files list too. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
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
