/** The verifier accepts exactly the nodes that ir.ts allows, and onnxruntime computes them. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../daemon/network/builder.js';
import { binaryOps, type DType, type Graph, type Node, type Op, unaryOps } from '../../../daemon/network/ir.js';
import { sizeOf } from '../../../daemon/protocol/shape.js';
import { emitOnnx } from '../../../daemon/onnx/emit/emit.js';
import { wholeOnnx } from '../../../daemon/onnx/emit/emitter.js';
import { verifyGraph } from '../../../daemon/network/verify/verifyGraph.js';
import { BrokenGraph, rules, verifyNode } from '../../../daemon/network/verify/verifyNode.js';
import { node } from './verifyNodes.js';
import { opCases } from './verifyCases.js';

const ort = await import('onnxruntime-node').then((module) => module.default);

const ops = Object.keys(rules) as Op[];
const isLeaf = ({ op }: Node) => op === 'Input' || op === 'Constant';

/** The graph of one node, cast to float32, which outputs are. */
function graphOf(result: Node): Graph {
  const output = result.dtype === 'float32' ? result : node('Cast', [result], result.shape);
  const live = new Set<Node>();
  const visit = (at: Node) => {
    at.inputs.forEach(visit);
    live.add(at);
  };
  visit(output);
  const all = [...live].sort((a, b) => a.id - b.id);
  return {
    inputs: all.filter(({ op }) => op === 'Input').map((input, index) => ({ node: input, role: 'data', index })),
    outputs: [{ role: 'output', node: output }],
    nodes: all.filter((at) => !isLeaf(at)),
  };
}

const described = ({ op, inputs, shape, dtype, attrs }: Node) =>
  `${op} of ${inputs.map((input) => `${input.dtype} [${input.shape}]`).join(', ')} to ${dtype} [${shape}] ${JSON.stringify(attrs)}`; // prettier-ignore

/** MirrorPad in symmetric mode and Atan2 have no ONNX operator. */
const inOnnx = ({ op, attrs }: Node) => op !== 'Atan2' && attrs['mode'] !== 'symmetric';

describe('every operation', () => {
  it('has a rule and cases', () => {
    expect(Object.keys(opCases).sort()).toEqual([...ops].sort());
    expect(ops).toEqual(expect.arrayContaining([...unaryOps, ...binaryOps]));
    for (const op of ops) {
      expect(opCases[op].valid.length, op).toBeGreaterThan(0);
      expect(opCases[op].broken.length, op).toBeGreaterThan(0);
      for (const { op: own } of opCases[op].valid) expect(own).toBe(op);
    }
  });

  it.each(ops.flatMap((op) => opCases[op].valid).map((valid) => [described(valid), valid] as const))(
    'is accepted: %s',
    (_name, valid) => {
      verifyNode(valid);
      verifyGraph(graphOf(valid));
    },
  );

  it.each(ops.flatMap((op) => opCases[op].broken).map(([rule, broken]) => [described(broken), rule, broken] as const))(
    'is refused: %s: %s',
    (_name, rule, broken) => {
      const check = () => verifyNode(broken);
      expect(check).toThrow(BrokenGraph);
      expect(check).toThrow(rule);
      expect(check).toThrow(`node ${broken.id} (${broken.op}, layer "fc"): `);
    },
  );
});

