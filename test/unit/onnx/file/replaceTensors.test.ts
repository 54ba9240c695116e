import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBfloat16, toFloat16 } from '../../../../daemon/files/halfPrecision.js';
import { Message } from '../../../../daemon/onnx/emit/message.js';
import type { TensorChange } from '../../../../daemon/onnx/file/editTensor.js';
import { readOnnxFile } from '../../../../daemon/onnx/file/onnxFile.js';
import type { OnnxGraph } from '../../../../daemon/onnx/file/onnxModel.js';
import { readOnnx } from '../../../../daemon/onnx/file/readOnnx.js';
import { replaceInitializers, replaceTensors } from '../../../../daemon/onnx/file/replaceTensors.js';
import { joined } from '../../../../daemon/onnx/file/splice.js';
import { writeOnnxFile } from '../../../../daemon/onnx/file/writeOnnxFile.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { python, pythonHas } from '../../../fixtures/debianPython.js';
import { fixture, fixturePath, fixtures, float32, graph, model, node, tensor, value } from './protos.js';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lcprune-onnx-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const graphOf = (bytes: Uint8Array): OnnxGraph => readOnnx(bytes, { path: 'net.onnx' }).graph;

/** Every initializer of a file in itself, with its values changed by `of`. */
const all = (g: OnnxGraph, of: (value: number, i: number) => number): Map<string, TensorChange> =>
  new Map([...g.initializers.values()].map(({ name, dims, values }) => [name, { dims, values: values().map(of) }]));

/** Bytes in which two files of one length differ. */
const differing = (a: Uint8Array, b: Uint8Array): number => a.reduce((sum, byte, i) => sum + Number(byte !== b[i]), 0);

const inOneFile = fixtures.filter((name) => name !== 'external.onnx');

describe('values replaced', () => {
  it.each(inOneFile)('%s: the same values give the same bytes', (name) => {
    const bytes = fixture(name);
    expect(
      Buffer.compare(
        replaceInitializers(
          bytes,
          all(graphOf(bytes), (v) => v),
        ),
        bytes,
      ),
    ).toBe(0);
    expect(Buffer.compare(replaceInitializers(bytes, new Map()), bytes)).toBe(0);
  });

  it('one initializer: its bytes alone differ', () => {
    const bytes = fixture('cnn-training.onnx');
    const old = graphOf(bytes).initializers.get('0.weight')!;
    const values = old.values().map((v, i) => (i % 2 === 0 ? 0 : v));
    const replaced = replaceInitializers(bytes, new Map([['0.weight', { dims: old.dims, values }]]));
    expect(replaced).toHaveLength(bytes.length);
    expect(differing(bytes, replaced)).toBeLessThanOrEqual(4 * Math.ceil(values.length / 2));
    expect(graphOf(replaced).initializers.get('0.weight')!.values()).toEqual(values);
  });

  it('every kind of numbers, in raw_data and in a field of its own, holds its new values', () => {
    const bytes = fixture('kinds.onnx');
    const swapped: Readonly<Record<number, number>> = { 0: 1, 1: 0, 2: 3, 3: 2, [-2]: 1.5, 1.5: -2, 0.25: -0.5, 7: -7, [-3]: 3 }; // prettier-ignore
    const changes = all(graphOf(bytes), (v) => swapped[v]!);
    const replaced = graphOf(replaceInitializers(bytes, changes));
    for (const [name, { values }] of changes) expect([name, replaced.initializers.get(name)!.values()]).toEqual([name, values]); // prettier-ignore
  });

  it('float16 is rounded to the nearest, halves to even, and what it does not hold is refused', () => {
    const bytes = fixture('half.onnx');
    const [name, old] = [...graphOf(bytes).initializers][0]!;
    const put = (...values: number[]) => replaceInitializers(bytes, new Map([[name, { dims: old.dims, values: [...values, ...Array<number>(30).fill(0)].slice(0, old.values().length) }]])); // prettier-ignore
    const ulp = 2 ** -10;
    const read = graphOf(put(1 + ulp / 2, 1 + 1.5 * ulp, 1 + 0.51 * ulp, 65519))
      .initializers.get(name)!
      .values();
    expect([...read.slice(0, 4)]).toEqual([1, 1 + 2 * ulp, 1 + ulp, 65504]);
    expect(() => put(70000)).toThrow(/the new value 70000 is beyond what float16 holds/);
  });

  it('fields that nobody knows, long lengths and odd orders stay', () => {
    const odd = new Message().bytes(9, float32(1, 2)).text(2000, 'unknown').int(1, 2).text(8, 'w').int(2, 1).text(12, 'doc'); // prettier-ignore
    const graphBytes = graph({ initializers: [odd] }).finish();
    // The graph's length in four bytes, where two are enough.
    const length = [0, 7, 14, 21].map((shift) => ((graphBytes.length >> shift) & 127) | (shift < 21 ? 128 : 0));
    const head = new Message().text(99, 'first').int(1, 8).message(8, new Message().int(2, 17)).finish();
    const bytes = Buffer.concat([head, Uint8Array.of(58, ...length), graphBytes, new Message().text(77, 'last').finish()]); // prettier-ignore
    const replaced = replaceInitializers(bytes, new Map([['w', { dims: [2], values: [3, 4] }]]));
    const expected = Buffer.from(bytes);
    Buffer.from(float32(3, 4)).copy(expected, bytes.indexOf(float32(1, 2)));
    expect(Buffer.compare(replaced, expected)).toBe(0);
  });

  it.each<[string, Parameters<typeof replaceTensors>[1], RegExp]>([
    ['a name that is not there', { initializers: new Map([['v', { dims: [2], values: [1, 2] }]]) }, /initializer "v": is not in the file/],
    ['too few values', { initializers: new Map([['w', { dims: [3], values: [1, 2] }]]) }, /initializer "w": 2 values do not fit its new shape \[3\]/],
    ['an attribute that is not there', { initializers: new Map(), attributes: new Map([['y', new Map([['axis', 1]])]]) }, /attribute "axis" of the node that gives "y": is not in the file/],
    ['a shape of another rank', { initializers: new Map(), shapes: new Map([['y', [1, 2]]]) }, /value "y": has 1 axes, and 2 sizes are given/],
  ])('%s is refused', (_, changes, message) => {
    expect(() => replaceTensors(model(), changes, 'net.onnx')).toThrow(message);
    expect(() => replaceTensors(model(), changes, 'net.onnx')).toThrow(UserError);
  }); // prettier-ignore
});

