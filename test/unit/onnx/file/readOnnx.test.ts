import { describe, expect, it } from 'vitest';
import { Message } from '../../../../daemon/onnx/emit/message.js';
import type { OnnxTensor } from '../../../../daemon/onnx/file/onnxModel.js';
import { readOnnx, readTensorProto } from '../../../../daemon/onnx/file/readOnnx.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { fixture, fixtures, float32, graph, model, node, tensor, value } from './protos.js';

const read = (bytes: Uint8Array) => readOnnx(bytes, { path: 'net.onnx' });
const refusal = (bytes: Uint8Array): string => {
  try {
    read(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).toMatch(/^net\.onnx: [^\n]*$/);
    return message.slice('net.onnx: '.length);
  }
  throw new Error('it was read');
};

describe('what a file says', () => {
  it('a network of PyTorch: versions, nodes in order, attributes, weights, names of open sizes', () => {
    const { irVersion, producer, opsets, graph: g } = read(fixture('cnn-training.onnx'));
    expect([irVersion, producer, [...opsets]]).toEqual([8, 'pytorch 1.13.0', [['', 16]]]);
    expect(g.inputs).toEqual([{ name: 'image', type: 'float', dims: ['batch', 3, 8, 8] }]);
    expect(g.outputs).toEqual([{ name: 'logits', type: 'float', dims: ['Gemmlogits_dim_0', 4] }]);
    expect(g.nodes.map(({ op }) => op)).toContain('BatchNormalization');
    const grouped = g.nodes.filter(({ op }) => op === 'Conv')[1]!;
    expect(grouped.attributes.get('group')).toEqual({ kind: 'int', value: 4 });
    expect(grouped.attributes.get('pads')).toEqual({ kind: 'ints', value: [1, 1, 1, 1] });
    expect(g.initializers.get('3.weight')!.dims).toEqual([8, 2, 3, 3]);
    expect(g.initializers.get('3.weight')!.values()).toHaveLength(144);
  });

  it('weights that an older file lists as inputs too are no inputs', () => {
    const { graph: g } = read(fixture('cnn-opset9.onnx'));
    expect(g.inputs).toHaveLength(1);
    expect(g.initializers.size).toBeGreaterThan(4);
  });

  it('every kind of numbers, in raw_data and in a field of its own', () => {
    const { graph: g, metadata } = read(fixture('kinds.onnx'));
    expect([...metadata]).toEqual([['author', 'a person']]);
    for (const [name, of] of g.initializers) {
      const kind = name.replace(/_(raw|typed)$/, '');
      const expected = kind === 'bool' ? [1, 0, 1] : kind.startsWith('u') ? [3, 2, 1] : /float|double/.test(kind) ? [1.5, -2, 0.25] : [7, -3, 1]; // prettier-ignore
      expect([name, [...of.values()]]).toEqual([name, expected]);
      expect(of.values()).toBeInstanceOf(/float/.test(kind) ? Float32Array : Float64Array);
    }
    expect(g.initializers.size).toBe(26);
  });

  it('a Slice to the end: the largest int64 is the largest number, one between 2^53 and 2^62 is refused', () => {
    const tensors = [...read(fixture('attention.onnx')).graph.nodes]
      .flatMap(({ attributes }) => [...attributes.values()])
      .flatMap((one): OnnxTensor[] => (one.kind === 'tensor' ? [one.value] : []));
    expect(tensors.flatMap((one) => [...one.values()])).toContain(Number.MAX_SAFE_INTEGER);
    const int64 = (number: bigint) => tensor({ type: 7, dims: [1], raw: new Uint8Array(BigInt64Array.of(number).buffer) }).finish(); // prettier-ignore
    expect([...readTensorProto(int64(-(2n ** 63n))).values()]).toEqual([-Number.MAX_SAFE_INTEGER]);
    expect([...readTensorProto(int64(2n ** 53n - 1n)).values()]).toEqual([2 ** 53 - 1]);
    expect(() => readTensorProto(int64(2n ** 60n)).values()).toThrow(/beyond 2\^53/);
  });

  it('float data in pieces: packed, one by one, and mixed', () => {
    const pieces = new Message().int(1, 4).int(2, 1).text(8, 'w').float(4, 1).bytes(4, float32(2, 3)).float(4, 4);
    expect([...readTensorProto(pieces.finish()).values()]).toEqual([1, 2, 3, 4]);
  });

  it('all fixtures are read', () => {
    for (const name of fixtures) expect(read(fixture(name)).graph.nodes.length, name).toBeGreaterThan(0);
    expect(fixtures.length).toBeGreaterThan(7);
  });
});

