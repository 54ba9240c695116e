/** The number types of tensors: TensorProto.DataType of onnx.proto. */
import type { OnnxType } from './onnxModel.js';

/** The field of a TensorProto that holds a type's values if raw_data does not. */
export type TypedField = 'float_data' | 'int32_data' | 'int64_data' | 'uint64_data' | 'double_data' | 'string_data';

/** Bytes of one value in each of the fields; 0 if the size varies. */
export const FIXED: Readonly<Record<TypedField, 0 | 4 | 8>> = {
  float_data: 4,
  int32_data: 0,
  string_data: 0,
  int64_data: 0,
  double_data: 8,
  uint64_data: 0,
};

export interface Kind {
  readonly type: OnnxType;
  /** Bytes of an element in raw_data; 0 if the size is not fixed. */
  readonly size: number;
  readonly field: TypedField;
  /** Range of a type of whole numbers. */
  readonly range?: readonly [least: number, most: number];
}

/** Types by their numbers in the file. Missing ones (complex numbers, floats of 8 bits and less) are `other`. */
const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [1, { type: 'float', size: 4, field: 'float_data' }],
  [2, { type: 'uint8', size: 1, field: 'int32_data', range: [0, 255] }],
  [3, { type: 'int8', size: 1, field: 'int32_data', range: [-128, 127] }],
  [4, { type: 'uint16', size: 2, field: 'int32_data', range: [0, 65535] }],
  [5, { type: 'int16', size: 2, field: 'int32_data', range: [-32768, 32767] }],
  [6, { type: 'int32', size: 4, field: 'int32_data', range: [-(2 ** 31), 2 ** 31 - 1] }],
  [7, { type: 'int64', size: 8, field: 'int64_data' }],
  [8, { type: 'string', size: 0, field: 'string_data' }],
  [9, { type: 'bool', size: 1, field: 'int32_data', range: [0, 1] }],
  [10, { type: 'float16', size: 2, field: 'int32_data', range: [0, 65535] }],
  [11, { type: 'double', size: 8, field: 'double_data' }],
  [12, { type: 'uint32', size: 4, field: 'uint64_data', range: [0, 2 ** 32 - 1] }],
  [13, { type: 'uint64', size: 8, field: 'uint64_data' }],
  [16, { type: 'bfloat16', size: 2, field: 'int32_data', range: [0, 65535] }],
]);

/** undefined for types that are not read. */
export const kindOf = (dataType: number): Kind | undefined => KINDS.get(dataType);

export const typeOf = (dataType: number): OnnxType => kindOf(dataType)?.type ?? 'other';

/** The type by its name; undefined for `other`. */
export const kindNamed = (type: OnnxType): Kind | undefined => [...KINDS.values()].find((kind) => kind.type === type);
