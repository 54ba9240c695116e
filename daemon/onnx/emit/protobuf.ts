/**
 * The part of the ONNX file format that a graph needs, encoded here as protocol buffers. Field numbers are those of
 * onnx.proto3 (github.com/onnx/onnx). Tensors are stored little-endian, the byte order of every machine that Node runs on.
 */

import { Message } from './message.js';

/** TensorProto.DataType. */
export const onnxType = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type OnnxType = keyof typeof onnxType;

export interface OnnxTensor {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** Integers and lists of integers are INT(S); a float must be marked as a float. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number } | { readonly tensor: OnnxTensor }; // prettier-ignore

export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** A name stands for an open size: the batch. */
  readonly dims: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

function tensorProto({ type, dims, data }: OnnxTensor, name?: string): Message {
  const message = new Message();
  for (const dim of dims) message.int(1, dim);
  message.int(2, onnxType[type]);
  if (name !== undefined) message.text(8, name);
  return message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function attributeProto([name, value]: [string, OnnxAttribute]): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, 2);
  if (typeof value === 'string') return message.text(4, value).int(20, 3);
  if ('float' in value) return message.float(2, value.float).int(20, 1);
  if ('tensor' in value) return message.message(5, tensorProto(value.tensor)).int(20, 4);
  for (const item of value) message.int(8, item);
  return message.int(20, 7);
}

function nodeProto({ op, domain, inputs, outputs, attrs }: OnnxNode): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(4, op).messages(5, Object.entries(attrs), attributeProto);
  return domain === undefined ? message : message.text(7, domain);
}

function valueInfoProto({ name, type, dims }: OnnxValue): Message {
  const shape = new Message().messages(1, dims, (dim) =>
    typeof dim === 'string' ? new Message().text(2, dim) : new Message().int(1, dim),
  );
  const tensor = new Message().int(1, onnxType[type]).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** A ModelProto. @param opsets version by operator domain; '' is ONNX's own. */
export function encodeOnnx(graph: OnnxGraph, opsets: Readonly<Record<string, number>>): Uint8Array {
  const graphProto = new Message()
    .messages(1, graph.nodes, nodeProto)
    .text(2, 'step')
    .messages(5, graph.initializers, ([name, tensor]) => tensorProto(tensor, name))
    .messages(11, graph.inputs, valueInfoProto)
    .messages(12, graph.outputs, valueInfoProto);
  return new Message()
    .int(1, 9)
    .text(2, 'lc-prune')
    .message(7, graphProto)
    .messages(8, Object.entries(opsets), ([domain, version]) => new Message().text(1, domain).int(2, version))
    .finish();
}
