/** Graphs that are hard for a reader by their content, not by their encoding. */
import type { Random } from '../../../../daemon/lc/random.js';
import { Message } from '../../../../daemon/onnx/emit/message.js';
import { float32, graph, model, node, tensor, value } from '../../../unit/onnx/file/protos.js';
import { file, floats, list, oneFloat, shaped, type Line } from '../bases/write.js';

type Strange = readonly [name: string, build: (random: Random) => Uint8Array];

const LONG = 10_000;
/** Powers of two up to 2^53, and their neighbours. */
const huge = (random: Random): number => 2 ** random.below(53) + random.below(3) - 1;

function chain(length: number, first: string): Uint8Array {
  const nodes = Array.from({ length }, (_, i) => node('Relu', [i === 0 ? first : `v${i}`], [`v${i + 1}`]));
  return model(graph({ nodes, inputs: [value('v0', ['N', 4])], outputs: [value(`v${length}`, ['N', 4])] }));
}

let sorted: Uint8Array | undefined;
let circle: Uint8Array | undefined;

/** A chain in which each line reads the one before it as often as it likes. */
const doubling = (line: (before: string) => Line, count: number): Uint8Array =>
  file([4], Array.from({ length: count }, (_, i) => line(i === 0 ? 'x' : `v${i - 1}`))); // prettier-ignore

/** An If whose branch holds an If, and so on. */
function nested(depth: number): Uint8Array {
  let inner = graph();
  for (let i = depth; i >= 0; i--) inner = graph({ nodes: [node('If', ['x'], ['y']).message(5, new Message().text(1, 'g').message(6, inner).int(20, 5))] }); // prettier-ignore
  return model(inner);
}

/** Messages inside of messages, without an end in sight. */
function deepBytes(depth: number): Uint8Array {
  let bytes = new Uint8Array(0);
  const fields = [7, 1, 5, 6];
  for (let i = depth; i >= 0; i--) bytes = new Message().bytes(fields[i % 4]!, bytes).finish() as never;
  return Buffer.concat([new Message().int(1, 8).finish(), bytes]);
}

