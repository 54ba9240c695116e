/** An operation on tensors that a topology contains as a layer: operations/ has the table of them. */
import { operationShape } from '../operations/operations.js';
import type { LayerClass } from './layerClass.js';

export const OPERATIONS = {
  Operation: { shape: (config, inputs) => [operationShape(config, inputs)] },
} satisfies Record<string, LayerClass>;
