/** Small valid ONNX files, written in a line each. */
import { createRandom } from '../../../../daemon/lc/random.js';
import { Message } from '../../../../daemon/onnx/emit/message.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { graph, model, node, tensor, value } from '../../../unit/onnx/file/protos.js';

export type Attributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] } | { readonly tensor: Message }>>; // prettier-ignore

/** A constant of the file. */
export interface Constant {
  readonly type: number;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
}

/** Random numbers below 1, the same for the same shape. */
export function floats(...dims: number[]): Constant {
  const random = createRandom(sizeOf(dims) + 31 * dims.length);
  return { type: 1, dims, raw: new Uint8Array(Float32Array.from({ length: sizeOf(dims) }, () => 2 * random.next() - 1).buffer) }; // prettier-ignore
}

/** Numbers above 0.1. */
export function positive(...dims: number[]): Constant {
  const { type, raw } = floats(...dims);
  return { type, dims, raw: new Uint8Array(new Float32Array(raw.buffer).map((v) => Math.abs(v) + 0.1).buffer) };
}

/** A list of whole numbers. */
export const list = (...values: number[]): Constant => ({ type: 7, dims: [values.length], raw: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) }); // prettier-ignore
export const one = (number: number): Constant => ({ ...list(number), dims: [] });
export const oneFloat = (number: number): Constant => ({ type: 1, dims: [], raw: new Uint8Array(Float32Array.of(number).buffer) }); // prettier-ignore
export const shaped = (constant: Constant, ...dims: number[]): Constant => ({ ...constant, dims });

function attribute([name, given]: [string, Attributes[string]]): Message {
  const message = new Message().text(1, name);
  if (typeof given === 'number') return message.int(3, given).int(20, 2);
  if (typeof given === 'string') return message.text(4, given).int(20, 3);
  if ('float' in given) return message.float(2, given.float).int(20, 1);
  if ('tensor' in given) return message.message(5, given.tensor).int(20, 4);
  if ('floats' in given) return given.floats.reduce((all, v) => all.float(7, v), message).int(20, 6);
  return given.reduce((all, v) => all.int(8, v), message).int(20, 7);
}

export interface Line {
  readonly op: string;
  /** Names of values, or constants; null leaves an optional input out. */
  readonly in: readonly (string | Constant | null)[];
  readonly out?: readonly string[];
  readonly attrs?: Attributes;
}

/** A file of the input x, [N, ...dims], whose last line makes y, unless it names its outputs. */
export function file(dims: readonly number[], lines: readonly Line[], opset = 17, outputs = ['y']): Uint8Array {
  const constants: Message[] = [];
  const nodes = lines.map(({ op, in: given, out, attrs = {} }, i) => {
    const inputs = given.map((input) => {
      if (input === null || typeof input === 'string') return input ?? '';
      const name = `c${constants.length}`;
      constants.push(tensor({ name, type: input.type, dims: input.dims, raw: input.raw }));
      return name;
    });
    const made = out ?? [i === lines.length - 1 ? 'y' : `v${i}`];
    return node(op, inputs, made, `n${i}`).messages(5, Object.entries(attrs), attribute);
  });
  const open = (name: string): Message => new Message().text(1, name).message(2, new Message().message(1, new Message().int(1, 1))); // prettier-ignore
  return model(graph({ nodes, initializers: constants, inputs: [value('x', ['N', ...dims])], outputs: outputs.map(open) }), { opset }); // prettier-ignore
}
