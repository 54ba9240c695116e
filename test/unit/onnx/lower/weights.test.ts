import { describe, expect, test } from 'vitest';
import { networkOfOnnx } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { splitLayout, toFile, toNetwork } from '../../../../daemon/onnx/lower/values/weightLayout.js';
import { onnxOf, passOf, tensorOf } from './onnxOf.js';

/** The weights of a file, and their layout in the network. */

const weightsOf = (model: Parameters<typeof networkOfOnnx>[0]) =>
  networkOfOnnx(model, 'm.onnx').weights.map(({ name, layer, shape, trainable, prunable }) => [name, layer, shape.join('x'), trainable ? (prunable ? 'kernel' : 'trained') : 'state']); // prettier-ignore

describe('layouts', () => {
  test('values moved to a layout and back are the file’s, bit by bit', () => {
    const layout = splitLayout([2, 3, 4, 5], [2, 3, 0, 1]);
    const values = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i));
    const moved = toNetwork(layout, values);
    expect(moved).not.toEqual(values);
    // Element [h, w, c, m] of the network is [c, m, h, w] of the file.
    expect(moved[((3 * 5 + 4) * 2 + 1) * 3 + 2]).toBe(values[((1 * 3 + 2) * 4 + 3) * 5 + 4]);
    expect(toFile(layout, moved)).toEqual(values);
  });

  test('kernels lie [in, out], filters [height, width, in, out], depthwise ones [height, width, channels, multiplier]', () => {
    const model = onnxOf(
      { x: ['n', 4, 8, 8] },
      [tensorOf('c.weight', [6, 4, 3, 2]), tensorOf('d.weight', [12, 1, 3, 3]), tensorOf('t.weight', [12, 5, 2, 2]), tensorOf('f.weight', [7, 5]), tensorOf('f.bias', [7])], // prettier-ignore
      [
        { op: 'Conv', in: ['x', 'c.weight'], out: 'c' },
        { op: 'Conv', in: ['c', 'd.weight'], out: 'd', attrs: { group: 6 } },
        { op: 'ConvTranspose', in: ['d', 't.weight'], out: 't' },
        { op: 'GlobalAveragePool', in: ['t'], out: 'p' },
        { op: 'Flatten', in: ['p'], out: 'q' },
        { op: 'Gemm', in: ['q', 'f.weight', 'f.bias'], out: 'y', attrs: { transB: 1 } },
      ],
      ['y'],
    );
    expect(weightsOf(model)).toEqual([
      ['c.weight', 'c', '3x2x4x6', 'kernel'],
      ['d.weight', 'd', '3x3x6x2', 'kernel'],
      ['t.weight', 't', '2x2x5x12', 'kernel'],
      ['f.weight', 'f', '5x7', 'kernel'],
      ['f.bias', 'f', '7', 'trained'],
    ]);
  });

  test.each([-Infinity, -3.4028234663852886e38, -1e4, -100])('an attention mask of 0 and %d is no weight', (hidden) => {
    const mask = tensorOf('mask', [3, 3], [0, hidden, hidden, 0, 0, hidden, 0, 0, 0]);
    const model = (tensors: (typeof mask)[]) =>
      onnxOf({ x: ['n', 3, 3] }, tensors, [{ op: 'Add', in: ['x', 'mask'], out: 's' }, { op: 'Softmax', in: ['s'], out: 'p', attrs: { axis: -1 } }, { op: 'MatMul', in: ['p', 'w'], out: 'y' }], ['y']); // prettier-ignore
    const weight = tensorOf('w', [3, 2]);
    expect(weightsOf(model([mask, weight])).map(([name]) => name)).toEqual(['w']);
    const trained = tensorOf('mask', [3, 3], [0, hidden, 0.5, 0, 0, hidden, 0, 0, 0]);
    expect(weightsOf(model([trained, weight])).map(([name]) => name)).toEqual(['mask', 'w']);
  });

  test('a kernel behind a Transpose lies as the product reads it; one that two operations read in two ways, as in the file', () => {
    const once = onnxOf({ x: ['n', 3] }, [tensorOf('w', [5, 3])], [{ op: 'Transpose', in: ['w'], out: 'v' }, { op: 'MatMul', in: ['x', 'v'], out: 'y' }], ['y']); // prettier-ignore
    expect(weightsOf(once)).toEqual([['w', 'MatMul_1', '3x5', 'kernel']]);
    const tied = onnxOf(
      { x: ['n', 2] },
      [tensorOf('table', [5, 3])],
      [
        { op: 'Cast', in: ['x'], out: 'i', attrs: { to: 7 } },
        { op: 'Gather', in: ['table', 'i'], out: 'e' },
        { op: 'Transpose', in: ['table'], out: 'v' },
        { op: 'MatMul', in: ['e', 'v'], out: 'y' },
      ],
      ['y'],
    );
    expect(weightsOf(tied)).toEqual([['table', 'Gather_1', '5x3', 'kernel']]);
    const network = networkOfOnnx(tied, 'm.onnx');
    const table = network.weights[0]!.values();
    const row = (i: number) => [0, 1, 2].map((k) => table[3 * i + k]!);
    const { outputs } = passOf(network, 1, [[4, -2]]);
    const expected = [4, 3].flatMap((i) => [0, 1, 2, 3, 4].map((j) => row(i).reduce((sum, v, k) => sum + v * row(j)[k]!, 0))); // prettier-ignore
    outputs[0]!.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 12));
  });
});

