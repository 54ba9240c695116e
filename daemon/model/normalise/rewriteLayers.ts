/** Rewrites one layer of a topology to the form that TensorFlow.js reads. */
import { isBilinear, markHalfPixelCentres } from './bilinearUpSampling.js';
import { isMiscomputed } from './channelsFirst.js';
import { CONTAINERS, field, isLayerJson, layerName, type Json, type LayerJson } from '../layers/layerConfig.js';
import type { Refuse } from '../layers/refuse.js';
import { classOf, presentName } from '../layerClasses/registry.js';
import type { Notes } from '../notes.js';
import { OPERATION } from '../operations/operation.js';
import { activation, rewriteValues } from './rewriteValues.js';
import { refuseUnsupported } from '../layers/unsupported.js';

export interface RewriteContext {
  readonly notes: Notes;
  /** Whether Python's Keras wrote the file, not TensorFlow.js. */
  readonly keras: boolean;
  refuseAt(where: string): Refuse;
}

/** `batch_shape` (Keras 3) -> `batch_input_shape`; a fixed batch size would reject every other. */
function rewriteInputShape(config: Json, where: string, notes: Notes): void {
  const { batch_shape: shape, batch_input_shape: old } = config;
  if (shape !== undefined) {
    if (old === undefined) {
      config.batch_input_shape = shape;
      notes.add('batch_shape became batch_input_shape', where);
    } else if (JSON.stringify(old) !== JSON.stringify(shape)) {
      notes.add('batch_shape and batch_input_shape differ, batch_input_shape was kept', where);
    }
    delete config.batch_shape;
  }
  const input = config.batch_input_shape;
  if (Array.isArray(input) && typeof input[0] === 'number') {
    notes.add(`the fixed batch size ${input[0]} became any`, where);
    config.batch_input_shape = [null, ...(input as unknown[]).slice(1)];
  }
}

/** Axis lists of one number, which Keras before 2.3 wrote, break TensorFlow.js. */
function rewriteAxis({ class_name: name, config }: LayerJson, where: string, notes: Notes): void {
  const { axis } = config;
  if (classOf(name)?.listsAxes || !Array.isArray(axis) || axis.length !== 1) return;
  config.axis = (axis as unknown[])[0];
  notes.add('an axis in a list became a number', where);
}

/** Applies the rewrites of its class, then of the class that it becomes. @returns a layer to insert after it. */
function rewriteByClass(layer: LayerJson, where: string, notes: Notes): LayerJson | null {
  const before = layer.class_name;
  const behind = classOf(before)?.rewrite?.(layer, (change) => notes.add(change, where)) ?? null;
  return layer.class_name === before ? behind : (rewriteByClass(layer, where, notes) ?? behind);
}

/**
 * Rewrites one layer in place (it is already a copy), wrappers' inner layers and cells included.
 * @returns a layer to insert after it, if its activation is one.
 */
export function rewriteLayer(layer: LayerJson, where: string, context: RewriteContext): LayerJson | null {
  const { notes } = context;
  const refuse = context.refuseAt(where);
  const alias = presentName(layer.class_name);
  if (alias !== undefined) {
    notes.add(`${layer.class_name} became ${alias}`, where);
    layer.class_name = alias;
  }
  if (layer.class_name === OPERATION) return null;
  rewriteInputShape(layer.config, where, notes);
  const kept = rewriteByClass(layer, where, notes);
  const { config } = layer;
  rewriteAxis(layer, where, notes);
  rewriteValues(config, where, notes, refuse);
  classOf(layer.class_name)?.settle?.(config, (change) => notes.add(change, where));
  if (config.dtype === 'string') refuse('takes strings; encode them in the data and save the model without it');
  if (CONTAINERS.has(layer.class_name)) return null;
  refuseUnsupported(layer.class_name, config, refuse);
  if (field(config, 'stateful') === true) {
    notes.add('stateful became false: batches are independent here', where);
    config.stateful = false;
  }
  if (context.keras && isBilinear(layer)) markHalfPixelCentres(layer);
  return kept ?? rewriteActivations(layer, where, context, refuse);
}

