import { describe, expect, test } from 'vitest';
import type { OnnxModel } from '../../../../daemon/onnx/file/onnxModel.js';
import { networkOfOnnx } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { onnxOf, passOf, tensorOf } from './onnxOf.js';

/** The lowering of graphs: axes, shapes computed at import, batches of exports, and refusals. */

const pixels = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i + 1));

describe('axes', () => {
  test('a convolution between Transposes, as Keras exports it, is a convolution', () => {
    const model = onnxOf(
      { x: ['n', 5, 5, 3] },
      [tensorOf('w', [4, 3, 3, 3]), tensorOf('v', [2, 4, 1, 1])],
      [
        { op: 'Transpose', in: ['x'], out: 'a', attrs: { perm: [0, 3, 1, 2] } },
        { op: 'Conv', in: ['a', 'w'], out: 'b' },
        { op: 'Transpose', in: ['b'], out: 'c', attrs: { perm: [0, 2, 3, 1] } },
        { op: 'Relu', in: ['c'], out: 'd' },
        { op: 'Transpose', in: ['d'], out: 'e', attrs: { perm: [0, 3, 1, 2] } },
        { op: 'Conv', in: ['e', 'v'], out: 'f' },
        { op: 'Transpose', in: ['f'], out: 'y', attrs: { perm: [0, 2, 3, 1] } },
      ],
      ['y'],
    );
    const network = networkOfOnnx(model, 'm.onnx');
    expect(network.inputs).toEqual([{ name: 'x', shape: [5, 5, 3] }]);
    const { graph } = passOf(network, 2, [pixels(150)]);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Conv2D', 'Relu', 'Conv2D']);
  });

  test('the same network with images as in the file, and channels last, gives the same numbers', () => {
    const model = onnxOf(
      { x: ['n', 2, 3, 3] },
      [tensorOf('w', [4, 2, 2, 2]), tensorOf('s', [4, 1, 1]), tensorOf('f', [16, 3])],
      [
        { op: 'Conv', in: ['x', 'w'], out: 'a' },
        { op: 'Mul', in: ['a', 's'], out: 'b' },
        { op: 'Concat', in: ['b', 'a'], out: 'c', attrs: { axis: 1 } },
        { op: 'Split', in: ['c'], out: ['d', 'e'], attrs: { axis: 1 } },
        { op: 'Sub', in: ['d', 'e'], out: 'g' },
        { op: 'Flatten', in: ['g'], out: 'h' },
        { op: 'MatMul', in: ['h', 'f'], out: 'y' },
      ],
      ['y'],
    );
    const file = pixels(36);
    // Sample b, channel c, pixel p of the file is [b, p, c] of the data.
    const last = Array.from({ length: 36 }, (_, i) => file[18 * Math.floor(i / 18) + 9 * (i % 2) + (Math.floor(i / 2) % 9)]!); // prettier-ignore
    const asFile = passOf(networkOfOnnx(model, 'm.onnx', { images: 'asFile' }), 2, [file]);
    const channelsLast = passOf(networkOfOnnx(model, 'm.onnx'), 2, [last]);
    expect(channelsLast.outputs[0]).toEqual(asFile.outputs[0]);
    expect(asFile.count('Transpose')).toBe(2);
    // The one that flattens: the file's order of features is by channels.
    expect(channelsLast.count('Transpose')).toBe(1);
  });

  test('channels that are split, swapped and joined (a shuffle) move once', () => {
    const model = onnxOf(
      { x: ['n', 4, 2, 2] },
      [tensorOf('w', [4, 4, 1, 1]), tensorOf('a', [5], [-1, 2, 2, 2, 2], 'int64'), tensorOf('b', [4], [-1, 4, 2, 2], 'int64')], // prettier-ignore
      [
        { op: 'Conv', in: ['x', 'w'], out: 'c' },
        { op: 'Reshape', in: ['c', 'a'], out: 'd' },
        { op: 'Transpose', in: ['d'], out: 'e', attrs: { perm: [0, 2, 1, 3, 4] } },
        { op: 'Reshape', in: ['e', 'b'], out: 'f' },
        { op: 'Conv', in: ['f', 'w'], out: 'y' },
      ],
      ['y'],
    );
    expect(passOf(networkOfOnnx(model, 'm.onnx'), 2, [pixels(32)]).count('Transpose')).toBe(1);
  });
});

