/**
 * Files that exporters write for training (PyTorch's TrainingMode.TRAINING): run as they are, BatchNormalization normalises with the
 * statistics of the batch at hand, and Dropout may drop. [Operators.md of ONNX 1.12: BatchNormalization-14, Dropout-12]
 */
import type { OnnxModel, OnnxNode } from './onnxModel.js';
import { joined, spliced, splicedField, type Edit } from './splice.js';
import { OnnxBytes, WireReader } from './wire.js';

/** Whether a node computes in training mode. */
function trains({ op, domain, inputs, outputs, attributes }: OnnxNode): boolean {
  if (domain !== '') return false;
  if (op === 'Dropout') return (inputs[2] ?? '') !== '';
  const mode = attributes.get('training_mode');
  return op === 'BatchNormalization' && ((mode?.kind === 'int' && mode.value !== 0) || outputs.length > 1);
}

/** Whether a graph has operations in training mode. */
export const isInTrainingMode = ({ graph }: OnnxModel): boolean => graph.nodes.some(trains);

/** An AttributeProto (name 1, int 3) of value 0, where it is the mode. */
const modeOff: Edit = (reader) => {
  const attribute = reader.message();
  while (attribute.next()) if (attribute.field === 1 && attribute.name() !== 'training_mode') return null;
  return splicedField(reader, (field) => (field.field === 3 ? [Uint8Array.of(0x18, 0)] : null));
};

/**
 * The file with every BatchNormalization on its moving averages and no Dropout at work; all else is the file's own.
 * @param bytes of the file that `model` was read from, maybe with other values in its tensors. @param path its name, for messages.
 * @throws UserError('model-invalid') where the bytes are no such file.
 */
export function inInferenceMode(bytes: Uint8Array, model: OnnxModel, path: string): Uint8Array {
  // By the first output, which no other node gives.
  const training = new Map(model.graph.nodes.flatMap((node) => (trains(node) ? [[node.outputs[0], node.op]] : [])));
  const node: Edit = (reader) => {
    // NodeProto: inputs 1, outputs 2, attributes 5.
    const named = reader.message();
    let first: string | undefined;
    while (named.next() && first === undefined) if (named.field === 2) first = named.name();
    const op = first === undefined ? undefined : training.get(first);
    if (op === undefined) return null;
    let [inputs, outputs] = [0, 0];
    return splicedField(reader, (field) => {
      if (field.field === 1 && ++inputs === 3 && op === 'Dropout') return [];
      if (field.field === 2 && ++outputs > 1 && op === 'BatchNormalization') return [];
      return field.field === 5 && op === 'BatchNormalization' ? modeOff(field) : null;
    });
  };
  const pieces = spliced(new WireReader(new OnnxBytes(bytes, path)), (reader) =>
    reader.field === 7 ? splicedField(reader, (field) => (field.field === 1 ? node(field) : null)) : null,
  );
  return pieces ? joined(pieces) : bytes;
}