/** cnn-folded.onnx with its last four channels gone: the second convolution has half of its four groups left. */
function thinned(bytes: Uint8Array): Uint8Array {
  const g = graphOf(bytes);
  const [first, second, last] = g.nodes.filter(({ op }) => ['Conv', 'Gemm'].includes(op)) as [OnnxGraph['nodes'][0], OnnxGraph['nodes'][0], OnnxGraph['nodes'][0]]; // prettier-ignore
  const of = (name: string) => g.initializers.get(name)!.values();
  const head = (name: string, size: number, dims: number[]): [string, TensorChange] => [name, { dims, values: of(name).slice(0, size) }]; // prettier-ignore
  const dense = of(last.inputs[1]!);
  const initializers = new Map([
    head(first.inputs[1]!, 4 * 27, [4, 3, 3, 3]),
    head(first.inputs[2]!, 4, [4]),
    head(second.inputs[1]!, 4 * 18, [4, 2, 3, 3]),
    head(second.inputs[2]!, 4, [4]),
    [last.inputs[1]!, { dims: [4, 64], values: dense.filter((_, i) => i % 128 < 64) }],
  ] as [string, TensorChange][]);
  const attributes = new Map([[second.outputs[0]!, new Map([['group', 2]])]]);
  return joined(replaceTensors(bytes, { initializers, attributes }, 'net.onnx'));
}

const run = async (bytes: Uint8Array): Promise<number[]> => {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const x = Float32Array.from({ length: 384 }, (_, i) => Math.sin(i));
  const outputs = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', x, [2, 3, 8, 8]) });
  return [...(outputs[session.outputNames[0]!]!.data as Float32Array)];
};

