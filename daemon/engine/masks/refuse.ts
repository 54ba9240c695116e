import type { layers } from '@tensorflow/tfjs-layers';
import { UserError } from '../../protocol/errors.js';

/** @throws UserError('model-unsupported') that names the layer. @param problem with the way out: "takes ...; do ...". */
export function refuse(layer: layers.Layer, problem: string): never {
  throw new UserError('model-unsupported', `layer "${layer.name}" (${layer.getClassName()}) ${problem}`, {
    field: layer.name,
  });
}
