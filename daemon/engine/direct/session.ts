import { concatenated } from '../../lc/concatenated.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { createRandom, type Random } from '../../lc/random.js';
import { UserError } from '../../protocol/errors.js';
import { eachBatch } from '../eachBatch.js';
import type {
  EngineInfo,
  EngineSession,
  EvaluateOptions,
  EvaluationResult,
  Parameter,
  SampleSource,
  SessionSpec,
  TrainRequest,
  TrainSummary,
} from '../engine.js';
import type { LoadedModel } from './loadModel.js';
import { classifies, joined } from '../loss/jointLoss.js';
import { meanLoss } from '../loss/meanLoss.js';
import { activated, wrongShare } from './losses.js';
import { Residuals } from '../residuals.js';
import { type Computed, type Forward, Passes } from './passes.js';
import { activate, type TensorFlow } from './tensorflow.js';
import { readTensors, writeVariables } from './tensorValues.js';
import { TensorUpdate } from './update.js';

/** Sums over the batches of an evaluation. */
interface Sums {
  loss: number;
  wrong: number;
  rows: number;
  readonly residuals: Residuals | null;
}

/** A session of TensorFlow.js: the model's own layers, its own gradients, our update on its tensors. */
export class DirectSession implements EngineSession {
  readonly parameters: readonly Parameter[];
  readonly size: number;
  readonly prunableSize: number;
  readonly outputShape: readonly number[];
  readonly jointShapes: readonly (readonly number[])[];
  private readonly velocities: readonly Variable[];
  private readonly random: Random;
  private readonly variables: readonly Variable[];
  private readonly passes: Passes;

  constructor(
    readonly info: EngineInfo,
    private readonly tf: TensorFlow,
    private readonly model: LoadedModel,
    private readonly spec: SessionSpec,
    private readonly outputs: readonly Computed[],
    readonly inputShapes: readonly (readonly number[])[],
  ) {
    const [own, ...jointly] = outputs;
    this.outputShape = own!.shape;
    this.jointShapes = jointly.map(({ shape }) => shape);
    this.parameters = model.parameters.map(({ variable: _, ...parameter }) => parameter);
    this.size = model.size;
    this.prunableSize = model.prunableSize;
    this.velocities = model.parameters.map(({ variable }) => tf.core.variable(tf.core.zeros(variable.shape), false));
    this.variables = model.parameters.map(({ variable }) => variable);
    this.random = createRandom(spec.seed, 1);
    this.passes = new Passes(tf, model, spec, outputs, inputShapes, this.random);
  }

  getWeights(): Promise<Float32Array> {
    return readTensors(this.tf, this.variables);
  }

  async setWeights(weights: Float32Array): Promise<void> {
    writeVariables(this.tf, this.variables, weights);
  }

  getState(): Promise<Float32Array> {
    return readTensors(this.tf, this.model.state);
  }

  async setState(state: Float32Array): Promise<void> {
    writeVariables(this.tf, this.model.state, state);
  }

  getVelocity(): Promise<Float32Array> {
    return readTensors(this.tf, this.velocities);
  }

  async setVelocity(velocity: Float32Array): Promise<void> {
    writeVariables(this.tf, this.velocities, velocity);
  }

  getRandomState(): readonly number[] {
    return this.random.state;
  }

  setRandomState(state: readonly number[]): void {
    this.random.restore(state);
  }

  async train(request: TrainRequest): Promise<TrainSummary> {
    const { batches, steps, signal, onStep } = request;
    const { batchSize, taught } = this.spec;
    const { inputs, target } = this.passes.buffers(batchSize, taught !== undefined);
    activate(this.tf);
    const update = new TensorUpdate(this.tf, this.model.parameters, this.velocities, request);
    let done = 0;
    let sum = 0;
    try {
      for (; done < steps && !signal?.aborted; done++) {
        await batches.next(inputs, target);
        activate(this.tf);
        const lossTensor = this.tf.core.tidy(() => {
          const { value, grads } = this.passes.lossAndGradients(inputs, target);
          update.step(grads, request.learningRate(done));
          return value;
        });
        const [loss] = await lossTensor.data();
        lossTensor.dispose();
        if (!Number.isFinite(loss)) {
          throw new UserError(
            'diverged',
            `the training loss became ${loss} after ${done + 1} steps; use a smaller learning rate`,
          );
        }
        sum += loss!;
        onStep?.(done, loss!);
      }
    } finally {
      activate(this.tf);
      update.dispose();
    }
    return { steps: done, meanLoss: done > 0 ? sum / done : 0, aborted: done < steps };
  }

