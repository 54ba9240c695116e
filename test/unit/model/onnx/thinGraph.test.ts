/** Files of PyTorch without units: smaller, the same in onnxruntime as the file with zeros, and valid for onnx's own checker. */
import { mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOnnx } from '../../../../daemon/export/runOnnx.js';
import { thin } from '../../../../daemon/export/thin.js';
import { writeThinnedOnnx } from '../../../../daemon/export/thinnedOnnx.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import { writeGraph } from '../../../../daemon/model/graph/writeGraph.js';
import type { GraphModel } from '../../../../daemon/model/model.js';
import { withWeights } from '../../../../daemon/model/weights.js';
import { unitGroups } from '../../../../daemon/network/structure/structure.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { python, pythonHas } from '../../../fixtures/debianPython.js';
import { zeroUnits } from '../../network/structure/zeroUnits.js';

const fixtures = resolve('test/fixtures/onnx');
let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-thin-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(path: string): Promise<GraphModel> {
  const model = await readModel(path, { workspace: dirname(path) });
  if (model.kind !== 'graph') throw new Error(`${path} is no graph`);
  return model;
}

/** The model with a share of its units, drawn by a seed, at 0. */
function pruned(model: GraphModel, share: number, seed: number): GraphModel {
  const random = createRandom(seed);
  const values = new Map(model.weights.map(({ name, data }) => [name, data.slice()]));
  const groups = unitGroups(model.network, model.network.fileBatch);
  zeroUnits(model.network, groups, [...Array(groups.count).keys()].filter(() => random.next() < share), values); // prettier-ignore
  return withWeights(model, values);
}

const FLOATS = /float|double/;

async function outputs(path: string, model: GraphModel, output: number): Promise<Float32Array> {
  const random = createRandom(77);
  const isFloat = model.network.inputs.map((_, i) => FLOATS.test(model.file.model.graph.inputs[i]!.type));
  const shapes = model.network.inputs.map(({ shape }) => shape);
  const samples = shapes.map((shape, i) => Float32Array.from({ length: 4 * sizeOf(shape) }, () => (isFloat[i] ? random.normal() : Math.floor(3 * random.next())))); // prettier-ignore
  const run = await openOnnx(path, model, shapes, output);
  try {
    return await run.run(samples, 4);
  } finally {
    await run.release();
  }
}

const CHECKS = `
import json, sys, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(sys.argv[1])
onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
print(json.dumps([n.op_type for n in model.graph.node]))
`;
const hasOnnx = pythonHas('onnx');

const FILES = [
  'zoo/mlp.train', 'zoo/conv1d.train', 'zoo/lenet5.eval', 'zoo/depthwise.eval', 'zoo/depthwise.eval.fixed', 'zoo/unet.eval', 'zoo/unet.train.fixed',
  'zoo/bilstm.eval', 'zoo/bilstm.eval.fixed', 'zoo/gru.eval', 'zoo/gru.train.fixed', 'zoo/transformer.eval', 'zoo/transformer.eval.fixed', 'zoo/transformer.train.fixed',
  'mnist-cnn', 'cnn-training', 'cnn-folded', 'cnn-opset9', 'external',
]; // prettier-ignore

describe.each(FILES)('%s', (name) => {
  it.each([[1, 0.5], [2, 0.85]])('seed %i, %d of its units gone: smaller, and the same as with zeros', async (seed, share) => {
    const source = await open(join(fixtures, `${name}.onnx`));
    const zeros = pruned(source, share, seed);
    const { model, weights, flops, refusal } = thin(zeros);
    expect(refusal?.message).toBeUndefined();
    expect(weights.after).toBeLessThan(weights.before);
    expect(flops.after).toBeLessThan(flops.before);
    const own = join(folder, `${name.replace('/', '-')}-${seed}`);
    const [before, after] = [join(own, 'pruned', 'm.onnx'), join(own, 'thinned', 'm.onnx')];
    for (const path of [before, after]) await mkdir(dirname(path), { recursive: true });
    await writeGraph(zeros, before);
    await writeThinnedOnnx(model, after);
    expect((await stat(after)).size).toBeLessThan((await stat(join(fixtures, `${name}.onnx`))).size);
    const again = await open(after);
    expect(again.network.weights.map(({ name: of, shape }) => [of, shape])).toEqual(model.weights.map(({ name: of, shape }) => [of, shape]));
    for (const output of source.network.outputs.keys()) {
      const [expected, found] = [await outputs(before, source, output), await outputs(after, again, output)];
      const scale = Math.max(...expected.map(Math.abs));
      expect(Math.max(...expected.map((x, i) => Math.abs(x - found[i]!)))).toBeLessThanOrEqual(1e-5 * scale);
    }
    if (hasOnnx) {
      const ops = python(CHECKS, [after]) as string[];
      expect(ops).toEqual(source.file.model.graph.nodes.map(({ op }) => op));
    }
    // Nothing is left that could go.
    expect(thin(again).weights.after).toBe(weights.after);
  }); // prettier-ignore
});

