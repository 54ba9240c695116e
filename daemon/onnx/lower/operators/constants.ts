import { Misfit } from '../../../network/misfit.js';
import { sizeOf } from '../../../protocol/shape.js';
import type { DType } from '../../../network/ir.js';
import type { OnnxTensor, OnnxType } from '../../file/onnxModel.js';
import type { Call, Operator } from '../call.js';
import { heldSize, mostNumbers, numbers, type NumberTensor, splatOf } from '../values/numberTensor.js';
import { dimsOf, typeOf } from '../values/value.js';

/** Operators that make tensors from numbers alone, and those that pass a tensor on, unchanged or in another type. */

/** The network's type for a type of the file; undefined if the type has no numbers. */
export function dtypeOf(type: OnnxType): DType | undefined {
  if (type === 'string' || type === 'other') return undefined;
  if (type === 'bool') return 'bool';
  return type.includes('int') ? 'int32' : 'float32';
}

/** The content of a tensor of the file. @throws Misfit for strings */
export function numbersOf(tensor: OnnxTensor): NumberTensor {
  const dtype = dtypeOf(tensor.type);
  if (!dtype) throw new Misfit(`the tensor "${tensor.name}" holds no numbers: its type is ${tensor.type}`);
  return numbers(tensor.values(), tensor.dims, dtype);
}

const constant: Operator = (call) => {
  const tensor = call.tensor('value');
  if (tensor) return numbersOf(tensor);
  const float = call.datum('value_float');
  if (float !== undefined) return numbers([float], [], 'float32');
  const int = call.int('value_int', undefined);
  if (int !== undefined) return numbers([int], [], 'int32');
  const floats = call.data('value_floats');
  if (floats) return numbers(floats, [floats.length], 'float32');
  const ints = call.ints('value_ints', undefined);
  if (ints) return numbers(ints, [ints.length], 'int32');
  throw call.refusal('holds no dense numbers (strings and sparse tensors have no rule)');
};

const constantOfShape: Operator = (call) => {
  const shape = [...call.known(0, 'the shape').data];
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) throw call.refusal(`has no shape: [${shape}]`);
  const tensor = call.tensor('value');
  const value = tensor ? numbersOf(tensor) : numbers([0], [1], 'float32');
  if (sizeOf(shape) > mostNumbers) {
    const node = call.lowering.builder.constant(splatOf(value) ?? 0, shape, value.dtype);
    return call.lowering.value(node, undefined, 'data');
  }
  return { ...value, dims: shape, data: new Float64Array(sizeOf(shape)).fill(value.data[0] ?? 0) };
};

const range: Operator = (call) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => call.scalar(i, 'its limits')) as [number, number, number];
  if (delta === 0) throw call.refusal('has a step of 0');
  const length = heldSize([Math.max(0, Math.ceil((limit - start) / delta))]);
  const values = Float64Array.from({ length }, (_, i) => start + i * delta);
  return numbers(values, [length], typeOf(call.input(0)));
};

const eyeLike: Operator = (call) => {
  const [rows, columns] = call.shapeOfRank(0, 2) as [number, number];
  heldSize([rows, columns]);
  const k = call.int('k', 0);
  const data = Float64Array.from({ length: rows * columns }, (_, i) => Number((i % columns) - Math.floor(i / columns) === k)); // prettier-ignore
  return numbers(data, [rows, columns], call.dtype('dtype', typeOf(call.input(0))));
};

/** TensorProto.DataType: uint8, int8, uint16, int16. */
const NARROW = [2, 3, 4, 5];

/** A cast to whole numbers truncates; a cast to bool compares with 0. */
const cast: Operator = (call) => {
  const x = call.input(0);
  const dtype = call.has('to') ? call.dtype('to', 'float32') : typeOf(call.input(1));
  if (x.kind === 'weight' && dtype === 'float32') return x;
  if (typeOf(x) === dtype) return x;
  if (x.kind === 'numbers')
    return numbers(x.data.map((v) => (dtype === 'bool' ? Number(v !== 0) : dtype === 'int32' ? Math.trunc(v) : v)), x.dims, dtype); // prettier-ignore
  const { lowering } = call;
  if (NARROW.includes(call.int('to', 0)) && typeOf(x) !== 'bool') throw call.refusal('makes whole numbers of 8 or 16 bits, whose overflow has no rule'); // prettier-ignore
  if (x.kind === 'weight') return lowering.value(lowering.cast(lowering.natural(x), dtype));
  return { ...x, node: lowering.cast(x.node, dtype) };
};

/**
 * The pass decides the training mode: a Dropout that was exported for evaluation trains again. Each pass draws a new mask; kept
 * values are scaled by 1 / (1 - ratio).
 */
const dropout: Operator = (call) => {
  const { lowering } = call;
  const x = call.input(0);
  const ratio = call.optional(1) ? call.scalar(1, 'its ratio') : call.float('ratio', 0.5);
  const dims = dimsOf(x);
  // The mask has the data's size: its numbers are not held.
  const kept = () => lowering.value(lowering.builder.constant(1, dims, 'bool'), undefined, 'data');
  if (!lowering.training || ratio <= 0 || x.kind === 'numbers') return call.gives(1) ? [x, kept()] : [x];
  if (x.kind === 'weight') throw call.refusal('drops weights, which has no rule');
  if (ratio >= 1) throw call.refusal(`drops everything: its ratio is ${ratio}`);
  const { node } = x;
  const noise = lowering.builder.input(node.shape, { role: 'random', random: { kind: 'uniform' } });
  const keep = lowering.add('GreaterEqual', [noise, lowering.scalar(ratio)], node.shape, {}, 'bool');
  const scale = lowering.add(
    'Multiply',
    [lowering.cast(keep, 'float32'), lowering.scalar(1 / (1 - ratio))],
    node.shape,
  );
  return [
    { ...x, node: lowering.add('Multiply', [node, scale], node.shape) },
    { ...x, node: keep },
  ];
};

/** Returns the input itself. */
export const handedOn = (call: Call) => call.input(0);

export const constantOperators: Readonly<Record<string, Operator>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  EyeLike: eyeLike,
  Identity: handedOn,
  Cast: cast,
  CastLike: cast,
  Dropout: dropout,
};
