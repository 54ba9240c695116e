/** Rewrites that depend on the shapes of a wired topology: sets open sizes, replaces layers that do nothing, and rejects impossible ones. */
import type { LayerJson } from '../layers/layerConfig.js';
import { type LayerNode, modelGraph } from '../layers/layerGraph.js';
import type { Topology } from '../model.js';
import type { Notes } from '../notes.js';
import { OPERATION } from '../operations/operation.js';
import { operationIn } from '../operations/operations.js';
import type { Refuse } from '../layers/refuse.js';
import { classOf } from '../layerClasses/registry.js';

/** Receives notes and rejections. */
export interface ShapeRules {
  readonly notes: Notes;
  /** Whether some layer creates masks. */
  readonly masked: boolean;
  /** @param where path of the layer. */
  refuseAt(where: string): Refuse;
  /** @throws UserError('model-invalid'). */
  invalid(problem: string): never;
}

function becomeIdentity(layer: LayerJson): void {
  const { name, batch_input_shape: shape } = layer.config;
  layer.class_name = 'Activation';
  layer.config = { name, activation: 'linear', ...(shape === undefined ? {} : { batch_input_shape: shape }) };
}

/** TensorFlow.js leaves -1 open until it gets data, and builds no layer with weights after an open size. */
function giveReshapeItsSize({ layer, path, outputs: [shape] }: LayerNode, { notes }: ShapeRules): void {
  const target = layer.config.target_shape;
  const known = (size: unknown) => typeof size === 'number' && size >= 0;
  if (layer.class_name !== 'Reshape' || !Array.isArray(target) || (target as unknown[]).every(known)) return;
  if (!shape || shape.includes(null)) return;
  layer.config.target_shape = [...shape];
  notes.add('the open size of a Reshape was computed', path);
}

/**
 * An operation that a layer computes exactly becomes that layer, unless a mask passes through: operations of Keras drop masks, layers pass them on.
 */
function operationAsLayer({ layer, path, calls }: LayerNode, rules: ShapeRules): void {
  const found = operationIn(layer.config);
  if (!found) return rules.refuseAt(path)('is an operation that cannot be read');
  const { operation, config } = found;
  const [inputs = []] = calls;
  const known = inputs.filter((shape) => shape !== null);
  if (known.length < inputs.length) return;
  if (operation.shape(inputs, config) === null)
    rules.refuseAt(path)(`is the operation ${config.operation} of inputs of ${inputs.map((shape) => `[${shape!.map((n) => n ?? '?').join(', ')}]`).join(' and ')}, which do not fit it`); // prettier-ignore
  const same = rules.masked || calls.length > 1 ? null : operation.asLayer?.(config, known);
  if (!same) return;
  layer.class_name = same.class_name;
  layer.config = same.config;
}

/** Resizing to the current size is the identity; any other is rejected. Cycles appear as layers that are never called. */
export function settleByShapes(topology: Topology, rules: ShapeRules): void {
  const graph = modelGraph(topology);
  for (const node of graph.layers) {
    if (node.calls.length === 0 && node.layer.class_name !== 'InputLayer') {
      const inbound = node.layer.inbound_nodes;
      if (!Array.isArray(inbound) || inbound.length > 0)
        rules.invalid(`layer "${node.path}" is never reached: its inputs form a cycle`);
      continue;
    }
    if (node.layer.class_name === OPERATION) operationAsLayer(node, rules);
    for (const inputs of node.calls) {
      const [given] = inputs;
      const problem = given && classOf(node.layer.class_name)?.problem?.(node.layer.config, given, inputs);
      if (problem) rules.refuseAt(node.path)(problem);
    }
    giveReshapeItsSize(node, rules);
    const input = node.calls[0]?.[0];
    if (node.layer.class_name === 'Flatten' && input?.length === 1) {
      rules.notes.add('Flatten of what is flat, which TensorFlow.js refuses, was dropped', node.path);
      becomeIdentity(node.layer);
    }
    if (!classOf(node.layer.class_name)?.changesSize) continue;
    if (input && JSON.stringify(input) === JSON.stringify(node.outputs[0])) {
      rules.notes.add(`${node.layer.class_name} to the size it has was dropped`, node.path);
      becomeIdentity(node.layer);
    } else
      rules.refuseAt(node.path)(
        `changes the image size (${node.layer.class_name}), which TensorFlow.js cannot load; do it in the data`,
      );
  }
}