export const STRANGE: readonly Strange[] = [
  ['a chain of 10,000 nodes', () => (sorted ??= chain(LONG, 'v0'))],
  ['a circle of 10,000 nodes', () => (circle ??= chain(LONG, 'v9999'))],
  [
    '10,000 nodes that read two others each, sorted or not',
    (random) => {
      const late = random.below(2) === 0;
      const nodes = Array.from({ length: LONG }, (_, i) => node('Add', [`v${random.below(i + 1)}`, `v${random.below(late && random.next() < 0.001 ? LONG : i + 1)}`], [`v${i + 1}`])); // prettier-ignore
      return model(graph({ nodes, inputs: [value('v0', ['N', 2])], outputs: [value(`v${LONG}`, ['N', 2])] }));
    },
  ],
  [
    '3,000 layers with weights',
    () => file([4], Array.from({ length: 3000 }, (_, i) => ({ op: 'Gemm', in: [i === 0 ? 'x' : `v${i - 1}`, floats(4, 4), floats(4)] }))), // prettier-ignore
  ],
  ['a sum of 10,000 inputs', (random) => file([4], [{ op: ['Sum', 'Max', 'Mean', 'Concat'][random.below(4)]!, in: Array.from({ length: LONG }, () => 'x'), attrs: { axis: 1 } }])], // prettier-ignore
  ['10,000 parts', (random) => file([LONG], [{ op: 'Split', in: ['x'], out: Array.from({ length: LONG }, (_, i) => (i === random.below(LONG) || i === 0 ? 'y' : `p${i}`)), attrs: { axis: 1 } }])], // prettier-ignore
  ['additions that double', (random) => doubling((x) => ({ op: 'Add', in: [x, x] }), 1 + random.below(200))],
  ['tensors that double', (random) => doubling((x) => ({ op: 'Concat', in: [x, x], attrs: { axis: 1 } }), 1 + random.below(80))], // prettier-ignore
  ['constants that double', (random) => file([1], [...Array.from({ length: 1 + random.below(60) }, (_, i): Line => ({ op: 'Concat', in: i === 0 ? [list(1, 2), list(1, 2)] : [`v${i - 1}`, `v${i - 1}`], attrs: { axis: 0 } })), { op: 'Identity', in: ['x'] }])], // prettier-ignore
  ['a diamond of products', (random) => doubling((x) => ({ op: 'Mul', in: [x, x] }), 1 + random.below(40))],
  ['a shape that is huge', (random) => file([1], [{ op: ['Expand', 'Reshape', 'ConstantOfShape', 'Tile'][random.below(4)]!, in: random.below(2) === 0 ? ['x', list(huge(random), huge(random))] : ['x', list(1, huge(random))] }])], // prettier-ignore
  ['constants that are huge', (random) => file([1], [{ op: 'ConstantOfShape', in: [list(huge(random), 1 + random.below(9))] }, { op: ['ReduceSum', 'Transpose', 'Cast', 'NonZero'][random.below(4)]!, in: ['v0'], attrs: { to: 1 } }, { op: 'Add', in: ['x', 'v1'] }])], // prettier-ignore
  ['a range that is huge', (random) => file([1], [{ op: 'Range', in: [oneFloat(0), oneFloat(huge(random)), oneFloat([1, 0, -1, 1e-30, NaN][random.below(5)]!)] }, { op: 'Add', in: ['x', 'v0'] }])], // prettier-ignore
  ['padding that is huge', (random) => file([3, 4], [{ op: 'Pad', in: ['x', list(0, 0, huge(random), 0, random.below(2) === 0 ? -huge(random) : huge(random), 1)], attrs: { mode: ['constant', 'reflect', 'edge', 'wrap'][random.below(4)]! } }])], // prettier-ignore
  ['an image resized by far', (random) => file([1, 2, 2], [{ op: 'Resize', in: ['x', null, null, list(1, 1, huge(random), 1 + random.below(1000))], attrs: { mode: ['nearest', 'linear', 'cubic'][random.below(3)]! } }])], // prettier-ignore
  ['windows that are huge', (random) => file([1, 9, 9], [{ op: ['MaxPool', 'AveragePool', 'LpPool'][random.below(3)]!, in: ['x'], attrs: { kernel_shape: [1 + random.below(40), huge(random)], pads: [random.below(50), huge(random), 3, huge(random)], dilations: [1 + random.below(3), 1] } }])], // prettier-ignore
  ['an input of a huge size', (random) => file([huge(random), 1 + random.below(4)], [{ op: ['Relu', 'Flatten', 'Softmax', 'Shape', 'Trilu', 'OneHot'][random.below(6)]!, in: ['x'] }])], // prettier-ignore
  ['10,000 groups', (random) => file([LONG, 2], [{ op: random.below(2) === 0 ? 'Conv' : 'ConvTranspose', in: ['x', floats(LONG, 1, 1), null], attrs: { group: [LONG, 100, 2500][random.below(3)]! } }])], // prettier-ignore
  ['a sequence of 100,000 steps', (random) => file([100_000], [{ op: 'Reshape', in: ['x', list(-1, 100_000, 1)] }, { op: 'Transpose', in: ['v0'], attrs: { perm: [1, 0, 2] } }, { op: ['RNN', 'GRU', 'LSTM'][random.below(3)]!, in: ['v1', floats(1, 4, 1), floats(1, 4, 1)], out: ['s', 'h'], attrs: { hidden_size: 1 } }, { op: 'Squeeze', in: ['h', list(0)] }])], // prettier-ignore
  ['lookups of huge tables', (random) => file([4], [{ op: 'ConstantOfShape', in: [list(huge(random))] }, { op: ['Gather', 'GatherElements', 'GatherND', 'ScatterElements'][random.below(4)]!, in: ['v0', shaped(list(0, 3, huge(random)), 3), floats(3)] }, { op: 'ReduceSum', in: ['v1'] }, { op: 'Add', in: ['x', 'v2'] }])], // prettier-ignore
  ['an equation without end', (random) => file([2, 2], [{ op: 'Einsum', in: ['x', 'x'], attrs: { equation: ['bij,bjk->bik', 'bii->b', '...,...->', `${'i'.repeat(2000)}->i`, 'b...i,...i', '->', ',', 'bij,bij->bijbij', 'bij,bkl->bijkl'][random.below(9)]! } }])], // prettier-ignore
  ['graphs inside of graphs', (random) => nested(random.below(60))],
  ['messages inside of messages', (random) => deepBytes(random.below(4000))],
  ['a tensor of a huge shape', (random) => model(graph({ initializers: [tensor({ dims: Array.from({ length: 1 + random.below(40) }, () => 2 ** random.below(53)), raw: float32(1, 2) })] }))], // prettier-ignore
  ['an empty tensor of a huge shape', (random) => model(graph({ initializers: [tensor({ dims: [0, 2 ** random.below(53)], raw: new Uint8Array(0) })] }))], // prettier-ignore
  ['10,000 empty messages', (random) => Buffer.concat([new Message().int(1, 8).finish(), new Uint8Array(20_000).fill(58, 0, 20_000).map((byte, i) => (i % 2 === 0 ? byte : random.below(2) * 2))])], // prettier-ignore
  ['a name of each length', (random) => model(graph({ nodes: [node('Add', ['x', 'w'], ['y'], 'n'.repeat(random.below(70_000)))] }))], // prettier-ignore
];