it('a file of half precision keeps its types, with fewer units', async () => {
  const source = await open(join(fixtures, 'half.onnx'));
  const zeros = pruned(source, 0.5, 1);
  const { model, weights } = thin(zeros);
  expect(weights.after).toBeLessThan(weights.before);
  const [before, after] = [join(folder, 'half', 'm.onnx'), join(folder, 'half-thinned', 'm.onnx')];
  for (const path of [before, after]) await mkdir(dirname(path), { recursive: true });
  await writeGraph(zeros, before);
  await writeThinnedOnnx(model, after);
  const again = await open(after);
  const types = ({ file }: GraphModel) => [...file.model.graph.initializers].map(([name, { type }]) => [name, type]);
  expect(types(again)).toEqual(types(source));
  expect(types(again).some(([, type]) => type === 'float16')).toBe(true);
  expect((await stat(after)).size).toBeLessThan((await stat(before)).size);
  const [expected, found] = [await outputs(before, source, 0), await outputs(after, again, 0)];
  const scale = Math.max(...expected.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  expect(Math.max(...expected.map((x, i) => Math.abs(x - found[i]!)))).toBeLessThanOrEqual(2 ** -9 * scale);
});

describe('what cannot be written', () => {
  const headsOf = ({ network }: GraphModel, name: string) => network.weights.find((weight) => weight.name === name)!.shape; // prettier-ignore

  it('heads stay where the file computes their width from another tensor, and go where it says it', async () => {
    for (const [name, all] of [['zoo/transformer.eval', true], ['zoo/transformer.train.fixed', false]] as const) {
      const source = await open(join(fixtures, `${name}.onnx`));
      const model = thin(pruned(source, 1, 3)).model as GraphModel;
      const kept = (of: GraphModel) => headsOf(of, 'encoder.layers.0.self_attn.out_proj.bias').length > 0 && of.network.weights.find((weight) => weight.name === 'encoder.layers.0.self_attn.in_proj_bias')!.shape[0]!;
      expect(kept(model) === kept(source), name).toBe(all);
      expect(headsOf(model, 'encoder.layers.0.linear1.bias')[0]).toBe(1);
    }
  }); // prettier-ignore

  it('a thinned file that computes something else is not written', async () => {
    const { model } = thin(pruned(await open(join(fixtures, 'zoo/mlp.train.onnx')), 0.5, 1));
    const [first] = model.weights.filter(({ shape }) => shape.length === 2);
    const wrong = withWeights(model, new Map([[first!.name, first!.data.map((x) => 1.001 * x)]]));
    const path = join(folder, 'wrong.onnx');
    await expect(writeThinnedOnnx(wrong, path)).rejects.toThrow(/with fewer units is not written, since its output ".*" differs by .*; export it as onnx, with its zeros/); // prettier-ignore
    expect(await stat(path).catch(() => null)).toBeNull();
  });

  it('a thinned file of half precision that computes something else is not written either', async () => {
    const { model } = thin(pruned(await open(join(fixtures, 'half.onnx')), 0.5, 1));
    const [first] = model.weights.filter(({ shape }) => shape.length === 2);
    const wrong = withWeights(model, new Map([[first!.name, first!.data.map((x) => 1.05 * x)]]));
    await expect(writeThinnedOnnx(wrong, join(folder, 'half.onnx'))).rejects.toThrow(/is not written, since its output ".*" differs by .*; export it as onnx, with its zeros/); // prettier-ignore
  });

  it('where no unit can go, the thinned file is the file', async () => {
    const source = await open(join(fixtures, 'attention.onnx'));
    expect(thin(source).model).toBe(source);
  });
});