const nested = (depth: number): Message =>
  depth === 0 ? graph() : graph({ nodes: [node('If', ['x'], ['y']).message(5, new Message().text(1, 'then_branch').message(6, nested(depth - 1)).int(20, 5))] }); // prettier-ignore

describe('what is refused, in one line that says where', () => {
  it.each<[string, Uint8Array, string | RegExp]>([
    ['nothing', new Uint8Array(0), /holds no graph/],
    ['a newer format', model(graph(), { ir: 99 }), /format version \(IR\) 99 is newer than 13/],
    ['no format', model(graph(), { ir: 0 }), /does not say the version of its format/],
    ['newer operators', model(graph(), { opset: 27 }), /\(opset\) 27; 7 to 26 are read: export it with opset_version=17/],
    ['older operators', model(graph(), { opset: 6 }), /\(opset\) 6; 7 to 26 are read/],
    ['a node out of order', model(graph({ nodes: [node('Relu', ['a'], ['y'], 'r'), node('Add', ['x', 'w'], ['a'], 'add')] })), /^node "r" \(Relu\) reads "a" before node "add" \(Add\) gives it; ONNX wants nodes in the order/],
    ['a circle', model(graph({ nodes: [node('Relu', ['b'], ['a'], 'r'), node('Add', ['a', 'w'], ['b'], 'add'), node('Relu', ['b'], ['y'])] })), /^its graph is a circle: node "r" \(Relu\) reads "b"/],
    ['a node that reads itself', model(graph({ nodes: [node('Relu', ['y'], ['y'], 'r')] })), /circle/],
    ['a value from nowhere', model(graph({ nodes: [node('Relu', ['z'], ['y'])] })), 'a node "Relu" reads "z", which no node, input or initializer of the graph gives'],
    ['an output from nowhere', model(graph({ outputs: [value('q')] })), 'its output "q" comes from no node'],
    ['a value twice', model(graph({ nodes: [node('Relu', ['x'], ['y']), node('Abs', ['x'], ['y'])] })), 'two values are called "y": the second comes from a node "Abs"'],
    ['an input twice', model(graph({ inputs: [value('x'), value('x')] })), 'two inputs are called "x"'],
    ['an output twice', model(graph({ outputs: [value('y'), value('y')] })), 'two outputs are called "y"'],
    ['an initializer twice', model(graph({ initializers: [tensor({ raw: float32(1, 2) }), tensor({ raw: float32(1, 2) })] })), 'two initializers are called "w"'],
    ['an initializer that a node gives too', model(graph({ nodes: [node('Add', ['x', 'w'], ['w'])] })), /two values are called "w"/],
    ['an initializer of two shapes', model(graph({ inputs: [value('x'), value('w', [3])] })), 'initializer "w" is of another shape or kind than the file says elsewhere'],
    ['an output that is an initializer of another shape', model(graph({ outputs: [value('y'), value('w', [2, 3])] })), 'initializer "w" is of another shape or kind than the file says elsewhere'],
    ['a value of two types', model(graph({ inputs: [value('x').message(2, new Message().message(1, new Message().int(1, 1)))] })), /a value of two types/],
    ['a value of two shapes', model(graph({ inputs: [new Message().text(1, 'x').message(2, new Message().message(1, new Message().message(2, new Message()).message(2, new Message())))] })), /a value of two shapes/],
    ['an attribute of two tensors', model(graph({ nodes: [node('Constant', [], ['y']).message(5, new Message().text(1, 'value').message(5, tensor({ raw: float32(1, 2) })).message(5, tensor({ raw: float32(1, 2) })))] })), /an attribute of two values/],
    ['a size below 0', model(graph({ initializers: [tensor({ dims: [-2], raw: float32(1, 2) })] })), 'initializer "w": its shape [-2] cannot be'],
    ['a size beyond 2^53', model(graph({ initializers: [tensor({ dims: [2 ** 30, 2 ** 30], raw: float32(1, 2) })] })), /its shape \[1073741824, 1073741824\] cannot be/],
    ['too few bytes', model(graph({ initializers: [tensor({ dims: [3], raw: float32(1, 2) })] })), 'initializer "w": its shape [3] needs 12 bytes, and 8 are there; is the file cut off?'],
    ['no bytes', model(graph({ initializers: [tensor({})] })), /needs 8 bytes, and 0 are there/],
    ['values of another kind', model(graph({ initializers: [tensor({}).double(10, 1).double(10, 1)] })), 'initializer "w": its values lie in double_data, those of float belong in float_data'],
    ['values twice', model(graph({ initializers: [tensor({ raw: float32(1, 2) }).float(4, 1).float(4, 1)] })), /values are there twice/],
    ['no kind of numbers', model(graph({ initializers: [tensor({ type: 0, raw: float32(1, 2) })] })), /its kind of numbers is not said/],
    ['two graphs', new Message().int(1, 8).message(7, graph()).message(7, graph()).finish(), 'holds two graphs'],
    ['graphs in graphs', model(nested(40)), /graphs nested deeper than 16/],
    ['an attribute twice', model(graph({ nodes: [node('Add', ['x', 'w'], ['y'], 'add').messages(5, [1, 2], (i) => new Message().text(1, 'axis').int(3, i).int(20, 2))] })), 'node "add" (Add) has two attributes "axis"'],
    ['a name that is no text', model(graph({ nodes: [new Message().text(1, 'x').bytes(2, Uint8Array.of(0xff, 0xfe)).text(4, 'Relu')] })), /a name that is no UTF-8/],
    ['a name of two lines', model(graph({ nodes: [node('Relu', ['a\nb'], ['y'])] })), /a name with control characters/],
    ['a name with a break of lines of Unicode', model(graph({ nodes: [node('Relu', ['a\u2028b'], ['y'])] })), /a name with control characters/],
    ['an operator of two lines', model(graph({ nodes: [node('Re\nlu', ['x'], ['y'])] })), /a name with control characters/],
    ['a field longer than its message', Uint8Array.of(8, 8, 58, 127, 1), /is damaged at byte 2: field 7 is longer than what is around it/],
    ['a number that never ends', Uint8Array.of(8, ...Array<number>(11).fill(255)), /a number of more than ten bytes/],
    ['a number cut off', Uint8Array.of(8, 255), /it ends inside a number/],
    ['a group', Uint8Array.of(8, 8, 11, 12), /of a type that ONNX does not use/],
    ['segments', model(graph({ initializers: [tensor({ raw: float32(1, 2) }).message(3, new Message().int(1, 0))] })), /a tensor in segments/],
    ['sparse initializers', model(graph().message(15, new Message())), /sparse initializers are not read/],
  ])('%s', (_, bytes, expected) => {
    const message = refusal(bytes);
    if (typeof expected === 'string') expect(message).toBe(expected);
    else expect(message).toMatch(expected);
  }); // prettier-ignore

  it('a whole file cut at any byte', () => {
    const whole = fixture('tied.onnx');
    let refused = 0;
    for (let length = 0; length < whole.length; length++)
      try {
        read(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        refused++;
      }
    // Of the last fields some may be missing.
    expect(refused).toBeGreaterThan(whole.length - 40);
  });

  it('values of kinds that are not computed with, when they are asked for', () => {
    const text = readTensorProto(new Message().int(1, 1).int(2, 8).text(6, 'a').text(8, 'names').finish());
    expect(text.type).toBe('string');
    expect(() => text.values()).toThrow(/tensor "names" holds text/);
    const complex = readTensorProto(tensor({ type: 14, dims: [1], raw: new Uint8Array(8) }).finish());
    expect(complex.type).toBe('other');
    expect(() => complex.values()).toThrow(/kind 14/);
  });
});
