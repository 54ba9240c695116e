import { isInTrainingMode } from '../file/inferenceMode.js';
import type { OnnxModel, OnnxNode } from '../file/onnxModel.js';
import type { WeightRecord } from './weights.js';

/** Notes for the user on an imported model, in sentences. */

const keepsNorm =
  'torch.onnx.export(..., training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False) keeps it';

const many = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;

/** Names that exporters give to convolutions with a folded BatchNormalization: PyTorch's and tf2onnx's. */
const isFolded = (name: string): boolean => /^onnx::Conv_\d+$|_fused_bn/.test(name);

/** What the export did to BatchNormalization. */
function batchNormNote(nodes: readonly OnnxNode[], frozen: number): string | undefined {
  const present = nodes.filter(({ op }) => op === 'BatchNormalization').length;
  const folded = nodes.filter(({ op, inputs }) => /^Conv/.test(op) && isFolded(inputs[1] ?? '')).length;
  const parts = [
    present > 0 ? `${many(present, 'BatchNormalization')} present: trained with the network` : '',
    folded > 0 ? `${many(folded, 'BatchNormalization')} folded into the convolution before it: the network trains without; ${keepsNorm}` : '', // prettier-ignore
    frozen > 0 ? `${many(frozen, 'BatchNormalization')} frozen: a scale and a shift that are not trained` : '',
  ].filter((part) => part !== '');
  return parts.length > 0 ? parts.join('; ') : undefined;
}

/** Initializers that are one tensor under several names. */
function sharedNote(nodes: readonly OnnxNode[], weights: readonly WeightRecord[]): string | undefined {
  const own = new Set(weights.map(({ name }) => name));
  const tied = nodes.filter(({ op, inputs }) => op === 'Identity' && own.has(inputs[0]!));
  const names = [...new Set(tied.map(({ inputs }) => inputs[0]!))];
  if (names.length === 0) return undefined;
  return `${many(tied.length, 'tensor')} of the file ${tied.length === 1 ? 'is' : 'are'} tied to ${names.slice(0, 3).join(', ')}${names.length > 3 ? `... (${names.length})` : ''}, and counted once`; // prettier-ignore
}

/** Its errors are those of inference here, which are not what the file gives elsewhere. */
const trainingModeNote =
  'the file is in training mode, and what is written stays so: other programs that run it normalise with the statistics of each batch, and may drop; errors here are those of inference. To serve it, load the pruned weights into the module and export that in evaluation mode';

const WIDENED: Readonly<Record<string, string>> = {
  float16: 'float16, computed in float32',
  bfloat16: 'bfloat16, computed in float32',
  double: 'float64, computed in float32',
};

/** One sentence each about BatchNormalization, the file's mode, ties, number formats and statistics that cannot move. */
export function notesOf(model: OnnxModel, nodes: readonly OnnxNode[], weights: readonly WeightRecord[]): string[] {
  const frozen = weights.filter((weight) => weight.frozen).length / 2;
  const types = [...new Set(weights.map(({ tensor }) => tensor.type))].flatMap((type) => WIDENED[type] ?? []);
  const stuck = weights.filter(({ asState, asParameter }) => asState > 0 && asParameter > 0);
  return [
    batchNormNote(nodes, Math.ceil(frozen)),
    isInTrainingMode(model) ? trainingModeNote : undefined,
    sharedNote(nodes, weights),
    types.length > 0 ? `weights of ${types.join(' and ')}` : undefined,
    stuck.length > 0 ? `${many(stuck.length, 'tensor')} (${stuck[0]!.name}) serve as a weight and as a moving average, which an exporter does with equal values: the averages stay as they are; export the trained model, in training mode` : undefined, // prettier-ignore
  ].filter((note) => note !== undefined);
}