describe('shapes', () => {
  test('arithmetic on shapes is done at import: no kernel is left of it', () => {
    const one = (name: string, value: number) => tensorOf(name, [1], [value], 'int64');
    const model = onnxOf(
      { x: ['n', 4, 6] },
      [one('zero', 0), one('one', 1), one('two', 2), one('minus', -1)],
      [
        { op: 'Shape', in: ['x'], out: 's' },
        { op: 'Gather', in: ['s', 'zero'], out: 'batch' },
        { op: 'Gather', in: ['s', 'two'], out: 'six' },
        { op: 'Div', in: ['six', 'two'], out: 'three' },
        { op: 'Equal', in: ['three', 'minus'], out: 'isOpen' },
        { op: 'Where', in: ['isOpen', 'one', 'three'], out: 'chosen' },
        { op: 'Concat', in: ['batch', 'minus', 'chosen'], out: 'shape', attrs: { axis: 0 } },
        { op: 'Reshape', in: ['x', 'shape'], out: 'r' },
        { op: 'Relu', in: ['r'], out: 'y' },
      ],
      ['y'],
    );
    const network = networkOfOnnx(model, 'm.onnx');
    expect(network.outputs).toEqual([{ name: 'y', shape: [8, 3] }]);
    const { graph } = passOf(network, 5, [pixels(120)]);
    expect(graph.nodes.map(({ op }) => op).sort()).toEqual(['Relu', 'Reshape']);
  });

  test('a file for a batch of one, with sequences before samples, is computed for any batch', () => {
    // [1, 4, 6] -> [4, 1, 6] -> rows [4 * 1, 6] -> a product -> [4, 1, 3] -> [1, 4, 3]: "1" is written in both shapes.
    const model = (batch: number | string) =>
      onnxOf(
        { x: [batch, 4, 6] },
        [tensorOf('w', [6, 3]), tensorOf('rows', [2], [typeof batch === 'number' ? 4 * batch : -1, 6], 'int64'), tensorOf('back', [3], [4, typeof batch === 'number' ? batch : -1, 3], 'int64')], // prettier-ignore
        [
          { op: 'Transpose', in: ['x'], out: 'a', attrs: { perm: [1, 0, 2] } },
          { op: 'Reshape', in: ['a', 'rows'], out: 'b' },
          { op: 'Gemm', in: ['b', 'w'], out: 'c' },
          { op: 'Reshape', in: ['c', 'back'], out: 'd' },
          { op: 'Transpose', in: ['d'], out: 'y', attrs: { perm: [1, 0, 2] } },
        ],
        ['y'],
      );
    const run = (given: OnnxModel) => passOf(networkOfOnnx(given, 'm.onnx'), 3, [pixels(72)]).outputs[0];
    const open = run(model('n'));
    expect(run(model(1))).toEqual(open);
    expect(run(model(2))).toEqual(open);
  });

  test('a constant of one sample, written for the file’s batch, is repeated', () => {
    const model = onnxOf(
      { x: [2, 3, 4] },
      [tensorOf('token', [1, 1, 4]), tensorOf('shape', [3], [2, 1, 4], 'int64')],
      [
        { op: 'Expand', in: ['token', 'shape'], out: 't' },
        { op: 'Concat', in: ['t', 'x'], out: 'y', attrs: { axis: 1 } },
      ],
      ['y'],
    );
    const network = networkOfOnnx(model, 'm.onnx');
    const token = [...network.weights[0]!.values()];
    const { outputs } = passOf(network, 3, [pixels(36)]);
    for (const b of [0, 1, 2]) expect(outputs[0]!.slice(16 * b, 16 * b + 4)).toEqual(token);
  });
});