function rewriteActivations(
  layer: LayerJson,
  where: string,
  context: RewriteContext,
  refuse: Refuse,
): LayerJson | null {
  const { config } = layer;
  let behind: LayerJson | null = null;
  for (const key of ['activation', 'recurrent_activation', 'recurrentActivation']) {
    if (config[key] === undefined) continue;
    const rewritten = activation(config[key], where, context.notes, refuse);
    if ('name' in rewritten) {
      config[key] = rewritten.name;
      continue;
    }
    const extra: LayerJson = {
      class_name: rewritten.layer.class_name,
      config: { trainable: true, ...rewritten.layer.config },
    };
    rewriteByClass(extra, where, context.notes);
    refuseUnsupported(extra.class_name, extra.config, refuse);
    if (layer.class_name === 'Activation') {
      // Only the activation remains: the layer itself becomes it.
      const { name, batch_input_shape: shape } = config;
      layer.class_name = extra.class_name;
      layer.config = { ...extra.config, name, ...(shape === undefined ? {} : { batch_input_shape: shape }) };
      return null;
    }
    if (key !== 'activation' || classOf(layer.class_name)?.recurrent) {
      refuse(`uses ${extra.class_name} inside a recurrent layer, which TensorFlow.js cannot compute`);
    }
    config[key] = 'linear';
    extra.config.name = `${layerName(layer)}_activation`;
    behind = extra;
  }
  return behind;
}

/** Rewrites the layer inside TimeDistributed and Bidirectional, and the cells of RNN; the caller rewrites a container inside. */
export function rewriteInner(layer: LayerJson, where: string, context: RewriteContext): LayerJson[] {
  const refuse = context.refuseAt(where);
  const containers: LayerJson[] = [];
  const inner = (key: string): void => {
    const value = layer.config[key];
    if (value == null) return;
    if (!isLayerJson(value)) return refuse(`has no readable "${key}"`);
    if (CONTAINERS.has(value.class_name)) {
      if (layer.class_name !== 'TimeDistributed') refuse(`wraps a whole model, which TensorFlow.js cannot load`);
      containers.push(value);
      return;
    }
    if (isMiscomputed(value)) refuse(`wraps a ${value.class_name} with channels first, which TensorFlow.js miscomputes; use channels last`); // prettier-ignore
    if (rewriteLayer(value, where, context) !== null) {
      refuse(
        'wraps a layer whose activation is a layer, which TensorFlow.js cannot load; put the activation behind it',
      );
    }
    if (isMiscomputed(value)) refuse(`wraps a ${value.class_name} with channels first, which TensorFlow.js miscomputes; use channels last`); // prettier-ignore
    containers.push(...rewriteInner(value, where, context));
  };
  if (layer.class_name === 'TimeDistributed') inner('layer');
  if (layer.class_name === 'RNN') inner('cell');
  if (layer.class_name === 'StackedRNNCells') {
    const cells = Array.isArray(layer.config.cells) ? (layer.config.cells as unknown[]) : [];
    for (const cell of cells) {
      if (!isLayerJson(cell)) return refuse('has a cell that cannot be read');
      if (rewriteLayer(cell, where, context) !== null) refuse('has a cell with an activation TensorFlow.js lacks');
    }
  }
  if (layer.class_name === 'Bidirectional') {
    const { backward_layer: backward } = layer.config;
    inner('layer');
    const { layer: forward } = layer.config;
    if (isLayerJson(forward)) {
      // TensorFlow.js adds the prefix itself; Keras 3 has already written it.
      const name = layerName(forward);
      if (name.startsWith('forward_')) forward.config.name = name.slice('forward_'.length);
      const differs = (key: string): boolean =>
        isLayerJson(backward) && JSON.stringify(backward.config[key]) !== JSON.stringify(forward.config[key]);
      if (isLayerJson(backward) && (backward.class_name !== forward.class_name || differs('units'))) {
        refuse(
          'has a backward_layer unlike its layer, which TensorFlow.js ignores; build it from one layer and save again',
        );
      }
    }
    delete layer.config.backward_layer;
  }
  return containers;
}
