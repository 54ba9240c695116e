import type { Graph } from '../../network/ir.js';
import { elementwiseRules } from './elementwise.js';
import { Emitter, type EmitRule, type OnnxModel, type OnnxTarget, unsupported } from './emitter.js';
import { convolutionRules } from './convolution.js';
import type { OnnxGraph } from './protobuf.js';
import { poolingRules } from './pooling.js';
import { gemmWithBias, tensorRules } from './tensorRules.js';

const rules: Readonly<Record<string, EmitRule>> = {
  ...elementwiseRules,
  ...tensorRules,
  ...convolutionRules,
  ...poolingRules,
};

/** Operator set version: 18 is the first in which all reductions take their axes as an input. */
export const opsets = { '': 18, 'com.microsoft': 1 };

/**
 * One ONNX model that computes the graph.
 * @throws UserError('model-unsupported') naming the layer whose operation cannot be expressed.
 */
export function emitOnnx(graph: Graph, target: OnnxTarget): OnnxModel {
  return emitted(graph, target).finish(graph, opsets);
}

/** Returns the model before it is a file, so that callers can change it. @throws as emitOnnx. */
export function emitOnnxParts(graph: Graph, target: OnnxTarget): OnnxGraph {
  return emitted(graph, target).parts(graph);
}

function emitted(graph: Graph, target: OnnxTarget): Emitter {
  const emitter = new Emitter(graph, target);
  graph.inputs.forEach(({ node }, i) => emitter.define(node, `in${i}`));
  for (const node of graph.nodes) {
    if (node.op === 'Add' && gemmWithBias(emitter, node)) continue;
    const rule = rules[node.op];
    if (!rule) throw unsupported(node, 'has no ONNX rule');
    rule(emitter, node);
  }
  return emitter;
}