describe('refused', () => {
  const refusal = (model: OnnxModel): string => {
    try {
      networkOfOnnx(model, 'm.onnx');
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };

  test('all operators without a rule in one message, with counts and the way out', () => {
    const model = onnxOf(
      { x: ['n', 4] },
      [tensorOf('s', [], [1]), tensorOf('z', [], [0], 'int64')],
      [
        { op: 'QuantizeLinear', in: ['x', 's', 'z'], out: 'a' },
        { op: 'DequantizeLinear', in: ['a', 's', 'z'], out: 'b' },
        { op: 'Loop', in: ['', '', 'b'], out: 'c' },
        { op: 'Loop', in: ['', '', 'c'], out: 'd' },
        { op: 'FusedGemm', domain: 'com.microsoft', in: ['d', 'd'], out: 'e' },
        { op: 'TopK', in: ['e', 'z'], out: ['f', 'g'] },
        { op: 'NonMaxSuppression', in: ['x', 'x'], out: 'nobody reads it' },
      ],
      ['f'],
    );
    const text = refusal(model);
    expect(text).toMatch(/^m\.onnx cannot be computed: control flow: Loop \(2\); .*quantisation: QuantizeLinear, DequantizeLinear; open the model from before/); // prettier-ignore
    expect(text).toContain("onnxruntime's own operators: com.microsoft.FusedGemm;");
    expect(text).toContain('operators without a rule: TopK;');
    expect(text).not.toContain('NonMaxSuppression');
  });

  test('each node that asks for what has no rule, by name; what follows from it is not said', () => {
    const model = onnxOf(
      { x: ['n', 3, 4, 4] },
      [tensorOf('shape', [2], [5, 7], 'int64')],
      [
        { op: 'LpPool', name: 'pool', in: ['x'], out: 'a' },
        { op: 'Relu', in: ['a'], out: 'b' },
        { op: 'Reshape', name: 'wrong', in: ['x', 'shape'], out: 'c' },
        { op: 'Add', in: ['b', 'c'], out: 'y' },
      ],
      ['y'],
    );
    expect(refusal(model)).toBe('m.onnx cannot be computed: LpPool "pool" has no kernel_shape. Reshape "wrong" cannot make [5,7] of [2,3,4,4]'); // prettier-ignore
  });

  test.each([
    [{ x: ['n', 'height', 3] }, 'its input "x" has no fixed size: [n, height, 3]'],
    [{ x: [] }, 'its input "x" is one number, without an axis of samples'],
    [{ x: [2, 3], y: [4, 3] }, 'must all be the samples of a batch'],
  ] as const)('inputs %o', (inputs, words) => {
    const names = Object.keys(inputs);
    const model = onnxOf(inputs, [], names.map((name) => ({ op: 'Relu', in: [name], out: `${name}'` })), names.map((name) => `${name}'`)); // prettier-ignore
    expect(refusal(model)).toContain(words);
  });
});

test('a Dropout draws a new mask in training, and does nothing in inference', () => {
  const model = onnxOf(
    { x: ['n', 3] },
    [tensorOf('r', [], [0.25])],
    [{ op: 'Dropout', in: ['x', 'r'], out: 'y' }],
    ['y'],
  );
  const network = networkOfOnnx(model, 'm.onnx');
  expect(passOf(network, 1, [[1, 2, 3]]).outputs[0]).toEqual([1, 2, 3]);
  // The mask is an input that nobody has filled.
  expect(() => passOf(network, 1, [[1, 2, 3]], true)).toThrow('an input has no values');
});

describe('the mask of a Dropout, which training exports name and nobody reads', () => {
  const dropouts = (count: number, size: number): OnnxModel => {
    const outputs = Array.from({ length: count }, (_, i) => `y${i}`);
    const nodes = outputs.map((name, i) => ({ op: 'Dropout', in: [i === 0 ? 'x' : `y${i - 1}`], out: [name, `mask${i}`] })); // prettier-ignore
    return onnxOf({ x: ['n', size] }, [], nodes, [outputs.at(-1)!]);
  };

  test.each([
    [10, 2 ** 21 - 8],
    [1, 2 ** 22],
  ])('%i of %i numbers a sample count as no constants', (count, size) => {
    expect(networkOfOnnx(dropouts(count, size), 'm.onnx').outputs).toEqual([{ name: `y${count - 1}`, shape: [size] }]);
  });

  test('keeps everything in inference', () => {
    const nodes = [
      { op: 'Dropout', in: ['x'], out: ['d', 'mask'] },
      { op: 'Cast', in: ['mask'], out: 'kept', attrs: { to: 1 } },
      { op: 'Add', in: ['d', 'kept'], out: 'y' },
    ];
    const network = networkOfOnnx(onnxOf({ x: ['n', 3] }, [], nodes, ['y']), 'm.onnx');
    expect(passOf(network, 2, [[1, 2, 3, 4, 5, 6]]).outputs[0]).toEqual([2, 3, 4, 5, 6, 7]);
  });
});