describe('thinned', () => {
  it('runs in onnxruntime, and computes what the whole network does with zeros', async () => {
    const bytes = fixture('cnn-folded.onnx');
    const g = graphOf(bytes);
    const [first, second] = g.nodes.filter(({ op }) => op === 'Conv') as [OnnxGraph['nodes'][0], OnnxGraph['nodes'][0]];
    const zeroed = new Map(
      [first, second].flatMap(({ inputs }) => inputs.slice(1)).map((name) => {
        const { dims, values } = g.initializers.get(name)!;
        const one = values().length / dims[0]!;
        return [name, { dims, values: values().map((v, i) => (i < 4 * one ? v : 0)) }] as const;
      }),
    ); // prettier-ignore
    const [full, thin] = [await run(replaceInitializers(bytes, zeroed)), await run(thinned(bytes))];
    expect(thin).toHaveLength(8);
    thin.forEach((v, i) => expect(v).toBeCloseTo(full[i]!, 5));
  });

  it('shapes that the file gives for values follow, names of sizes stay', () => {
    const bytes = model(graph({ inputs: [value('x', ['batch', 2])], outputs: [value('y', ['batch', 2])], initializers: [tensor({ dims: [2], raw: float32(1, 2) })] })); // prettier-ignore
    const changes = { initializers: new Map([['w', { dims: [1], values: [1] }]]), shapes: new Map([['x', [null, 1]], ['y', [5, 1]]]) }; // prettier-ignore
    const g = graphOf(joined(replaceTensors(bytes, changes, 'net.onnx')));
    expect([g.inputs[0]!.dims, g.outputs[0]!.dims, g.initializers.get('w')!.dims]).toEqual([['batch', 1], ['batch', 1], [1]]); // prettier-ignore
    // An older file has the shape of an initializer twice.
    const old = graphOf(replaceInitializers(fixture('cnn-opset9.onnx'), new Map()));
    expect(old.inputs).toHaveLength(1);
  });

  it('constants and lists of whole numbers in nodes', () => {
    const constant = node('Constant', [], ['shape'], 'c').message(5, new Message().text(1, 'value').message(5, tensor({ type: 7, dims: [2], raw: new Uint8Array(BigInt64Array.of(-1n, 8n).buffer) })).int(20, 4)); // prettier-ignore
    const axes = node('ReduceSum', ['x'], ['z']).message(
      5,
      new Message().text(1, 'axes').int(8, 0).int(8, 1).int(20, 7),
    );
    const bytes = model(graph({ nodes: [constant, axes, node('Add', ['z', 'w'], ['y'])] }));
    const attributes = new Map([
      ['shape', new Map([['value', { dims: [2], values: [-1, 4] }]])],
      ['z', new Map([['axes', [1]]])],
    ] as [string, Map<string, number[] | TensorChange>][]);
    const { nodes } = graphOf(joined(replaceTensors(bytes, { initializers: new Map(), attributes }, 'net.onnx')));
    const shape = nodes[0]!.attributes.get('value')!;
    expect(shape.kind === 'tensor' && [...shape.value.values()]).toEqual([-1, 4]);
    expect(nodes[1]!.attributes.get('axes')).toEqual({ kind: 'ints', value: [1] });
  });
});

describe('with files beside it', () => {
  const change = (name: string, dims: readonly number[], values: TensorChange['values']) => ({ initializers: new Map([[name, { dims, values }]]) }); // prettier-ignore

  it('the same shape: the same places, and the model file is as it was', async () => {
    const file = await readOnnxFile(fixturePath('external.onnx'));
    const [name, weight] = [...file.model.graph.initializers].find(([, one]) => one.external)!;
    const values = weight.values().map((v) => 2 * v);
    const written = await writeOnnxFile(file, change(name, weight.dims, values), join(folder, 'copy.onnx'));
    expect(written).toEqual([join(folder, 'copy.onnx'), join(folder, 'external.onnx.data')]);
    expect(Buffer.compare(await readFile(written[0]!), fixture('external.onnx'))).toBe(0);
    const [old, now] = [await readFile(fixturePath('external.onnx.data')), await readFile(written[1]!)];
    expect(now).toHaveLength(old.length);
    expect(differing(old, now)).toBeLessThanOrEqual(4 * values.length);
    expect((await readOnnxFile(written[0]!)).model.graph.initializers.get(name)!.values()).toEqual(values);
  });

  it('another shape: one behind the other, as aligned as before; beside the model itself under names of their own', async () => {
    const at = (offset: number, dims = [2]) => ({ dims, external: { location: 'w.bin', offset: String(offset), length: '8', checksum: 'x' } }); // prettier-ignore
    const initializers = [tensor({ name: 'a', ...at(0) }), tensor({ name: 'b', ...at(4096) }), tensor({ name: 'c', ...at(4096) }), tensor({ name: 'd', ...at(8192) })]; // prettier-ignore
    const path = join(folder, 'net.onnx');
    await writeFile(path, model(graph({ nodes: [node('Sum', ['x', 'a', 'b', 'c', 'd'], ['y'])], initializers })));
    const data = new Uint8Array(8200);
    [0, 4096, 8192].forEach((offset, i) => data.set(float32(i, i + 0.5), offset));
    await writeFile(join(folder, 'w.bin'), data);
    const file = await readOnnxFile(path);
    const changes = { initializers: new Map([['b', { dims: [1], values: [7] }], ['a', { dims: [2], values: [8, 9] }]]) }; // prettier-ignore
    const written = await writeOnnxFile(file, changes, join(folder, 'thin.onnx'));
    expect(written[1]).toBe(join(folder, 'thin.w.bin'));
    expect(await readFile(join(folder, 'w.bin'))).toEqual(Buffer.from(data));
    const now = (await readOnnxFile(written[0]!)).model.graph.initializers;
    expect([...now].map(([name, one]) => [name, ...one.values()])).toEqual([['a', 8, 9], ['b', 7], ['c', 1, 1.5], ['d', 2, 2.5]]); // prettier-ignore
    for (const one of now.values()) expect(one.external!.offset % 4096).toBe(0);
    expect(now.get('d')!.external).toEqual({ location: 'thin.w.bin', offset: 12288, length: 8 });
    expect((await readFile(written[0]!)).includes('checksum')).toBe(false);
  });
});