describe.each(ops.filter((op) => op !== 'Input' && op !== 'Constant'))('%s is refused', (op) => {
  const each = (change: (valid: Node) => Partial<Node>[], rule: RegExp) => {
    let tried = 0;
    for (const valid of opCases[op].valid)
      for (const part of change(valid)) {
        expect(() => verifyNode({ ...valid, ...part }), JSON.stringify(part)).toThrow(rule);
        tried++;
      }
    expect(tried).toBeGreaterThan(0);
  };

  it('with an axis more', () =>
    each(({ shape }) => [{ shape: [...shape, 2] }], /shape must be|must have (the shape|rank)|channels|equally many|lie within|rank 4|smaller|fit/)); // prettier-ignore

  it('with an input less or more', () =>
    each(
      ({ inputs }) => [{ inputs: inputs.slice(1) }, { inputs: [...inputs, inputs[0]!] }],
      op === 'Concat' ? /shape must be/ : /must have \d inputs; it has \d/,
    ));

  it('with an input of a later id', () => each((valid) => [{ id: valid.inputs[0]!.id }], /must have a smaller id/));

  it('with an attribute that it does not have, one missing, or one of another kind', () => {
    each(({ attrs }) => [{ attrs: { ...attrs, groups: 1 } }], /has no attribute "groups"/);
    const [{ attrs }] = opCases[op].valid as [Node];
    for (const name of Object.keys(attrs)) {
      each((valid) => [{ attrs: Object.fromEntries(Object.entries(valid.attrs).filter(([key]) => key !== name)) }], new RegExp(`"${name}" must be`)); // prettier-ignore
      for (const wrong of ['2', [0.5], NaN])
        each((valid) => [{ attrs: { ...valid.attrs, [name]: wrong } }], new RegExp(`"${name}" must be`));
    }
  });

  it.skipIf(op === 'Cast' || op === 'OneHot')('with a result of another type', () =>
    each(({ dtype }) => (['float32', 'int32', 'bool'] as DType[]).filter((other) => other !== dtype).map((other) => ({ dtype: other })), /result must be/)); // prettier-ignore

  it('with values of its own', () => each(() => [{ constant: 1 }], /only a Constant has values/));
});

describe('onnxruntime computes what is accepted, in the shape that is accepted', () => {
  it.each(ops.filter((op) => opCases[op].valid.some(inOnnx)))('%s', async (op) => {
    for (const valid of opCases[op].valid.filter(inOnnx)) {
      const graph = graphOf(valid);
      const model = emitOnnx(graph, wholeOnnx);
      const session = await ort.InferenceSession.create(model.bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 });
      // Ones are indices too.
      const feeds = model.inputs.map((name, k): [string, InstanceType<typeof ort.Tensor>] => {
        const { shape } = graph.inputs[k]!.node;
        return [name, new ort.Tensor('float32', new Float32Array(sizeOf(shape)).fill(1), shape)];
      });
      const results = await session.run(Object.fromEntries(feeds));
      expect(results[model.outputs[0]!]!.dims, described(valid)).toEqual([...valid.shape]);
      await session.release();
    }
  });
});