  async evaluate(source: SampleSource, options: EvaluateOptions = {}): Promise<EvaluationResult> {
    const count = Math.min(this.spec.batchSize, source.size);
    const { inputs, target } = this.passes.buffers(count);
    const targets = this.passes.targetsIn(inputs, target);
    const sums = this.outputs.map(({ trained, shape }): Sums => {
      const residuals = classifies(trained) ? null : new Residuals(sizeOf(shape));
      return { loss: 0, wrong: 0, rows: 0, residuals };
    });
    await eachBatch(source, count, { inputs, target }, options, async (n, start) => {
      activate(this.tf);
      const answers = this.tf.core.tidy(() =>
        this.passes
          .forward(this.passes.inputTensors(inputs, n), false)
          .map(({ value, mask }, i): (Tensor | undefined)[] => {
            const { trained, head } = this.outputs[i]!;
            const { loss, lossSettings: settings = {} } = trained;
            const expected = this.passes.targetTensor(targets[i]!, i, n);
            return [
              meanLoss(this.tf.core, { loss, head, settings }, expected, value, mask),
              classifies(trained) ? wrongShare(this.tf, loss, head, expected, value, mask) : value,
              // For a regression the values are read in any case.
              i === 0 && options.onBatch && classifies(trained) ? value.clone() : undefined,
              mask?.clone(),
            ];
          }),
      ) as [Tensor, Tensor, Tensor | undefined, Tensor | undefined][];
      this.model.masks.release();
      for (const [i, [lossTensor, answer, given, counted]] of answers.entries()) {
        const floats = (tensor: Tensor | undefined) => tensor?.data<'float32'>() ?? null;
        const read = [lossTensor.data(), answer.data<'float32'>(), floats(given), floats(counted)] as const;
        const [[batchLoss], values, outputs, mask] = await Promise.all(read);
        this.tf.core.dispose([lossTensor, answer, given, counted].filter((tensor) => tensor !== undefined));
        const { head } = this.outputs[i]!;
        if (i === 0) options.onBatch?.({ start, samples: n, values: outputs ?? values, head, target, mask });
        const batchRows = mask ? mask.reduce((sum, one) => sum + one, 0) : n;
        const own = sums[i]!;
        own.rows += batchRows;
        own.loss += batchLoss! * batchRows;
        if (own.residuals) own.residuals.add(values, targets[i]!, n, mask, this.outputs[i]!.shape.at(-1) ?? 1);
        else own.wrong += values[0]! * batchRows;
      }
    });
    const results = this.outputs.map(({ trained: { output, weight } }, i) => {
      const { loss, wrong, rows, residuals } = sums[i]!;
      const mean = { output, weight, loss: loss / Math.max(1, rows) };
      if (!residuals) return { ...mean, error: wrong / Math.max(1, rows) };
      return { ...mean, error: residuals.unexplained, absoluteError: residuals.meanAbsolute };
    });
    return joined(results, source.size);
  }

  async predict(inputs: readonly Float32Array[], count: number): Promise<Float32Array> {
    const head = this.spec.fromLogits ? 'none' : this.outputs[0]!.head;
    return (await this.infer(inputs, count, ([own]) => activated(this.tf, head, own!.value)))!;
  }

  async outputMask(inputs: readonly Float32Array[], count: number, output = 0): Promise<Float32Array | null> {
    if (this.passes.masked?.[output] === false || count === 0) return null;
    return this.infer(inputs, count, (passed) => passed[output]!.mask?.clone());
  }

  /** A tensor of each batch's forward pass, concatenated; null if the passes have no such tensor. */
  private async infer(
    inputs: readonly Float32Array[],
    count: number,
    tensorOf: (passed: readonly Forward[]) => Tensor | undefined,
  ): Promise<Float32Array | null> {
    const parts: Float32Array[] = [];
    for (let from = 0; from < count; from += this.spec.batchSize) {
      const n = Math.min(this.spec.batchSize, count - from);
      const batch = this.inputShapes.map((shape, i) => {
        const size = sizeOf(shape);
        return inputs[i]!.subarray(from * size, (from + n) * size);
      });
      activate(this.tf);
      const [tensor] = this.tf.core.tidy(() => [tensorOf(this.passes.forward(this.passes.inputTensors(batch, n), false))].flatMap((one) => one ?? [])); // prettier-ignore
      this.model.masks.release();
      if (!tensor) return null;
      parts.push(await tensor.data<'float32'>());
      tensor.dispose();
    }
    return concatenated(parts);
  }

  async gradient(
    inputs: readonly Float32Array[],
    target: Float32Array,
  ): Promise<{ loss: number; gradient: Float32Array }> {
    const { core } = this.tf;
    activate(this.tf);
    const { value, grads } = core.tidy(() => {
      const before = this.model.state.map((variable) => variable.clone());
      const result = this.passes.lossAndGradients(inputs, target);
      // Restores the moving averages, which only a training step may change.
      this.model.state.forEach((variable, i) => variable.assign(before[i]!));
      return result;
    });
    const tensors = this.model.parameters.map(({ variable }) => grads[variable.name] ?? core.zerosLike(variable));
    const [loss] = await value.data();
    const gradient = await readTensors(this.tf, tensors);
    core.dispose([value, ...tensors]);
    return { loss: loss!, gradient };
  }

  async dispose(): Promise<void> {
    this.tf.core.dispose([...this.velocities]);
    this.model.layersModel.dispose();
  }
}
