/** The losses of all outputs that a session trains, and their weighted sum. [Keras 3, CompileLoss in trainers/compile_utils.py] */
import type * as Core from '@tensorflow/tfjs-core';
import type { EvaluationResult, JointOutput, OutputResult, SessionSpec, Taught } from '../engine.js';
import { absorbedHead, type Head } from '../../model/setup/loss.js';
import { meanLoss } from './meanLoss.js';

/** An output's loss in a session's training. */
export interface TrainedOutput extends Omit<JointOutput, 'output'> {
  /** null: the model's last. */
  readonly output: string | null;
  /** Only for the session's own output. */
  readonly classWeights?: readonly number[];
  readonly taught?: Taught;
}

export type LossSpec = Pick<
  SessionSpec,
  | 'loss'
  | 'lossSettings'
  | 'classification'
  | 'fromLogits'
  | 'output'
  | 'jointly'
  | 'lossWeight'
  | 'classWeights'
  | 'taught'
>;

/** The session's own output first. */
export function trainedOutputs({ jointly = [], lossWeight = 1, output, ...own }: LossSpec): TrainedOutput[] {
  const { loss, lossSettings, classification, fromLogits, classWeights, taught } = own;
  return [
    {
      output: output ?? null,
      loss,
      ...(lossSettings && { lossSettings }),
      ...(classification !== undefined && { classification }),
      ...(fromLogits !== undefined && { fromLogits }),
      ...(classWeights && { classWeights }),
      ...(taught && { taught }),
      weight: lossWeight,
    },
    ...jointly,
  ];
}

/** Whether an output's errors are counted as wrong answers. */
export const classifies = ({ classification, loss }: TrainedOutput): boolean =>
  classification ?? absorbedHead(loss) !== 'none';

/** One output of a batch, before its head, and its target. */
export interface Answered {
  readonly output: TrainedOutput;
  readonly head: Head;
  readonly target: Core.Tensor;
  readonly value: Core.Tensor;
  readonly mask: Core.Tensor | undefined;
  /** The teacher's targets, if the output is taught. */
  readonly teacher?: Core.Tensor;
}

/** The sum of weight x mean loss over the outputs of a batch, as a scalar. */
export function jointLoss(tf: typeof Core, answers: readonly Answered[]): Core.Scalar {
  return answers
    .map(({ output, head, target, value, mask, teacher }): Core.Scalar => {
      const { loss, lossSettings: settings = {}, classWeights, taught, weight } = output;
      const batch = { loss, head, settings, ...(classWeights && { classWeights }) };
      const mean = meanLoss(tf, batch, target, value, mask, taught && { ...taught, target: teacher! });
      return weight === 1 ? mean : tf.mul(mean, weight);
    })
    .reduce((sum, one) => tf.add(sum, one));
}

/** The result of each output, and the session's. @param results the session's own output first. */
export function joined(results: readonly OutputResult[], samples: number): EvaluationResult {
  const [{ loss, error, absoluteError }] = results as readonly [OutputResult];
  const own = { error, ...(absoluteError !== undefined && { absoluteError }), samples };
  if (results.length === 1) return { loss, ...own };
  return { loss: results.reduce((sum, one) => sum + one.weight * one.loss, 0), ...own, outputs: results };
}