describe('what the verifier found in the emitter and the builder', () => {
  async function compute(
    build: (graph: GraphBuilder, x: Node) => Node,
    shape: readonly number[],
    values: Float32Array,
  ) {
    const builder = new GraphBuilder();
    const x = builder.input(shape, { role: 'data', index: 0 });
    const result = build(builder, x);
    const output = builder.add({ op: 'Cast', inputs: [result], shape: result.shape, dtype: 'float32' });
    const model = emitOnnx(builder.finish([{ role: 'output', node: output }]), wholeOnnx);
    const session = await ort.InferenceSession.create(model.bytes, { logSeverityLevel: 4 });
    const results = await session.run({ [model.inputs[0]!]: new ort.Tensor('float32', values, shape) });
    await session.release();
    return [...(results[model.outputs[0]!]!.data as Float32Array)];
  }

  it('nearest pixels with centres are those of TensorFlow: floor((i + 0.5) * scale)', async () => {
    const attrs = { alignCorners: false, halfPixelCenters: true };
    const values = Float32Array.of(10, 20, 30);
    const resized = (to: number) => compute((graph, x) => graph.add({ op: 'ResizeNearest', inputs: [x], attrs, shape: [1, 1, to, 1] }), [1, 1, 3, 1], values); // prettier-ignore
    for (const to of [6, 5, 2])
      expect(await resized(to)).toEqual(Array.from({ length: to }, (_, k) => values[Math.floor(((k + 0.5) * 3) / to)]));
  });

  it('integers are padded by integers', async () => {
    const padded = await compute(
      (graph, x) => {
        const whole = graph.add({ op: 'Cast', inputs: [x], shape: [2], dtype: 'int32' });
        return graph.add({ op: 'Pad', inputs: [whole], attrs: { before: [1], after: [2], value: 7 }, shape: [5] });
      },
      [2],
      Float32Array.of(1.5, -2.5),
    );
    expect(padded).toEqual([7, 1, -2, 7, 7]);
  });

  it('an index out of range, also a negative one, selects nothing', async () => {
    const attrs = { onValue: 5, offValue: 2 };
    const hot = await compute(
      (graph, x) => {
        const whole = graph.add({ op: 'Cast', inputs: [x], shape: [3], dtype: 'int32' });
        return graph.add({ op: 'OneHot', inputs: [whole], attrs, shape: [3, 2], dtype: 'float32' });
      },
      [3],
      Float32Array.of(-1, 1, 2),
    );
    expect(hot).toEqual([2, 2, 2, 5, 2, 2]);
  });

  it('a reduction over no axes changes nothing', async () => {
    const x = node('Input', [], [2]);
    const graph: Graph = {
      inputs: [{ node: x, role: 'data', index: 0 }],
      outputs: [{ role: 'output', node: node('Sum', [x], [2], { axes: [], keepDims: false }) }],
      nodes: [],
    };
    const model = emitOnnx({ ...graph, nodes: [graph.outputs[0]!.node] }, wholeOnnx);
    const session = await ort.InferenceSession.create(model.bytes, { logSeverityLevel: 4 });
    const results = await session.run({ [model.inputs[0]!]: new ort.Tensor('float32', Float32Array.of(3, 4), [2]) });
    expect([...(results[model.outputs[0]!]!.data as Float32Array)]).toEqual([3, 4]);
    await session.release();
  });

  it('products of integers by numbers stay integers', async () => {
    const product = await compute(
      (graph, x) => {
        const whole = graph.add({ op: 'Cast', inputs: [x], shape: [2], dtype: 'int32' });
        const times = (a: Node, factor: number) => graph.add({ op: 'Multiply', inputs: [a, graph.constant(factor, [], 'int32')], shape: [2] }); // prettier-ignore
        return times(times(whole, 3), 5);
      },
      [2],
      Float32Array.of(2, -4),
    );
    expect(product).toEqual([30, -60]);
  });

  it('attributes that are not finite are distinguished', () => {
    const builder = new GraphBuilder();
    const x = builder.input([2], { role: 'data', index: 0 });
    const clipped = (min: number, max: number) => builder.add({ op: 'ClipByValue', inputs: [x], attrs: { min, max }, shape: [2] }); // prettier-ignore
    expect(clipped(-Infinity, 1)).not.toBe(clipped(-Infinity, Infinity));
    expect(clipped(-Infinity, -Infinity)).not.toBe(clipped(-Infinity, Infinity));
    expect(clipped(0, 1)).toBe(clipped(0, 1));
    expect(clipped(0, 1)).not.toBe(clipped(-0, 1));
  });

  it('a node that breaks a rule is refused when it is added, also where it would be rewritten', () => {
    const builder = new GraphBuilder();
    const x = builder.input([2, 3], { role: 'data', index: 0 });
    builder.layer = 'fc';
    const add = (shape: number[]) => builder.add({ op: 'Multiply', inputs: [x, builder.constant(1, [])], shape });
    expect(add([2, 3])).toBe(x);
    expect(() => add([3, 2])).toThrow(/Multiply, layer "fc"\): .*its shape must be \[2,3\]/);
    expect(() => builder.add({ op: 'Reshape', inputs: [x], shape: [2, 3], dtype: 'int32' })).toThrow(/result must be float32/); // prettier-ignore
  });
});
