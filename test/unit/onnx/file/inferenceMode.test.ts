import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inInferenceMode, isInTrainingMode } from '../../../../daemon/onnx/file/inferenceMode.js';
import { readOnnx } from '../../../../daemon/onnx/file/readOnnx.js';
import { fixturePath } from './protos.js';

const read = (name: string) => {
  const bytes = readFileSync(fixturePath(name));
  return { bytes, model: readOnnx(bytes, { path: name }) };
};

it('a file for training gets norms on their moving averages and no Dropout at work, and nothing else', () => {
  const { bytes, model } = read('cnn-training.onnx');
  expect(isInTrainingMode(model)).toBe(true);
  const after = readOnnx(inInferenceMode(bytes, model, 'cnn-training.onnx'), { path: 'after' });
  expect(isInTrainingMode(after)).toBe(false);
  expect(after.graph.nodes).toHaveLength(model.graph.nodes.length);
  after.graph.nodes.forEach((node, i) => {
    const before = model.graph.nodes[i]!;
    if (node.op === 'BatchNormalization') {
      expect(node.outputs).toEqual(before.outputs.slice(0, 1));
      expect(node.attributes).toEqual(new Map([...before.attributes, ['training_mode', { kind: 'int', value: 0 }]]));
    } else if (node.op === 'Dropout') expect(node).toEqual({ ...before, inputs: before.inputs.slice(0, 2) });
    else if (node.op !== 'Constant') expect(node).toEqual(before);
  });
  expect(new Set(after.graph.nodes.map(({ op }) => op))).toEqual(new Set([...model.graph.nodes].map(({ op }) => op)));
  for (const [name, tensor] of model.graph.initializers)
    expect(after.graph.initializers.get(name)!.values()).toEqual(tensor.values());
});

it('a file for evaluation stays as it is', () => {
  const { bytes, model } = read('cnn-folded.onnx');
  expect(isInTrainingMode(model)).toBe(false);
  expect(inInferenceMode(bytes, model, 'cnn-folded.onnx')).toBe(bytes);
});