const DIFF = `
import json, sys, onnx
from onnx import numpy_helper
def load(path):
    onnx.checker.check_model(path)
    return onnx.load(path, load_external_data=False)
old, new = load(sys.argv[1]), load(sys.argv[2])
changed = [a.name for a, b in zip(old.graph.initializer, new.graph.initializer) if a != b]
for model in (old, new):
    for tensor in model.graph.initializer:
        if tensor.name in changed:
            for field in ("dims", "raw_data", "float_data", "int32_data", "int64_data", "uint64_data", "double_data"):
                tensor.ClearField(field)
print(json.dumps({"changed": changed, "same": old.SerializeToString() == new.SerializeToString()}))
`;

describe.skipIf(!pythonHas('onnx'))('as onnx reads it', () => {
  it.each(inOneFile)('%s: the graphs are equal but for the tensors replaced, and the checker passes', async (name) => {
    const changes = all(graphOf(fixture(name)), (v) => (v === 0 ? 0 : v === 1 ? 0 : v));
    const path = join(folder, `checked-${name}`);
    await writeFile(path, replaceInitializers(fixture(name), changes));
    const { same } = python(DIFF, [fixturePath(name), path]) as { same: boolean };
    expect(same).toBe(true);
  });

  it('thinned: the tensors and the number of groups', async () => {
    const path = join(folder, 'checked-thin.onnx');
    await writeFile(path, thinned(fixture('cnn-folded.onnx')));
    expect((python(DIFF, [fixturePath('cnn-folded.onnx'), path]) as { changed: string[] }).changed).toHaveLength(5);
  });
});

it('every float16, and every bfloat16, is written as it was read; between two of them the nearest, or the even one', async () => {
  const { bfloat16, float16 } = await import('../../../../daemon/files/halfPrecision.js');
  for (const [read, write, top] of [
    [float16, toFloat16, 0x7c00],
    [bfloat16, toBfloat16, 0x7f80],
  ] as const)
    for (let bits = 0; bits < top; bits++) {
      const [low, high] = [read(bits), bits + 1 < top ? read(bits + 1) : NaN];
      if (write(low) !== bits || write(-low) !== bits + 0x8000) expect.fail(`${low}`);
      if (Number.isNaN(high)) continue;
      const middle = (low + high) / 2;
      if (write(middle) !== bits + (bits & 1)) expect.fail(`between ${low} and ${high}`);
      const [below, above] = [low + 0.49 * (high - low), low + 0.51 * (high - low)];
      if (write(below) !== bits || write(above) !== bits + 1) expect.fail(`near ${middle}`);
    }
  expect([toFloat16(65520), toFloat16(-Infinity), toFloat16(NaN)]).toEqual([0x7c00, 0xfc00, 0x7e00]);
  expect([toBfloat16(Infinity), toBfloat16(NaN)]).toEqual([0x7f80, 0x7fc0]);
});
