import { sizeOf } from '../../protocol/shape.js';
import type { NamedTensorMap, Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Random } from '../../lc/random.js';
import type { SessionSpec } from '../engine.js';
import { penalties } from '../layerTree.js';
import type { Head } from '../../model/setup/loss.js';
import { jointLoss, type TrainedOutput } from '../loss/jointLoss.js';
import { outputMask } from '../masks/outputMask.js';
import type { LoadedModel } from './loadModel.js';
import type { TensorFlow } from './tensorflow.js';

/** The result of one output for a batch. */
export interface Forward {
  readonly value: Tensor;
  readonly mask: Tensor | undefined;
}

/** For the mean over a batch. */
export type LossAndGradients = { value: Scalar; grads: NamedTensorMap };

/** An output that is computed. */
export interface Computed {
  readonly trained: TrainedOutput;
  readonly head: Head;
  /** Its index among the model's outputs. */
  readonly index: number;
  /** Of one sample. */
  readonly shape: readonly number[];
}

/** Passes of batches through a model of TensorFlow.js: outputs, loss and gradients. */
export class Passes {
  readonly jointShapes: readonly (readonly number[])[];
  /** Whether each output has a mask; undefined before the first pass. */
  masked: readonly boolean[] | undefined;

  constructor(
    private readonly tf: TensorFlow,
    private readonly model: LoadedModel,
    private readonly spec: SessionSpec,
    private readonly outputs: readonly Computed[],
    private readonly inputShapes: readonly (readonly number[])[],
    /** For dropout and noise. */
    private readonly random: Random,
  ) {
    this.jointShapes = outputs.slice(1).map(({ shape }) => shape);
  }

  /** For a batch; in parts, if the session has a micro-batch. */
  lossAndGradients(inputs: readonly Float32Array[], target: Float32Array): LossAndGradients {
    const { batchSize, microBatch = batchSize } = this.spec;
    const parts = batchSize / microBatch;
    if (parts === 1) return this.ofPart(inputs, target, batchSize);
    const { core } = this.tf;
    const partOf = (values: Float32Array, k: number) => values.subarray((k * values.length) / parts, ((k + 1) * values.length) / parts); // prettier-ignore
    let sum: LossAndGradients | undefined;
    for (let k = 0; k < parts; k++) {
      const before = sum;
      const part = inputs.map((values) => partOf(values, k));
      const add = (tensor: Tensor, earlier: Tensor | undefined) => {
        const share = core.div(tensor, parts);
        return earlier ? core.add(earlier, share) : share;
      };
      sum = core.tidy(() => {
        const { value, grads } = this.ofPart(part, partOf(target, k), microBatch);
        const added = Object.entries(grads).map(([name, grad]) => [name, add(grad, before?.grads[name])] as const);
        return { value: add(value, before?.value) as Scalar, grads: Object.fromEntries(added) };
      });
    }
    return sum!;
  }

  private ofPart(inputs: readonly Float32Array[], target: Float32Array, size: number): LossAndGradients {
    const x = this.inputTensors(inputs, size);
    const expected = this.targetsIn(inputs, target).map((values, i) => this.targetTensor(values, i, size));
    const teacher = expected[this.outputs.length];
    const result = this.seeded(() =>
      this.tf.core.variableGrads(
        () => {
          const answers = this.forward(x, true).map(({ value, mask }, i) => {
            const { trained, head } = this.outputs[i]!;
            const target = expected[i]!;
            return { output: trained, head, target, value, mask, ...(trained.taught && { teacher: teacher! }) };
          });
          const mean = jointLoss(this.tf.core, answers);
          return penalties(this.model.layersModel).reduce((sum, penalty) => this.tf.core.add(sum, penalty), mean);
        },
        this.model.parameters.map(({ variable }) => variable),
      ),
    );
    this.model.masks.release();
    return result;
  }

  /** Each output that is computed. */
  forward(inputs: Tensor[], training: boolean): Forward[] {
    const values = [this.model.layersModel.apply(inputs, { training }) as Tensor | Tensor[]].flat();
    const passed = this.outputs.map(({ index }) => ({
      value: values[index]!,
      mask: outputMask(this.model.masks, values[index]!),
    }));
    this.masked = passed.map(({ mask }) => mask !== undefined);
    return passed;
  }

  /** For a batch: the inputs, followed by the targets of jointly trained outputs, and the target. @param taught with a teacher's targets. */
  buffers(count: number, taught = false): { inputs: Float32Array[]; target: Float32Array } {
    const buffer = (shape: readonly number[]) => new Float32Array(count * sizeOf(shape));
    const own = this.outputs[0]!.shape;
    const inputs = [...this.inputShapes, ...this.jointShapes, ...(taught ? [own] : [])];
    return { inputs: inputs.map(buffer), target: buffer(own) };
  }

  /** For each computed output, in a batch; then those of a teacher, for the first one. */
  targetsIn(inputs: readonly Float32Array[], target: Float32Array): Float32Array[] {
    return [target, ...inputs.slice(this.inputShapes.length)];
  }

  inputTensors(inputs: readonly Float32Array[], count: number): Tensor[] {
    return this.inputShapes.map((shape, i) =>
      this.tf.core.tensor(inputs[i]!.subarray(0, count * sizeOf(shape)), [count, ...shape]),
    );
  }

  targetTensor(target: Float32Array, output: number, count: number): Tensor {
    const { shape } = this.outputs[output] ?? this.outputs[0]!;
    return this.tf.core.tensor(target.subarray(0, count * sizeOf(shape)), [count, ...shape]);
  }

  /** Dropout and noise layers seed themselves from Math.random, and accept no other source. */
  private seeded<T>(compute: () => T): T {
    const original = Math.random;
    Math.random = this.random.next;
    try {
      return compute();
    } finally {
      Math.random = original;
    }
  }
}
