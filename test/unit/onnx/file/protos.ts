/** Small ONNX files written by hand, field by field, so that a test can make one of them wrong. [onnx.proto] */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Message } from '../../../../daemon/onnx/emit/message.js';

// From the root of the repository, where tests and the bundles of fuzzers run.
const folder = `${resolve('test/fixtures/onnx')}/`;
export const fixtures = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
export const fixturePath = (name: string): string => `${folder}${name}`;
export const fixture = (name: string): Buffer => readFileSync(fixturePath(name));

export const float32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

export interface TensorParts {
  readonly name?: string;
  readonly type?: number;
  readonly dims?: readonly number[];
  readonly raw?: Uint8Array;
  /** Entries of external_data. */
  readonly external?: Readonly<Record<string, string>>;
}

export function tensor({ name = 'w', type = 1, dims = [2], raw, external }: TensorParts): Message {
  const message = new Message();
  for (const dim of dims) message.int(1, dim);
  message.int(2, type).text(8, name);
  if (raw) message.bytes(9, raw);
  if (external) {
    message.messages(13, Object.entries(external), ([key, value]) => new Message().text(1, key).text(2, value));
    message.int(14, 1);
  }
  return message;
}

export function node(op: string, inputs: readonly string[], outputs: readonly string[], name = ''): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  return message.text(3, name).text(4, op);
}

export function value(name: string, dims: readonly (number | string)[] = [2]): Message {
  const shape = new Message().messages(1, dims, (dim) =>
    typeof dim === 'string' ? new Message().text(2, dim) : new Message().int(1, dim),
  );
  return new Message().text(1, name).message(2, new Message().message(1, new Message().int(1, 1).message(2, shape)));
}

export interface GraphParts {
  readonly nodes?: readonly Message[];
  readonly initializers?: readonly Message[];
  readonly inputs?: readonly Message[];
  readonly outputs?: readonly Message[];
}

/** A model of y = x + w, unless a test overrides it. */
export function graph(parts: GraphParts = {}): Message {
  return new Message()
    .messages(1, parts.nodes ?? [node('Add', ['x', 'w'], ['y'], 'add')], (one) => one)
    .text(2, 'g')
    .messages(5, parts.initializers ?? [tensor({ raw: float32(1, 2) })], (one) => one)
    .messages(11, parts.inputs ?? [value('x')], (one) => one)
    .messages(12, parts.outputs ?? [value('y')], (one) => one);
}

export function model(of: Message = graph(), { ir = 8, opset = 17 }: { ir?: number; opset?: number } = {}): Uint8Array {
  return new Message()
    .int(1, ir)
    .text(2, 'hand')
    .message(7, of)
    .message(8, new Message().text(1, '').int(2, opset))
    .finish();
}