describe('which are trained', () => {
  test('a tensor that Identity hands on is one weight', () => {
    const model = onnxOf(
      { x: ['n', 3] },
      [tensorOf('a.weight', [3, 3])],
      [
        { op: 'Identity', in: ['a.weight'], out: 'b.weight' },
        { op: 'Gemm', in: ['x', 'a.weight'], out: 'h', attrs: { transB: 1 } },
        { op: 'Gemm', in: ['h', 'b.weight'], out: 'y', attrs: { transB: 1 } },
      ],
      ['y'],
    );
    const network = networkOfOnnx(model, 'm.onnx');
    expect(network.weights.map(({ name }) => name)).toEqual(['a.weight']);
    expect(network.notes).toEqual(['1 tensor of the file is tied to a.weight, and counted once']);
  });

  test('constants of normalisation, limits and single numbers are not weights; a scale of channels and a bias of one unit are', () => {
    const model = onnxOf(
      { x: ['n', 3, 4, 4] },
      [tensorOf('mean', [1, 3, 1, 1]), tensorOf('std', [3, 1, 1], [2]), tensorOf('w', [1, 3, 1, 1]), tensorOf('gamma', [1, 1, 1]), tensorOf('low', [], [0]), tensorOf('fc', [16, 1]), tensorOf('b', [1])], // prettier-ignore
      [
        { op: 'Sub', in: ['x', 'mean'], out: 'c' },
        { op: 'Div', in: ['c', 'std'], out: 's' },
        { op: 'Conv', in: ['s', 'w'], out: 'y' },
        { op: 'Mul', in: ['y', 'gamma'], out: 'm' },
        { op: 'Clip', in: ['m', 'low'], out: 'l' },
        { op: 'Flatten', in: ['l'], out: 'f' },
        { op: 'MatMul', in: ['f', 'fc'], out: 'p' },
        { op: 'Add', in: ['p', 'b'], out: 'z' },
      ],
      ['z'],
    );
    expect(weightsOf(model).map(([name]) => name)).toEqual(['w', 'fc', 'b']);
  });

  test('a convolution, a scale and a shift of channels without statistics: frozen BatchNormalization', () => {
    const model = onnxOf(
      { x: ['n', 3, 4, 4] },
      [tensorOf('w', [2, 3, 1, 1]), tensorOf('s', [1, 2, 1, 1]), tensorOf('t', [1, 2, 1, 1])],
      [
        { op: 'Conv', in: ['x', 'w'], out: 'a' },
        { op: 'Mul', in: ['a', 's'], out: 'b' },
        { op: 'Add', in: ['b', 't'], out: 'y' },
      ],
      ['y'],
    );
    expect(weightsOf(model).map(([name, , , kind]) => [name, kind])).toEqual([['w', 'kernel'], ['s', 'state'], ['t', 'state']]); // prettier-ignore
    expect(networkOfOnnx(model, 'm.onnx').notes).toEqual(['1 BatchNormalization frozen: a scale and a shift that are not trained']); // prettier-ignore
  });
});

describe('BatchNormalization', () => {
  const model = (training: number) =>
    onnxOf(
      { x: ['n', 2, 2, 1] },
      [tensorOf('bn.weight', [2], [2, 3]), tensorOf('bn.bias', [2], [0.5, -1]), tensorOf('bn.mean', [2], [1, 2]), tensorOf('bn.var', [2], [4, 9])], // prettier-ignore
      [{ op: 'BatchNormalization', in: ['x', 'bn.weight', 'bn.bias', 'bn.mean', 'bn.var'], out: 'y', attrs: { training_mode: training, momentum: { float: 0.75 }, epsilon: { float: 0.001 } } }], // prettier-ignore
      ['y'],
    );
  // Two samples of [height 2, width 1, channels 2], channels last.
  const data = [1, 10, 2, 20, 3, 30, 6, 40];

  test.each([0, 1])('training mode %i of the file: the pass decides', (mode) => {
    const network = networkOfOnnx(model(mode), 'm.onnx');
    expect(weightsOf(model(mode)).map(([name, , , kind]) => [name, kind])).toEqual([['bn.weight', 'trained'], ['bn.bias', 'trained'], ['bn.mean', 'state'], ['bn.var', 'state']]); // prettier-ignore
    const inference = passOf(network, 2, [data]);
    expect(inference.outputs[0]![0]).toBeCloseTo((2 * (1 - 1)) / Math.sqrt(4.001) + 0.5, 6);
    expect(inference.outputs[0]![3]).toBeCloseTo((3 * (20 - 2)) / Math.sqrt(9.001) - 1, 5);
    expect(inference.states).toEqual({});
    const training = passOf(network, 2, [data], true);
    // Channel 0 has 1, 2, 3, 6: mean 3, variance 3.5.
    expect(training.outputs[0]![0]).toBeCloseTo((2 * (1 - 3)) / Math.sqrt(3.501) + 0.5, 6);
    expect(training.states['bn.mean']![0]).toBeCloseTo(0.75 * 1 + 0.25 * 3, 6);
    expect(training.states['bn.var']![0]).toBeCloseTo(0.75 * 4 + 0.25 * 3.5, 6);
  });

  test('one that an exporter folded is reported, with the line that keeps it', () => {
    const folded = onnxOf({ x: ['n', 3, 4, 4] }, [tensorOf('onnx::Conv_7', [2, 3, 1, 1]), tensorOf('onnx::Conv_8', [2])], [{ op: 'Conv', in: ['x', 'onnx::Conv_7', 'onnx::Conv_8'], out: 'y' }], ['y']); // prettier-ignore
    expect(networkOfOnnx(folded, 'm.onnx').notes[0]).toMatch(/^1 BatchNormalization folded .*TrainingMode.TRAINING, do_constant_folding=False/); // prettier-ignore
  });
});
