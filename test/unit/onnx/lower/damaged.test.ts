import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from '../../../../daemon/onnx/file/onnxModel.js';
import { readOnnx } from '../../../../daemon/onnx/file/readOnnx.js';
import { networkOfOnnx } from '../../../../daemon/onnx/lower/onnxNetwork.js';
import { createRandom, type Random } from '../../../../daemon/lc/random.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { inferenceGraph } from '../../../zoo/forward.js';

/** Models whose attributes, shapes and wires are wrong, as a damaged or malicious file has them: refused in words, or computed. */

const numbers = [0, 1, -1, 2, 3, -7, 1000, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER];

function damaged(model: OnnxModel, random: Random): OnnxModel {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  const { graph } = model;
  const at = Math.floor(random.next() * graph.nodes.length);
  const changed = (change: (node: OnnxNode) => OnnxNode): OnnxModel => ({
    ...model,
    graph: { ...graph, nodes: graph.nodes.map((node, i) => (i === at ? change(node) : node)) },
  });
  const wrong = (value: OnnxAttribute): OnnxAttribute => {
    if (value.kind === 'int' || value.kind === 'float') return { kind: value.kind, value: pick(numbers) };
    if (value.kind === 'ints') return random.next() < 0.3 ? { ...value, value: value.value.slice(1) } : { ...value, value: value.value.map((n) => (random.next() < 0.5 ? pick(numbers) : n)) }; // prettier-ignore
    if (value.kind === 'tensor') return { ...value, value: wrongTensor(value.value) };
    return { kind: 'string', value: 'nonsense' };
  };
  const wrongTensor = (tensor: OnnxTensor): OnnxTensor => {
    const values = Float64Array.from(tensor.values(), (v) => (random.next() < 0.3 ? pick(numbers) : v));
    return { ...tensor, values: () => values };
  };
  const names = [...graph.initializers.keys(), ...graph.nodes.slice(0, at).flatMap(({ outputs }) => outputs)];
  switch (Math.floor(random.next() * 6)) {
    case 0:
      return changed((node) => ({ ...node, attributes: new Map([...node.attributes].map(([name, value]) => [name, random.next() < 0.6 ? wrong(value) : value])) })); // prettier-ignore
    case 1:
      return changed((node) => ({ ...node, inputs: node.inputs.map((name) => (random.next() < 0.5 && names.length > 0 ? pick(names) : name)) })); // prettier-ignore
    case 2:
      return changed((node) => ({ ...node, inputs: node.inputs.slice(0, Math.floor(random.next() * node.inputs.length)) }));
    case 3:
      return changed((node) => ({ ...node, op: pick(graph.nodes).op }));
    case 4:
      return { ...model, graph: { ...graph, inputs: graph.inputs.map((value) => ({ ...value, dims: value.dims?.map((dim) => (random.next() < 0.5 ? pick(numbers.filter((n) => n > 0)) : dim)) ?? null })) } }; // prettier-ignore
    default: {
      const name = pick([...graph.initializers.keys()]);
      const tensor = graph.initializers.get(name)!;
      const dims = [...tensor.dims].sort(() => random.next() - 0.5);
      return { ...model, graph: { ...graph, initializers: new Map(graph.initializers).set(name, wrongTensor({ ...tensor, dims })) } }; // prettier-ignore
    }
  }
}

test.each(process.env['ONE'] ? [process.env['ONE']] : ['mlp.train', 'unet.train.fixed', 'transformer.train.fixed', 'bilstm.eval.fixed', 'depthwise.eval', 'conv1d.train'])(
  '%s with something wrong is refused in words, or computed',
  (name) => {
    const path = `test/fixtures/onnx/zoo/${name}.onnx`;
    const model = readOnnx(readFileSync(path), { path });
    const random = createRandom(name.length);
    let refused = 0;
    for (let i = 0; i < Number(process.env["MUTANTS"] ?? 80); i++) {
      try {
        const network = networkOfOnnx(damaged(damaged(model, random), random), path);
        inferenceGraph(network, 3);
      } catch (error) {
        if (!(error instanceof UserError)) throw new Error(`mutant ${i}`, { cause: error });
        expect(error.message.length).toBeGreaterThan(20);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  },
);
